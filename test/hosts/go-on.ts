/** A town that was moved works on, on whichever host: every bead comes to an end, and nobody works on one twice. */
import { sha } from '../support/fake-runner.ts';
import type { TownBench } from './bench.ts';
import { newBead, person } from './words.ts';

/** Longer than a takeover and the longest wait after a failure. */
const STEP_MS = 400_000;
const ROUNDS_MAX = 60;

export interface WentOn {
  /** Status of every bead that is no merge request, by its id. */
  readonly beads: Readonly<Record<string, string>>;
  readonly convoys: readonly string[];
  /** Beads for which two processes ran at the same time. */
  readonly doubled: readonly string[];
}

/** Ends each process that runs until none is left; people release what waits for them. */
export async function goOn(bench: TownBench): Promise<WentOn> {
  const doubled = new Set<string>();
  await bench.gateway.createBead(newBead('after the move'), person('after the move'));
  let heads = 0x7000;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await bench.advance(STEP_MS / 8);
    const running = bench.runner.running();
    const beads = running.map(({ request }) => request.bead);
    for (const bead of beads) if (beads.filter((one) => one === bead).length > 1) doubled.add(bead);
    for (const { request } of running) {
      const head = sha((heads += 1));
      bench.runner.done(request.attempt, head);
      bench.runner.exit(request.attempt, { head });
    }
    await bench.settle();
    if (!(await helpOn(bench)) && running.length === 0 && round > 10) break;
  }
  await bench.advance(STEP_MS);
  const convoys = await bench.gateway.listConvoys(100);
  return {
    beads: await endsOf(bench),
    convoys: convoys.items.map((convoy) => convoy.status).toSorted(),
    doubled: [...doubled],
  };
}

/** One whose blocker failed waits for a person by design, and so does what waits for that one. */
async function endsOf(bench: TownBench): Promise<Readonly<Record<string, string>>> {
  const all = await beadsOf(bench);
  const blocked = new Set<string>(all.filter((bead) => bead.failedBlockers > 0).map(({ id }) => id));
  for (let before = -1; before !== blocked.size;) {
    before = blocked.size;
    for (const { id, openBlockers } of all) {
      if (openBlockers === 0 || blocked.has(id)) continue;
      const { blockers } = await bench.gateway.getBead(id);
      if (blockers.some(({ state, blockerRef }) => state === 'open' && blocked.has(blockerRef))) blocked.add(id);
    }
  }
  return Object.fromEntries(all.map(({ id, status }) => [id, blocked.has(id) ? 'blocked by failure' : status]));
}

async function beadsOf(bench: TownBench) {
  const { items } = await bench.gateway.listBeads({ limit: 1_000, includeMergeRequests: false });
  return items.filter((bead) => bead.type !== 'merge_request');
}

/** What waits for a person gets one; true when somebody did something. */
async function helpOn(bench: TownBench): Promise<boolean> {
  let helped = false;
  for (const bead of await beadsOf(bench)) {
    if (bead.status !== 'open' || bead.hold === null || bead.hold === 'parked') continue;
    const type = bead.hold === 'needs_human' ? 'retry' : 'release';
    helped = true;
    const asked =
      bead.hold === 'staged'
        ? bench.gateway.beadCommand(
            { type: 'sling', sling: { bead: bead.id, runtime: null, model: null, pinnedAgent: null } },
            person(),
          )
        : bench.gateway.beadCommand({ type, bead: bead.id }, person());
    await asked.catch(() => undefined);
  }
  return helped;
}
