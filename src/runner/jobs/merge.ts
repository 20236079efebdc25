import type { Job, JobResult } from '../../api/contract/runner.ts';
import type { Rider } from '../../core/facts.ts';
import { mergingRef } from '../../core/model/agent.ts';
import { trusted } from '../../core/model/ids.ts';
import type { RunnerContext } from '../context.ts';
import { fetchKeptAnd } from '../git/keep-branch.ts';
import { type RigRepo, writeRef } from '../git/repos.ts';
import { CONFLICT_PATHS_MAX } from '../limits.ts';
import { pathSegment } from '../paths.ts';
import { orRefused } from './branch.ts';
import { candidateOn, candidateOnTarget, type Made, type Target } from './candidate.ts';
import { formerTips, revivedBy } from './former-tips.ts';
import { requireCommit } from './repo-jobs.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;
type Candidates = Extract<JobResult, { result: 'candidate' }>;
type MadeList = NonNullable<Candidates['made']>[number];
type LeftOut = NonNullable<Candidates['leftOut']>[number];
interface RoundMade {
  readonly targetTree: string;
  readonly made: MadeList[];
  readonly leftOut: LeftOut[];
}

/** Merges in the object database, without a checkout; dates and author are fixed, so that a repeat makes the same commits. */
export function runMerge(ctx: RunnerContext, job: MergeJob): Promise<JobResult> {
  pathSegment(job.mergeRequest, 'a merge request');
  for (const rider of job.riders ?? []) pathSegment(rider.mergeRequest, 'a merge request');
  return orRefused(() => merge(ctx, job));
}

async function merge(ctx: RunnerContext, job: MergeJob): Promise<JobResult> {
  const heads = [job.head, ...(job.riders ?? []).map((rider) => rider.head)];
  const { target, commits } = await fetchKeptAnd(ctx.repos, job.repo, heads);
  const targetSha = target.sha;
  const here = new Set(commits);
  const repo = here.has(job.head) ? ctx.repos.known(job.repo.rig) : await requireCommit(ctx, job.repo, job.head);
  const former = await formerTips(repo, job, targetSha);
  if ('result' in former) return former;
  const made = await candidateOnTarget(repo, { job, entry: job, target });
  if ('mergeSha' in made) return { result: 'already_merged', targetSha, ...made };
  if ('error' in made) return { result: 'error', message: made.error };
  const revived = await revivedBy(repo, { entry: job, targetSha, left: former.left });
  if (revived !== null) return { result: 'revives', targetSha, ...revived };
  if ('paths' in made) return { result: 'conflict', targetSha, ...cut(made) };
  const { candidate, tree } = made;
  if (job.lists === undefined) {
    await keep(ctx, repo, { job, ref: mergingRef(trusted.bead(job.mergeRequest)), sha: candidate });
    return { result: 'candidate', candidate, tree, targetSha };
  }
  const round = new RoundMaker(ctx, repo, { job, target, here, leader: made, left: former.left });
  return { result: 'candidate', candidate, tree, targetSha, ...(await round.make(job.lists)) };
}

const cut = ({ paths, message }: Readonly<{ paths: readonly string[]; message: string }>) => ({
  paths: paths.slice(0, CONFLICT_PATHS_MAX),
  message,
});

async function keep(
  ctx: RunnerContext,
  repo: RigRepo,
  { job, ref, sha }: { readonly job: MergeJob; readonly ref: string; readonly sha: string },
): Promise<void> {
  await writeRef(repo, ref, sha);
  await ctx.pushes.push(job.repo, ref, ctx.timings.pushWaitMs);
}

/** The lists of one round: what two of them have in common at their front is merged once. */
class RoundMaker {
  readonly #ctx: RunnerContext;
  readonly #repo: RigRepo;
  readonly #job: MergeJob;
  readonly #target: Target;
  /** Commits that this clone has. */
  readonly #here: ReadonlySet<string | null>;
  /** Tips that rewrites of the target left behind. */
  readonly #left: readonly string[];
  readonly #entries: readonly Rider[];
  readonly #leftOut = new Map<string, LeftOut>();
  /** By the commit that it is merged onto and its place. */
  readonly #made = new Map<string, Made>();
  readonly #looked = new Set<number>([0]);

