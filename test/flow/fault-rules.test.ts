/** Rules that hold in every fault: marks end by themselves, cleaning up is never put off, a pause is no end. */
import { expect, it } from 'vitest';
import { BREAKER_PROOF_MS, GUPP_NUDGE_AFTER_MS } from '../../src/core/limits.ts';
import { rigConfig, type VirtualTown } from '../support/virtual-town.ts';
import { count, human, MINUTE, openTown, processOf, show, sling } from '../support/town-story.ts';

/** Three starts that failed in a row: nothing more is started but one probe at a time. */
async function openBreaker(town: VirtualTown): Promise<void> {
  const id = await sling(town, 'fails to start');
  for (let n = 0; n < 3; n += 1) {
    town.runner.exit(processOf(town, id).request.attempt, { cause: 'spawn_failed', exitCode: null });
    await town.settle();
  }
}

const rigStatus = async (town: VirtualTown): Promise<string | undefined> => (await town.service.listRigs())[0]?.status;

it('a breaker is no mark for ever: it probes by itself until something starts (R2)', async () => {
  const town = await openTown();
  await openBreaker(town);
  expect(await rigStatus(town)).toBe('breaker_open');
  expect(town.runner.running()).toEqual([]);
  await town.advance(20_000);
  expect(town.runner.running()).toHaveLength(1);
});

it('a rig that was taken for broken is well again while its process runs, without any end or command (T12)', async () => {
  const town = await openTown();
  await openBreaker(town);
  await town.advance(20_000);
  const [probe] = town.runner.running();
  expect(probe).toBeDefined();
  await town.advance(BREAKER_PROOF_MS + 1_000);
  expect(town.runner.running()).toHaveLength(1);
  expect(await rigStatus(town)).toBe('ready');
});

it('what has ended is stopped and its slot freed although the breaker is open and the rig is parked (R3)', async () => {
  const town = await openTown();
  const working = await sling(town, 'works');
  const { attempt } = processOf(town, working).request;
  await openBreaker(town);
  expect(await rigStatus(town)).toBe('breaker_open');
  await town.service.configure([rigConfig('api', { parked: true })]);
  await town.service.beadCommand({ type: 'close', bead: working, reason: 'cancelled', note: '' }, human);
  await town.advance(MINUTE);
  expect(town.runner.running().map((process) => process.request.attempt)).not.toContain(attempt);
  expect(count(town, `attempts WHERE id = '${attempt}' AND process_gone = 0`)).toBe(0);
});

it('an agent that says nothing between two steps is neither stopped nor replaced (T08)', async () => {
  const town = await openTown();
  const id = await sling(town, 'one');
  const { attempt } = processOf(town, id).request;
  await town.advance(GUPP_NUDGE_AFTER_MS - MINUTE);
  expect(town.runner.running().map((process) => process.request.attempt)).toEqual([attempt]);
  expect(await show(town, id)).toMatchObject({ status: 'in_progress', attempts: 1, failures: 0 });
});
