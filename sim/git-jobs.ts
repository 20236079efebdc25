import type { Job, JobResult } from '../src/core/facts.ts';
import { PUSH_REFUSED } from '../src/core/rules/refused-push.ts';
import { repoOf, type Sim } from './context.ts';
import { isCursedLanding } from './fates.ts';
import { makeLists, mergedAs, mergeOnto } from './git-rounds.ts';
import { PLAIN, type Commit, type GitModel } from './git-model.ts';
import { performRevert } from './reverts.ts';
import { keyFound } from './shield.ts';

/** What a job does to git and finds there; the same answers as the real runner gives. */
export function performJob(sim: Sim, job: Job, runner: string): JobResult {
  const repo = repoOf(sim, job.repo.rig);
  if (sim.weather.hits('git_outage')) return { result: 'error', message: 'the origin does not answer' };
  const found = keyFound(sim, job);
  if (found !== null) return found;
  switch (job.kind) {
    case 'repo':
      return { result: 'repo_ready', targetSha: repo.mustHead() };
    case 'branch':
      return branch(repo, job);
    case 'verify':
      return verify(repo, job, runner);
    case 'promote':
      return promote(repo, job, runner);
    case 'merge':
      return merge(repo, job);
    case 'gates':
      return gates(sim, repo, job);
    case 'revert':
      return revert(repo, job);
    default:
      return push(sim, repo, job);
  }
}

type Of<Kind extends Job['kind']> = Extract<Job, { readonly kind: Kind }>;

const refused = (code: string): JobResult => ({ result: 'refused', code, message: `refused: ${code}` });
const NOT_HERE_YET: JobResult = { result: 'error', message: 'its runner has it' };

function verify(repo: GitModel, job: Of<'verify'>, runner: string): JobResult {
  const isHere = (repo.onlyAt.get(job.ref) ?? runner) === runner;
  const actual = isHere ? repo.refs.get(job.ref) : undefined;
  if (job.elsewhere === true && actual !== job.claimedHead) return NOT_HERE_YET;
  if (actual === undefined) return refused('ref_missing');
  if (actual !== job.claimedHead) return refused('head_moved');
  if (actual === job.base) return refused('no_commits');
  if (!repo.isAncestor(job.base, actual)) return refused('not_descendant');
  if (isOnlyTarget(repo, job, actual)) return refused('no_commits');
  return { result: 'verified', head: actual, ahead: repo.between(job.base, actual).length };
}

/** Nothing on the claim's own line is by an agent, and the target has all of it. */
function isOnlyTarget(repo: GitModel, { base, repo: { targetBranch } }: Of<'verify'>, head: string): boolean {
  const target = repo.head(targetBranch);
  if (target === null || !repo.isAncestor(head, target)) return false;
  let at: string | undefined = head;
  while (at !== undefined && !repo.isAncestor(at, base)) {
    const { by, parents }: Commit = repo.get(at);
    if (by === 'agent') return false;
    at = parents[0];
  }
  return true;
}

function promote(repo: GitModel, job: Of<'promote'>, runner: string): JobResult {
  if (!isHere(repo, job.head, runner)) return job.elsewhere === false ? refused('ref_missing') : NOT_HERE_YET;
  const actual = repo.head(job.branch);
  if (actual === job.head) return { result: 'promoted', head: job.head };
  const harmless = actual === null || repo.isAncestor(actual, job.head);
  if (actual !== job.expectedOld && !harmless) return { result: 'branch_moved', actual };
  repo.branches.set(job.branch, job.head);
  return { result: 'promoted', head: job.head };
}

/** A commit that a late ref holds is only where that was made, unless a branch has it. */
function isHere(repo: GitModel, head: string, runner: string): boolean {
  const refs = [...repo.onlyAt].filter(([ref]) => repo.refs.get(ref) === head);
  const published = [...repo.branches.values()].some((tip) => repo.isAncestor(head, tip));
  return published || refs.length === 0 || refs.some(([, owner]) => owner === runner);
}

const LOST: JobResult = { result: 'refused', code: 'branch_lost', message: 'it was rewritten and conflicts.' };

function branch(repo: GitModel, job: Of<'branch'>): JobResult {
  if (job.repo.restore === undefined && repo.head(job.repo.targetBranch) === null)
    repo.branches.set(job.repo.targetBranch, repo.head(job.from) ?? repo.mustHead());
  const head = keptHead(repo, job.repo);
  return head === null ? LOST : { result: 'branch_ready', head };
}

