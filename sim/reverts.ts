import type { TownService } from '../src/actors/town-service.ts';
import type { Caller } from '../src/core/commands.ts';
import { TownError } from '../src/core/errors.ts';
import type { Job, JobResult } from '../src/core/facts.ts';
import { isConvoyEnded } from '../src/core/model/convoy.ts';
import type { ConvoyId } from '../src/core/model/ids.ts';
import type { ConvoyDetail } from '../src/core/queries.ts';
import type { Sim } from './context.ts';
import type { SimDatabase } from './faulty-sql.ts';
import { PLAIN, type GitModel } from './git-model.ts';
import { Violation } from './ledger.ts';
import type { Ask } from './people-talk.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

type RevertJob = Extract<Job, { readonly kind: 'revert' }>;

/** What each revert commit of a repository undid. */
const undone = new WeakMap<GitModel, Map<string, readonly string[]>>();

/** One commit that takes merges back; what came after them at the same places needs an agent. */
export function performRevert(repo: GitModel, job: RevertJob, target: string): JobResult {
  const earlier = repo.head(job.branch);
  if (earlier !== null) return { result: 'reverted', head: earlier };
  const lost = job.commits.find((sha) => !repo.isAncestor(sha, target));
  if (lost !== undefined) return { result: 'refused', code: 'not_on_target', message: `${lost} is gone.` };
  const odd = job.commits.find((sha) => repo.get(sha).parents.length < 2 && repo.get(sha).landed === undefined);
  if (odd !== undefined) return { result: 'refused', code: 'not_a_merge', message: `${odd} is no merge.` };
  const known = undone.get(repo) ?? new Map<string, readonly string[]>();
  undone.set(repo, known);
  const left = job.commits.filter(
    (sha) => ![...known].some(([revert, commits]) => commits.includes(sha) && repo.isAncestor(revert, target)),
  );
  if (left.length === 0) return { result: 'nothing_to_revert', message: 'the target has nothing left of it.' };
  const brought = left.map((sha) => ({
    sha,
    commits: repo.between(repo.get(sha).landed?.on ?? repo.get(sha).parents[0] ?? sha, sha),
  }));
  const own = new Set(brought.flatMap(({ commits }) => commits.map((commit) => commit.id)));
  for (const { sha, commits } of brought) {
    const later = new Set(repo.between(sha, target).flatMap((commit) => (own.has(commit.id) ? [] : commit.places)));
    const paths = commits.flatMap((commit) => commit.places).filter((place) => later.has(place));
    if (paths.length > 0) return { result: 'conflict', targetSha: target, paths, message: `${sha} can't be undone.` };
  }
  const places = [...new Set(brought.flatMap(({ commits }) => commits.flatMap((commit) => commit.places)))];
  const salt = `revert ${job.key}`;
  const made = repo.commit({ ...PLAIN, places, parents: [target], by: 'agent', bead: job.bead, salt });
  known.set(made.id, left);
  repo.branches.set(job.branch, made.id);
  return { result: 'reverted', head: made.id };
}

interface Reverting {
  readonly sim: Sim;
  readonly ask: Ask;
  readonly chance: Prng;
  readonly id: ConvoyId | undefined;
}

/** Takes a convoy back when it has ended; and asks again, which must not do it twice. */
export function revertConvoy({ sim, ask, chance, id }: Reverting, step: PersonStep, caller: Caller): void {
  if (id === undefined) return;
  const againMs = chance.between(1_000, 300_000);
  const label = `revert ${id}`;
  ask(
    label,
    (town) => askRevert(town, id, caller),
    () => {
      sim.time.after(againMs, `${label} again`, () => {
        const other = { ...caller, idempotencyKey: `${step.id}-again` };
        ask(
          label,
          (town) => askRevert(town, id, other),
          () => undefined,
        );
      });
    },
  );
}

/** A person waits for the end of a convoy and takes it back. */
async function askRevert(town: TownService, id: ConvoyId, caller: Caller): Promise<ConvoyDetail> {
  const { status } = await town.getConvoy(id);
  if (!isConvoyEnded(status))
    throw new TownError('busy', 'sim_waits', { message: `${id} has not ended`, next: 'Wait.' });
  return town.changeConvoy(id, { type: 'revert' }, caller);
}

type Rigs = ReadonlyMap<string, { readonly database: SimDatabase; readonly repo: GitModel }>;

/** At rest: what a convoy landed on a branch is taken back at most once, and nobody waits for what has ended. */
export function checkReverts(town: SimDatabase, rigs: Rigs): number {
  const rows = town.sql.all('SELECT convoy_id, rig_id, target, state, bead_id, merge_sha FROM convoy_reverts');
  for (const row of rows) {
    const { convoy_id: convoy = null, rig_id: name = null, target = null } = row;
    const rig = rigs.get(String(name));
    const what = `the revert of ${String(convoy)} on ${String(target)} of ${String(name)}`;
    if (rig === undefined) throw new Violation('L21', `${what} is in no rig`);
    const beads = rig.database.sql.all(
      `SELECT id FROM beads WHERE kind = 'revert' AND convoy_id = ? AND target_branch = ?
        AND (status NOT IN ('closed', 'failed') OR close_reason IN ('merged', 'no_change'))`,
      convoy,
      target,
    );
    if (beads.length > 1) throw new Violation('L20', `${what} was made twice`);
    if (row['state'] === 'ordered' && beads[0]?.['id'] !== row['bead_id'])
      throw new Violation('L21', `${what} waits for ${String(row['bead_id'])}, which has ended or was never made`);
    const sha = String(row['merge_sha']);
    if (row['state'] === 'reverted' && !rig.repo.isAncestor(sha, rig.repo.mustHead()))
      throw new Violation('L22', `${what} is called reverted as ${sha}, which is not on the target`);
  }
  return 3 * rows.length;
}
