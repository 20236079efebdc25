import { git } from '../git/git.ts';
import { isOnlyTarget } from '../git/own-commits.ts';
import { isAncestor, remoteName, resolve, type RigRepo } from '../git/repos.ts';
import { dirtyFiles, isLinked, type Worktree } from '../git/worktree.ts';
import { authorEnvironment } from './author.ts';
import type { DoneIntent } from './intent.ts';

/** Files that a refusal names. */
const NAMED_FILES_MAX = 10;

export interface Refusal {
  readonly state: 'refused';
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

/** Of the order to start, what a claim is checked with. */
export interface Claimant {
  readonly bead: string;
  readonly attempt: string;
  readonly author: { readonly name: string; readonly email: string };
}

export interface ClaimSite {
  readonly repo: RigRepo;
  readonly tree: Worktree;
  readonly base: string;
  /** What the work is for. */
  readonly target: { readonly rig: string; readonly branch: string };
  readonly intent: DoneIntent;
}

/** The head to claim, null for "nothing needs to change", or what is in the way. */
export async function checkClaim(
  request: Claimant,
  site: ClaimSite,
): Promise<{ readonly head: string | null } | Refusal> {
  if (!(await isLinked(site.tree))) {
    return refused(
      'worktree_gone',
      'The worktree of this attempt was deleted or replaced.',
      'End now: commits that were made in it are kept, and the bead is given out again.',
    );
  }
  const dirty = await dirtyFiles(site.tree, NAMED_FILES_MAX);
  if (site.intent.noChange !== null) return checkNoChange(site, dirty);
  if (dirty.length > 0) {
    if (site.intent.commit === null) return dirtyRefusal(dirty);
    await commitAll(request, site.tree, site.intent.commit);
  }
  const head = await resolve(site.tree.place, 'HEAD');
  if (head === null || head === site.base) return noCommits(site);
  if (!(await isAncestor(site.repo.place, site.base, head))) {
    return refused(
      'not_descendant',
      `HEAD is ${head.slice(0, 12)}, which does not contain the commit that this work began from (${site.base.slice(0, 12)}).`,
      'Put your commits on top of $GT_BASE_SHA, for example with "git rebase --onto $GT_BASE_SHA <first>~ HEAD" or "git cherry-pick", then call gt done again.',
    );
  }
  return (await bringsNothing(site, head)) ? nothingOwn(site.target.branch) : { head };
}

/** By the target as it is known here; the claim's verdict asks the origin. */
const bringsNothing = ({ repo, base, target }: ClaimSite, head: string): Promise<boolean> =>
  isOnlyTarget(repo.place, { rig: target.rig, base, head }, () => resolve(repo.place, remoteName(target.branch)));

const isTakenIn = async (site: ClaimSite, head: string): Promise<boolean> =>
  (await isAncestor(site.repo.place, site.base, head)) && bringsNothing(site, head);

async function checkNoChange(site: ClaimSite, dirty: readonly string[]): Promise<{ readonly head: null } | Refusal> {
  const head = await resolve(site.tree.place, 'HEAD');
  const isClean = dirty.length === 0 && head !== null;
  // Who took in what the target has meanwhile changed nothing.
  if (isClean && (head === site.base || (await isTakenIn(site, head)))) return { head: null };
  return refused(
    'work_exists',
    `You say that nothing needs to change, but there ${dirty.length > 0 ? `are changed files (${dirty.join(', ')})` : 'are commits on top of the base'}.`,
    'Hand them in with gt done (and --commit "<message>" for changed files), or take your changes back first.',
  );
}

function dirtyRefusal(dirty: readonly string[]): Refusal {
  return refused(
    'dirty_worktree',
    `There are changes that are not committed: ${dirty.join(', ')}${dirty.length === NAMED_FILES_MAX ? ' …' : ''}.`,
    'Hand them in with: gt done --commit "<message>". Or commit what belongs to the work yourself, remove the rest, and call gt done again.',
  );
}

async function noCommits(site: ClaimSite): Promise<Refusal> {
  const out = await git(
    site.repo.place,
    ['for-each-ref', '--format=%(refname:short)', `--contains=${site.base}`, `--no-merged=${site.base}`, 'refs/heads'],
    { ok: [0, 129] },
  );
  const branches = out.stdout
    .split('\n')
    .filter((name) => name !== '')
    .slice(0, NAMED_FILES_MAX);
  const elsewhere =
    branches.length === 0
      ? ''
      : ` There are commits on ${branches.join(', ')}: if they are yours, check that branch out and call gt done again.`;
  return refused(
    'no_commits',
    `There is no commit on top of the base, so there is nothing to hand in.${elsewhere}`,
    NO_CHANGE_OR_ON,
  );
}

const nothingOwn = (target: string): Refusal =>
  refused(
    'no_commits',
    `All that is in HEAD is on ${target} already, and none of it was made for this bead: there is nothing to hand in.`,
    NO_CHANGE_OR_ON,
  );

const NO_CHANGE_OR_ON =
  'If the work needs no change, say why: gt done --no-change "<reason>". Otherwise go on, commit, and call gt done again.';

async function commitAll(request: Claimant, tree: Worktree, message: string): Promise<void> {
  const env = authorEnvironment(request.author);
  await git(tree.place, ['add', '--all', '--', '.'], { env });
  const args = ['commit', '--quiet', '--no-verify', '--file=-', '--cleanup=whitespace'];
  await git(tree.place, args, { env, input: withTrailers(message, request) });
}

/** Adds the trailers that tie a commit to its bead and attempt, unless the writer did. */
function withTrailers(message: string, request: { readonly bead: string; readonly attempt: string }): string {
  const trailers = [
    ['Gt-Bead', request.bead],
    ['Gt-Attempt', request.attempt],
  ].filter(([name]) => !message.includes(`\n${String(name)}: `));
  const lines = trailers.map(([name, value]) => `${String(name)}: ${String(value)}\n`).join('');
  return `${message.trimEnd()}\n\n${lines}`;
}

export function refused(code: string, message: string, next: string): Refusal {
  return { state: 'refused', code, message, next };
}
