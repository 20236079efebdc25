import type { Job, JobResult, MadeList, Rider } from '../src/core/facts.ts';
import type { LeftOut } from '../src/core/model/merge-answer.ts';
import type { Brought } from '../src/core/model/outside.ts';
import { PLAIN, type GitModel } from './git-model.ts';

type MergeJob = Extract<Job, { readonly kind: 'merge' }>;
type Entry = Pick<Rider, 'head' | 'message' | 'earlierCandidate'>;
type Candidates = Extract<JobResult, { readonly result: 'candidate' }>;

/** The commit of one entry on what is below it, in the style of its rig; the same order makes the same commit. */
export function mergeOnto(
  repo: GitModel,
  job: MergeJob,
  { entry, on }: { readonly entry: Entry; readonly on: string },
): string {
  const { style = 'merge' } = job;
  const second = Math.floor(job.dateMs / 1_000);
  const salt = `${entry.message} ${job.author.name} ${String(second)}`;
  const bead = /Gt-Bead: (\S+)/.exec(entry.message)?.[1] ?? null;
  if (style === 'merge') return repo.commit({ ...PLAIN, parents: [on, entry.head], by: 'refinery', bead, salt }).id;
  const own = repo.between(on, entry.head);
  const places = [...new Set(own.flatMap((commit) => commit.places))];
  const bad = own.some((commit) => commit.bad && !own.some((one) => one.fixes && repo.isAncestor(commit.id, one.id)));
  const fixes = !bad && own.some((commit) => commit.fixes);
  const landed = { head: entry.head, on };
  // Of a rebased branch only the last commit stands for it.
  const first = repo.commit({ ...PLAIN, parents: [on], by: 'refinery', bead: null, salt: `${salt} 1/2` }).id;
  const parents = [style === 'rebase' ? first : on];
  return repo.commit({ places, bad, fixes, parents, by: 'refinery', bead, landed, salt: `${salt} ${style}` }).id;
}

export function mergedAs(repo: GitModel, job: MergeJob, entry: Entry, targetSha: string): Brought | null {
  const earlier = entry.earlierCandidate;
  if (earlier !== null && repo.isAncestor(earlier, targetSha)) return { mergeSha: earlier };
  if (repo.isAncestor(entry.head, targetSha)) return broughtBy(repo, entry.head, targetSha);
  if ((job.style ?? 'merge') === 'merge') return null;
  const landed = repo.between(entry.head, targetSha).find((commit) => commit.landed?.head === entry.head);
  return landed === undefined ? null : { mergeSha: landed.id };
}

/** The first commit on the target's first-parent line that contains the head. */
function broughtBy(repo: GitModel, head: string, target: string): Brought {
  let found = head;
  let at: string | undefined = target;
  while (at !== undefined && repo.isAncestor(head, at)) {
    found = at;
    at = repo.get(at).parents[0];
  }
  const { by } = repo.get(found);
  if (by === 'refinery') return { mergeSha: found };
  return { mergeSha: found, outside: found === head || by === repo.get(head).by ? 'pushed' : 'by_hand' };
}

/** What the real runner makes of the lists of a round. */
export function makeLists(
  repo: GitModel,
  job: MergeJob,
  targetSha: string,
): Pick<Candidates, 'targetTree' | 'made' | 'leftOut'> {
  const all = [job, ...(job.riders ?? [])];
  const leftOut = new Map<string, LeftOut>();
  for (const entry of job.riders ?? []) {
    const why = outsideOf(repo, job, entry, targetSha);
    if (why !== null) leftOut.set(entry.mergeRequest, why);
  }
  const made = (job.lists ?? []).flatMap((places, list): MadeList[] => {
    const entries = makeList(repo, job, { riders: places.flatMap((place) => all[place] ?? []), targetSha, leftOut });
    return entries.length > 0 || places.length === 0 ? [{ list, entries }] : [];
  });
  return { targetTree: repo.tree(targetSha), made, leftOut: [...leftOut.values()] };
}

function makeList(
  repo: GitModel,
  job: MergeJob,
  {
    riders,
    targetSha,
    leftOut,
  }: { readonly riders: readonly Rider[]; readonly targetSha: string; readonly leftOut: Map<string, LeftOut> },
): MadeList['entries'] {
  const entries: MadeList['entries'][number][] = [];
  let on = targetSha;
  for (const entry of riders) {
    const { mergeRequest } = entry;
    const why = leftOut.get(mergeRequest)?.why;
    if (why === 'merged' || why === 'conflict') continue;
    const paths = repo.conflicts(on, entry.head);
    if (paths.length > 0) {
      leftOut.set(mergeRequest, { mergeRequest, why: 'behind', paths });
      continue;
    }
    on = mergeOnto(repo, job, { entry, on });
    entries.push({ mergeRequest, candidate: on, tree: repo.tree(on) });
  }
  return entries;
}

function outsideOf(repo: GitModel, job: MergeJob, entry: Rider, targetSha: string): LeftOut | null {
  const { mergeRequest } = entry;
  const brought = mergedAs(repo, job, entry, targetSha);
  if (brought !== null) return { mergeRequest, why: 'merged', ...brought };
  const paths = repo.conflicts(targetSha, entry.head);
  return paths.length === 0
    ? null
    : { mergeRequest, why: 'conflict', paths, message: `${String(paths.length)} files conflict` };
}