/** The head of a target; a branch that the town keeps is put back first, or null when that loses something. */
function keptHead(repo: GitModel, { targetBranch, restore }: Job['repo']): string | null {
  const head = repo.head(targetBranch);
  if (restore === undefined) return head ?? repo.mustHead();
  if (head !== null && repo.isAncestor(restore, head)) return head;
  if (head !== null && repo.conflicts(head, restore).length > 0) return null;
  const whole =
    head === null
      ? restore
      : repo.commit({ ...PLAIN, parents: [head, restore], by: 'refinery', bead: null, salt: 'put back' }).id;
  repo.branches.set(targetBranch, whole);
  return whole;
}

function merge(repo: GitModel, job: Of<'merge'>): JobResult {
  const targetSha = keptHead(repo, job.repo);
  if (targetSha === null) return LOST;
  const brought = mergedAs(repo, job, job, targetSha);
  if (brought !== null) return { result: 'already_merged', targetSha, ...brought };
  const paths = repo.conflicts(targetSha, job.head);
  if (paths.length > 0)
    return { result: 'conflict', targetSha, paths, message: `${String(paths.length)} files conflict` };
  const candidate = mergeOnto(repo, job, { entry: job, on: targetSha });
  repo.refs.set(`refs/gt/merging/${job.mergeRequest}`, candidate);
  return {
    result: 'candidate',
    candidate,
    tree: repo.tree(candidate),
    targetSha,
    ...(job.lists === undefined ? {} : makeLists(repo, job, targetSha)),
  };
}

function revert(repo: GitModel, job: Of<'revert'>): JobResult {
  const target = keptHead(repo, job.repo);
  return target === null ? LOST : performRevert(repo, job, target);
}

function gates(sim: Sim, repo: GitModel, job: Of<'gates'>): JobResult {
  const timedOut = sim.weather.hits('gates_timeout');
  const cursed = isCursedLanding(sim, repo, job.commit);
  const red = timedOut || cursed || repo.isRed(job.commit) || sim.weather.hits('gates_flaky');
  const name = job.gates[0]?.name ?? 'test';
  if (sim.weather.hits('gates_killed')) {
    const killed = { name, exitCode: null, timedOut: false, killedBy: 'SIGKILL', durationMs: 1_000, tail: '' };
    return { result: 'gates', green: false, runs: [killed] };
  }
  // Some failures are alike, some are not; digits are no difference.
  const tail = cursed
    ? 'red together'
    : red
      ? `red ${'abcd'.charAt(Number.parseInt(job.commit.slice(-4), 16) % 4)}`
      : '';
  const run = { name, exitCode: timedOut ? null : red ? 1 : 0, timedOut, durationMs: 1_000, tail };
  return { result: 'gates', green: !red, runs: [run] };
}

function push(sim: Sim, repo: GitModel, job: Of<'push'>): JobResult {
  if (sim.weather.hits('host_refuses')) return refused(PUSH_REFUSED);
  if (job.repo.targetBranch === repo.target && sim.weather.hits('racer'))
    outsidePush(sim, job.repo.rig, `race ${job.key} ${String(sim.time.nowMs)}`, []);
  const { targetBranch } = job.repo;
  const before = repo.head(targetBranch);
  if (before === null) return { result: 'lost_race', targetSha: null };
  const isLate = job.notAfterMs !== undefined && sim.time.wallMs > job.notAfterMs;
  if (before === job.expectedOld && isLate) return { result: 'error', message: 'it came too late' };
  if (before === job.expectedOld) {
    repo.branches.set(targetBranch, job.candidate);
    if (targetBranch === repo.target) sim.ledger.targetMoved(job.repo.rig, repo, before, job.candidate);
    else sim.landings.merged(job.repo.rig, repo, { branch: targetBranch, from: before, to: job.candidate });
  }
  const targetSha = repo.head(targetBranch) ?? before;
  if (repo.isAncestor(job.candidate, targetSha)) return { result: 'pushed', targetSha };
  return { result: 'lost_race', targetSha };
}

/** Somebody who knows nothing of the town pushes to the target. */
export function outsidePush(sim: Sim, rig: string, salt: string, places: readonly string[]): void {
  const repo = repoOf(sim, rig);
  const before = repo.mustHead();
  const made = repo.commit({ parents: [before], by: 'person', bead: null, places, bad: false, fixes: false, salt });
  repo.branches.set(repo.target, made.id);
  sim.ledger.targetMoved(rig, repo, before, made.id);
}
