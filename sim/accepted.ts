import type { SqlRow } from '../src/ports/sql.ts';
import type { Brain } from './brain.ts';
import { repoOf, type Sim } from './context.ts';
import type { GitModel } from './git-model.ts';

/** Throws when what must hold does not; see `Rest`. */
export type Must = (holds: boolean, code: string, sentence: () => string) => void;

interface World {
  readonly sim: Sim;
  readonly brain: Brain;
  readonly bead: (id: string) => SqlRow | null;
  readonly must: Must;
}

interface Work {
  readonly rig: string;
  readonly lineage: string;
  /** What an agent was told to be accepted. */
  readonly head: string;
}

/** Whether a commit is there and has the work of another. */
export const holds = (repo: GitModel, holder: string | null, head: string): boolean =>
  holder !== null && repo.find(holder) !== null && repo.brings(head, holder);

/** The commit that a bead says its work was merged as. */
export function mergeShaOf(row: SqlRow): string | null {
  const evidence: unknown = JSON.parse(String(row['evidence']));
  if (typeof evidence !== 'object' || evidence === null || !('mergeSha' in evidence)) return null;
  return typeof evidence.mergeSha === 'string' ? evidence.mergeSha : null;
}

/** R6: work that an agent was told is accepted is in the review or on the target. */
export function checkAccepted(world: World): void {
  for (const work of world.sim.ledger.accepted) checkWork(world, work);
}

function checkWork(world: World, work: Work): void {
  const { rig, lineage, head } = work;
  const { sim, brain, must } = world;
  const repo = repoOf(sim, rig);
  const bead = world.bead(lineage);
  const review = brain.databases
    .get(`rig/${rig}`)
    ?.sql.all('SELECT head_sha FROM reviews WHERE source_bead_id = ?', lineage)[0];
  const proposed = String(review?.['head_sha']);
  const reason = String(bead?.['close_reason']);
  if (reason === 'cancelled') didNotLand(world, lineage);
  if (reason === 'cancelled' || reason === 'no_change') return;
  if (reason === 'merged') notEmpty(world, work, proposed);
  // What somebody took from the branch is theirs once the town goes on with what they left; not before.
  if (sim.ledger.discarded.has(lineage) && !holds(repo, proposed, head)) return;
  const holder = reason === 'merged' && bead !== null ? mergeShaOf(bead) : proposed;
  must(
    holds(repo, holder, head),
    'L6',
    () =>
      `${head} of ${lineage} was accepted, but it is not in ${String(holder)} (${String(bead?.['status'])}, ${reason})`,
  );
}

function didNotLand({ sim, must }: World, lineage: string): void {
  const landed = sim.ledger.landedAs(lineage);
  must(landed === null, 'L6', () => `${lineage} is cancelled, but its work landed as ${String(landed)}`);
  // A forge that shows what was is believed about a merge, as about all else.
  const isMerged = sim.ledger.mergedForUs.has(lineage) && !sim.weather.isAbout('forge_stale');
  must(!isMerged, 'L6', () => `${lineage} is cancelled, but its forge was asked to merge it and did`);
}

/** A branch on which somebody put the target's own commit is no merge of the work that was on it, unless a host said so. */
function notEmpty({ sim, brain, must }: World, { rig, lineage, head }: Work, proposed: string): void {
  const repo = repoOf(sim, rig);
  if (sim.ledger.emptied.get(lineage) !== proposed || brain.forge?.hasMerged(`gt/${lineage}`) === true) return;
  must(
    repo.brings(head, repo.mustHead()),
    'L24',
    () => `${lineage} is called merged, but somebody had emptied its branch, and ${head} is not on the target`,
  );
}
