/** What fails is what stops: a runtime without its program, a machine that is broken; everything else goes on. */
import { expect, it } from 'vitest';
import { BREAKER_PROOF_MS, BREAKER_TOLD_AFTER_MS } from '../../src/core/limits.ts';
import type { VirtualTown } from '../support/virtual-town.ts';
import { count, finish, HOUR, human, MINUTE, openTown, show, sling } from '../support/town-story.ts';

/** Half a virtual day with a resync every half minute takes this long on a busy machine. */
const STORY_MS = 60_000;

/** From now on the program of the runtime "command" is not there; the function says how often it was tried. */
function loseProgram(town: VirtualTown): { tries: number; isBack: boolean } {
  const spawn = town.runner.spawn.bind(town.runner);
  const state = { tries: 0, isBack: false };
  town.runner.spawn = (attempt) => {
    if (town.runner.processes.get(attempt)?.request.runtime !== 'command' || state.isBack) {
      spawn(attempt);
      return;
    }
    state.tries += 1;
    const lastLine = 'The program "agent" could not be started (ENOENT).';
    town.runner.exit(attempt, { cause: 'spawn_failed', exitCode: null, lastLine, failed: 'program' });
  };
  return state;
}

it(
  'the program of one runtime is missing for half a day: its beads wait uncharged, others run, one escalation, ends by itself (T11)',
  async () => {
    const town = await openTown({ api: { command: 'agent --print' } });
    const program = loseProgram(town);
    const waiting = [];
    for (const title of ['one', 'two', 'three', 'four', 'five', 'six'])
      waiting.push(await sling(town, title, { runtime: 'command' }));
    const script = await sling(town, 'behind them', { priority: 'low' });
    expect(town.runner.running().map((process) => process.request.bead)).toEqual([script]);
    expect((await town.service.listRigs())[0]).toMatchObject({ status: 'ready', liveAttempts: 1 });
    for (const id of waiting) {
      const why = await town.service.why(id);
      expect(why.sentence).toBe(
        'Ready, but dispatch of the runtime command is stopped after 3 infrastructure failures: No process could be started: The program "agent" could not be started (ENOENT).',
      );
      expect(why.wakeAtMs).toBeGreaterThan(town.nowMs);
    }
    await town.advance(BREAKER_TOLD_AFTER_MS + MINUTE);
    const sentence =
      'No agent can be started with the runtime command in api after 8 failures: No process could be started: The program "agent" could not be started (ENOENT).';
    const [item, ...more] = await town.service.attention();
    expect(more).toEqual([]);
    expect(item).toMatchObject({ kind: 'rig', subject: 'rig:api', severity: 'medium', command: 'gt doctor' });
    expect(item?.sentence.replace(/after \d+/, 'after 8')).toBe(sentence);
    await finish(town, script);
    await town.advance(12 * HOUR);
    expect(await town.service.listEscalations(true)).toMatchObject([
      { causeKey: 'breaker:api:runtime:command', category: 'infrastructure' },
    ]);
    // One probe per ten minutes at most, after the first hour.
    expect(program.tries).toBeLessThan(13 * 6 + 20);
    expect(program.tries).toBeGreaterThan(10 * 5);
    for (const id of waiting)
      expect(await show(town, id)).toMatchObject({ status: 'open', hold: null, failures: 0, startFailures: 0 });
    program.isBack = true;
    await town.advance(10 * MINUTE + BREAKER_PROOF_MS + MINUTE);
    expect(town.runner.running()).toHaveLength(4);
    expect(await town.service.listEscalations(true)).toEqual([]);
    expect(count(town, 'breakers')).toBe(0);
  },
  STORY_MS,
);

it('a person has it tried at once (T11)', async () => {
  const town = await openTown({ api: { command: 'agent --print' } });
  const program = loseProgram(town);
  const id = await sling(town, 'one', { runtime: 'command' });
  await town.advance(2 * HOUR);
  expect(await town.service.listEscalations(true)).toHaveLength(1);
  program.isBack = true;
  await town.service.beadCommand({ type: 'retry', bead: id }, human);
  await town.settle();
  expect(town.runner.running().map((process) => process.request.bead)).toEqual([id]);
  expect(await town.service.listEscalations(true)).toEqual([]);
});

it(
  'a person says that it is mended: every breaker of the rig closes at once, without a bead to try (T11)',
  async () => {
    const town = await openTown({ api: { command: 'agent --print' } });
    const program = loseProgram(town);
    const id = await sling(town, 'one', { runtime: 'command' });
    await town.advance(HOUR);
    expect(await town.service.listEscalations(true)).toHaveLength(1);
    program.isBack = true;
    const tries = program.tries;
    await town.advance(1_000);
    expect(program.tries).toBe(tries);
    expect(town.runner.running()).toEqual([]);
    expect(
      await town.service.rigCommand((await town.service.listRigs())[0]?.id ?? fail(), { type: 'retry' }, human),
    ).toMatchObject({
      id: 'api',
    });
    await town.settle();
    expect(town.runner.running().map((process) => process.request.bead)).toEqual([id]);
    expect(await town.service.listEscalations(true)).toEqual([]);
  },
  STORY_MS,
);

function fail(): never {
  throw new Error('there is no rig');
}