  constructor(
    ctx: RunnerContext,
    repo: RigRepo,
    round: {
      readonly job: MergeJob;
      readonly target: Target;
      readonly here: ReadonlySet<string | null>;
      readonly leader: Made;
      readonly left: readonly string[];
    },
  ) {
    this.#ctx = ctx;
    this.#repo = repo;
    this.#job = round.job;
    this.#target = round.target;
    this.#here = round.here;
    this.#left = round.left;
    this.#entries = [round.job, ...(round.job.riders ?? [])];
    this.#made.set(`${round.target.sha} 0`, round.leader);
  }

  async make(lists: readonly (readonly number[])[]): Promise<RoundMade> {
    const made: MadeList[] = [];
    for (const [list, places] of lists.entries()) {
      const entries = await this.#list(places);
      // A list whose entries all fell out says nothing; the empty one is the target, and is meant.
      if (entries.length === 0 && places.length > 0) continue;
      made.push({ list, entries });
      const tip = entries.at(-1);
      if (tip !== undefined) {
        const ref = `${mergingRef(trusted.bead(this.#job.mergeRequest))}${made.length === 1 ? '' : `.${String(list)}`}`;
        await keep(this.#ctx, this.#repo, { job: this.#job, ref, sha: tip.candidate });
      }
    }
    return { targetTree: this.#target.tree, made, leftOut: [...this.#leftOut.values()] };
  }

  async #list(places: readonly number[]): Promise<MadeList['entries']> {
    const entries: MadeList['entries'][number][] = [];
    let on = this.#target.sha;
    for (const place of places) {
      const made = await this.#entry(place, on);
      if (made === null) continue;
      entries.push({ mergeRequest: this.#entries[place]?.mergeRequest ?? '', ...made });
      on = made.candidate;
    }
    return entries;
  }

  /** Null: it can't be merged onto this commit; why is in `leftOut`. */
  async #entry(place: number, on: string): Promise<Made | null> {
    const known = this.#made.get(`${on} ${String(place)}`);
    if (known !== undefined) return known;
    const entry = this.#entries[place];
    if (entry === undefined || !(await this.#isMergeable(place))) return null;
    const made = await candidateOn(this.#repo, { job: this.#job, entry, on });
    if ('error' in made) throw new Error(made.error);
    if ('candidate' in made) {
      this.#made.set(`${on} ${String(place)}`, made);
      return made;
    }
    const { mergeRequest } = entry;
    const paths = 'paths' in made ? cut(made).paths : [];
    if (!this.#leftOut.has(mergeRequest)) this.#leftOut.set(mergeRequest, { mergeRequest, why: 'behind', paths });
    return null;
  }

  /** What is merged already, or conflicts with the target itself, has no place in any list. */
  async #isMergeable(place: number): Promise<boolean> {
    const entry = this.#entries[place];
    if (entry === undefined) return false;
    const { mergeRequest } = entry;
    if (this.#looked.has(place)) {
      const why = this.#leftOut.get(mergeRequest)?.why;
      return why === undefined || why === 'behind';
    }
    this.#looked.add(place);
    if (!this.#here.has(entry.head)) await requireCommit(this.#ctx, this.#job.repo, entry.head);
    const made = await candidateOnTarget(this.#repo, { job: this.#job, entry, target: this.#target });
    if ('mergeSha' in made) this.#leftOut.set(mergeRequest, { mergeRequest, why: 'merged', ...made });
    if ('error' in made) throw new Error(made.error);
    const revived = await revivedBy(this.#repo, { entry, targetSha: this.#target.sha, left: this.#left });
    if (revived !== null && !('mergeSha' in made)) {
      this.#leftOut.set(mergeRequest, { mergeRequest, why: 'revives', ...revived });
      return false;
    }
    if ('paths' in made) this.#leftOut.set(mergeRequest, { mergeRequest, why: 'conflict', ...cut(made) });
    if ('candidate' in made) this.#made.set(`${this.#target.sha} ${String(place)}`, made);
    return 'candidate' in made;
  }
}
