import { attemptRef } from '../../core/model/agent.ts';
import { trusted } from '../../core/model/ids.ts';
import type { Fact, StartAgent } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';
import { git } from '../git/git.ts';
import { isAncestor, resolve, type RigRepo, setRef } from '../git/repos.ts';
import { dirtyFiles, isLinked, type Worktree } from '../git/worktree.ts';
import { authorEnvironment } from './env.ts';
import type { DoneIntent, StoredIntent } from './intent.ts';
import type { LiveAgent } from './live.ts';

/** `recorded`: the fact is durable under this key. `refused`: nothing changed but maybe a commit that was asked for. */
export type ClaimOutcome =
  | { readonly state: 'recorded'; readonly key: string }
  | { readonly state: 'refused'; readonly code: string; readonly message: string; readonly next: string };

/** Files that a refusal names. */
const NAMED_FILES_MAX = 10;

/**
 * Checks an agent's "done" against git and records it as a fact. Made by the call and again by the exit pipeline from the
 * intent file: both come to the same fact key, so it counts once. Errors: `GitError` when the worktree is gone.
 */
export async function makeClaim(ctx: RunnerContext, live: LiveAgent, stored: StoredIntent): Promise<ClaimOutcome> {
  const row = ctx.attempts.get(live.request.attempt);
  const number = (row?.claims ?? 0) + 1;
  if (row !== null && row.intentHash === stored.hash) return { state: 'recorded', key: claimKey(live, row.claims) };
  const repo = ctx.repos.known(live.request.rig);
  const tree = ctx.pool.ownedTree(repo, live.request.attempt);
  if (tree === null || live.base === null)
    return refused(
      'no_worktree',
      'This attempt has no worktree.',
      'Nothing can be handed in; the attempt did not start.',
    );
  const checked = await check(live.request, { repo, tree, base: live.base, intent: stored.intent });
  if ('state' in checked) return checked;
  if (checked.head !== null) {
    const ref = attemptRef(trusted.bead(live.request.sourceBead), live.request.epoch);
    if (row !== null && row.intentHash !== null && (await resolve(repo.place, ref)) === checked.head) {
      ctx.attempts.claimedAgain(live.request.attempt, stored.hash);
      return { state: 'recorded', key: claimKey(live, row.claims) };
    }
    await setRef(repo, ref, checked.head);
    await ctx.pushes.push(live.request.repo, ref, ctx.timings.pushWaitMs);
  }
  const key = claimKey(live, number);
  ctx.db.tx(() => {
    ctx.attempts.claimed(live.request.attempt, stored.hash);
    ctx.facts.record(factOf(live, { key, head: checked.head, intent: stored.intent, nowMs: ctx.clock.now() }));
  });
  return { state: 'recorded', key };
}

const claimKey = (live: LiveAgent, number: number): string => `done:${live.request.attempt}:${String(number)}`;

interface Site {
  readonly repo: RigRepo;
  readonly tree: Worktree;
  readonly base: string;
  readonly intent: DoneIntent;
}

/** The head to claim, null for "nothing needs to change", or what is in the way. */
async function check(request: StartAgent, site: Site): Promise<{ readonly head: string | null } | ClaimOutcome> {
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
  return { head };
}

async function checkNoChange(site: Site, dirty: readonly string[]): Promise<{ readonly head: null } | ClaimOutcome> {
  const head = await resolve(site.tree.place, 'HEAD');
  if (dirty.length === 0 && head === site.base) return { head: null };
  return refused(
    'work_exists',
    `You say that nothing needs to change, but there ${dirty.length > 0 ? `are changed files (${dirty.join(', ')})` : 'are commits on top of the base'}.`,
    'Hand them in with gt done (and --commit "<message>" for changed files), or take your changes back first.',
  );
}

function dirtyRefusal(dirty: readonly string[]): ClaimOutcome {
  return refused(
    'dirty_worktree',
    `There are changes that are not committed: ${dirty.join(', ')}${dirty.length === NAMED_FILES_MAX ? ' …' : ''}.`,
    'Hand them in with: gt done --commit "<message>". Or commit what belongs to the work yourself, remove the rest, and call gt done again.',
  );
}

async function noCommits(site: Site): Promise<ClaimOutcome> {
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
    'If the work needs no change, say why: gt done --no-change "<reason>". Otherwise go on, commit, and call gt done again.',
  );
}

async function commitAll(request: StartAgent, tree: Worktree, message: string): Promise<void> {
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

function factOf(
  live: LiveAgent,
  what: { readonly key: string; readonly head: string | null; readonly intent: DoneIntent; readonly nowMs: number },
): Fact {
  const { rig, attempt, epoch } = live.request;
  const common = { key: what.key, rig, attempt, epoch, atMs: what.nowMs };
  if (what.head === null) return { type: 'agent_no_change', ...common, reason: what.intent.noChange ?? '' };
  return { type: 'agent_done', ...common, head: what.head, summary: what.intent.summary };
}

function refused(code: string, message: string, next: string): ClaimOutcome {
  return { state: 'refused', code, message, next };
}
