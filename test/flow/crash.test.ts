import { describe, expect, it } from 'vitest';
import type { JobResult } from '../../src/core/facts.ts';
import { MERGE_MODES, type MergeMode } from '../../src/core/model/convoy.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { defaultResult, sha, headsIn } from '../support/fake-runner.ts';
import { count, human, newBead, newConvoy, newTask, openTown } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(() => {
      resolve();
    });
  });

/** The first head of the bead "one": its gates are red. */
const FIRST = 100;
const RED: JobResult = {
  result: 'gates',
  green: false,
  runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: 'red' }],
};
/** Kills the brain once, after so many event-loop turns of the story. */
class Killer {
  readonly #town: VirtualTown;
  #left: number;
  killed = false;

  constructor(town: VirtualTown, afterTurns: number) {
    this.#town = town;
    this.#left = afterTurns;
  }

  /** Lets everything happen that is due, dying on the way if it is time. */
  async settle(): Promise<void> {
    for (let step = 0; step < 6; step += 1) {
      if (!this.killed && this.#left === 0) {
        this.killed = true;
        this.#town.crash();
        await this.#town.service.start([]);
      }
      this.#left -= 1;
      await turn();
    }
    await this.#town.settle();
  }
}

/** A client whose connection may die with the brain asks again with the same key. */
async function ask(killer: Killer, request: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 2; tries += 1) {
    request().catch(() => undefined);
    await killer.settle();
  }
}

async function tell(town: VirtualTown, killer: Killer, mergeMode: MergeMode): Promise<void> {
  const { runner } = town;
  runner.judge = (job) => (job.kind === 'gates' && headsIn(job.commit).includes(sha(FIRST)) ? RED : defaultResult(job));
  await ask(killer, () => town.service.createBead(newBead('one'), { ...human, idempotencyKey: 'one' }));
  const plan = newConvoy({ mergeMode, tasks: [newTask('api', 'a'), newTask('web', 'b', [0])] });
  await ask(killer, () => town.service.createConvoy(plan, { ...human, idempotencyKey: 'plan' }));
  for (let round = 0; runner.running().length > 0 && round < 12; round += 1) {
    for (const { request } of runner.running()) {
      const head = sha(request.kind === 'task' && request.title === 'one' ? FIRST : 200 + request.epoch);
      runner.done(request.attempt, head);
      runner.exit(request.attempt, { head });
    }
    await killer.settle();
    await town.advance(1_000);
  }
  await town.advance(31_000);
}

/** What must not depend on when the brain died. */
async function outcome(town: VirtualTown): Promise<unknown> {
  const { items } = await town.service.listBeads({ includeMergeRequests: true, limit: 100 });
  return {
    beads: items
      .map((bead) => [bead.rig, bead.type, bead.kind, bead.status, bead.closeReason, bead.failures].join(' '))
      .toSorted(),
    landings: ['api', 'web'].map((rig) => count(town, `beads WHERE kind = 'landing'`, rig)),
    convoys: (await town.service.listConvoys(10)).items.map((row) => [row.status, row.closedBeads]),
    processes: town.runner.processes.size,
    // How many come with one push depends on who was in line at that moment; each lands once.
    merges: new Set(items.flatMap((bead) => bead.evidence?.mergeSha ?? [])).size,
    landed: new Set(town.runner.pushed).size === town.runner.pushed.length,
    agents: (await town.service.listAgents()).filter((agent) => agent.status !== 'idle'),
    escalations: await town.service.listEscalations(true),
    alarm: town.nextAlarmMs(),
  };
}

async function story(
  afterTurns: number,
  mergeMode: MergeMode,
): Promise<{ readonly end: unknown; readonly killed: boolean }> {
  const town = await openTown({ api: {}, web: {} });
  const killer = new Killer(town, afterTurns);
  await tell(town, killer, mergeMode);
  return { end: await outcome(town), killed: killer.killed };
}

describe.each(MERGE_MODES)('a history with rework and a convoy over two rigs (%s)', (mergeMode) => {
  // In parts, because each history is run again from its journal after its test.
  it.each([0, 1, 2, 3])(
    'ends the same wherever the brain is killed and opened again, part %i',
    async (part) => {
      const { end } = await story(-1, mergeMode);
      expect(end).toMatchObject({
        convoys: [['landed', 2]],
        landings: mergeMode === 'review-then-land' ? [1, 1] : [0, 0],
        agents: [],
        escalations: [],
        alarm: null,
      });
      let deaths = 0;
      for (let afterTurns = part; ; afterTurns += 4) {
        const told = await story(afterTurns, mergeMode);
        if (!told.killed) break;
        deaths += 1;
        expect(told.end, `killed after ${String(afterTurns)} event-loop turns`).toEqual(end);
      }
      expect(deaths).toBeGreaterThan(7);
    },
    60_000,
  );
});

describe('a brain that dies again and again', () => {
  it('still brings one bead home, with one process and one push', async () => {
    const town = await openTown();
    await town.service.createBead(newBead('one'), human);
    for (let n = 0; n < 10; n += 1) {
      town.crash();
      await town.service.start([]);
      await turn();
    }
    await town.settle();
    const [process] = town.runner.running();
    town.runner.done(process?.request.attempt ?? '', sha(100));
    town.runner.exit(process?.request.attempt ?? '');
    for (let n = 0; n < 20; n += 1) {
      await town.service.recordFacts(town.runner.facts.splice(0)).catch(() => undefined);
      town.crash();
      await town.service.start([]);
      for (let step = 0; step < n % 5; step += 1) await turn();
    }
    await town.advance(60_000);
    expect(town.runner.processes.size).toBe(1);
    expect(new Set(town.runner.pushed).size).toBe(1);
    const agent = await town.service.findAgent('nux');
    expect(agent).toMatchObject({ status: 'idle', rig: trusted.rig('api') });
  });
});
