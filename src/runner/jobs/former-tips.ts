import type { Job } from '../../api/contract/runner.ts';
import type { Rider } from '../../core/facts.ts';
import type { Revived, TargetRewrite } from '../../core/model/merge-answer.ts';
import { git, gitLine } from '../git/git.ts';
import { checkRef } from '../git/names.ts';
import { resolve, type RigRepo, writeRef } from '../git/repos.ts';
import { REWRITE_LOOKED_AT_MAX } from '../limits.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;
type Rewritten = Extract<TargetRewrite, { result: 'rewritten' }>;
type Found = Omit<Revived, 'also'> & { readonly also?: string[] };

/** Tips that the target does not contain any more; or that it was rewritten since it was seen last. Errors: `GitError`. */
export async function formerTips(
  repo: RigRepo,
  job: MergeJob,
  targetSha: string,
): Promise<Rewritten | { readonly left: readonly string[] }> {
  const [seen, ...former] = job.formerTips ?? [];
  if (seen !== undefined && !(await isIn(repo, seen, targetSha))) return rewritten(repo, seen, targetSha);
  const left: string[] = [];
  for (const tip of former) if (!(await isIn(repo, tip, targetSha))) left.push(tip);
  return { left };
}

/** False also for a commit that is not here: all that the target contains was fetched. Where nobody else pushed, git is not asked. */
const isIn = async (repo: RigRepo, tip: string, targetSha: string): Promise<boolean> =>
  tip === targetSha ||
  (await git(repo.place, ['merge-base', '--is-ancestor', tip, targetSha], { ok: [0, 1, 128] })).code === 0;

async function rewritten(repo: RigRepo, from: string, targetSha: string): Promise<Rewritten> {
  if ((await resolve(repo.place, from)) === null)
    return { result: 'rewritten', from, targetSha, commits: null, merged: null };
  // What the origin forgot is needed here to know what a branch would bring back.
  await writeRef(repo, checkRef(`refs/gt/former/${from}`), from);
  const commits = Number(await gitLine(repo.place, ['rev-list', '--count', from, '--not', targetSha]));
  const there = await mergedIn(repo, targetSha, from);
  const merged = [...(await mergedIn(repo, from, targetSha))].filter((name) => !there.has(name)).length;
  return { result: 'rewritten', from, targetSha, commits, merged };
}

/** Merge requests that commits of one tip name and that are not in another: rewritten commits keep their words. */
async function mergedIn(repo: RigRepo, tip: string, without: string): Promise<ReadonlySet<string>> {
  const format = '--format=%(trailers:key=Gt-Merge-Request,valueonly)';
  const limit = `--max-count=${String(REWRITE_LOOKED_AT_MAX)}`;
  const found = await gitLine(repo.place, ['log', format, limit, tip, '--not', without, '--']);
  return new Set(found.split('\n').filter((line) => line !== ''));
}

/**
 * What an entry would bring back: it has commits in common with tips that were left behind which the target does not have.
 * Not asked of the tips that a person allowed it. Errors: `GitError`.
 */
export async function revivedBy(
  repo: RigRepo,
  of: {
    readonly entry: Pick<Rider, 'head' | 'mayRevive' | 'mayReviveAlso'>;
    readonly targetSha: string;
    readonly left: readonly string[];
  },
): Promise<Found | null> {
  const { mayRevive, mayReviveAlso = [] } = of.entry;
  const found: string[] = [];
  const back: string[] = [];
  for (const from of of.left.filter((tip) => tip !== mayRevive && !mayReviveAlso.includes(tip))) {
    const shared = await git(repo.place, ['merge-base', '--all', of.entry.head, from], { ok: [0, 1, 128] });
    const bases = shared.code === 0 ? shared.stdout.split('\n').filter((line) => line !== '') : [];
    if (bases.length === 0) continue;
    if ((await countOf(repo, bases, of.targetSha)) === 0) continue;
    found.push(from);
    back.push(...bases);
  }
  // One question for all of them: people answer it once.
  const [from, ...also] = found;
  if (from === undefined) return null;
  return { from, commits: await countOf(repo, back, of.targetSha), ...(also.length === 0 ? {} : { also }) };
}

const countOf = async (repo: RigRepo, tips: readonly string[], without: string): Promise<number> =>
  Number(await gitLine(repo.place, ['rev-list', '--count', ...tips, '--not', without]));
