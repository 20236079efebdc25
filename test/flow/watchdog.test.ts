import { beforeEach, describe, expect, it } from 'vitest';
import { WATCHDOG_INTERVAL_MS } from '../../src/core/limits.ts';
import type { BeadId } from '../../src/core/model/ids.ts';
import { sha } from '../support/fake-runner.ts';
import { sling as slingInto } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

let town: VirtualTown;
beforeEach(async () => {
  town = new VirtualTown();
  await town.service.start([rigConfig('api'), rigConfig('web')]);
  await town.settle();
});

const sling = (): Promise<BeadId> => slingInto(town, 'one');
const health = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await town.service.health()).map((item) => [item.subject, item.state]));
const shown = async (): Promise<string[]> =>
  (await town.service.status()).attention.filter((item) => item.subject === 'runner').map((item) => item.sentence);
const asked = (): number => town.runner.calls.filter((call) => call === 'health').length;

describe('the watchdog', () => {
  it('asks nobody in an idle town', async () => {
    await town.advance(10 * WATCHDOG_INTERVAL_MS);
    expect(asked()).toBe(0);
    expect(await health()).toEqual({});
    expect(town.nextAlarmMs()).toBeNull();
  });

  it('asks the rig that has live work and the runner, and stops with the work', async () => {
    await sling();
    await town.advance(2 * WATCHDOG_INTERVAL_MS + 1);
    expect(asked()).toBe(2);
    expect(await health()).toEqual({ 'rig:api': 'ok', runner: 'ok' });
    expect((await town.service.status()).health[0]?.detail).toMatch(/^last change .* ago, \d+ waiting, 0 s late$/);

    const attempt = town.runner.running()[0]?.request.attempt ?? '';
    town.runner.done(attempt, sha(100));
    town.runner.exit(attempt);
    await town.settle();
    await town.advance(10 * WATCHDOG_INTERVAL_MS);
    expect(asked()).toBe(2);
    expect(town.nextAlarmMs()).toBeNull();
  });

  it('says down after three missed answers, shows it to people, and notices the recovery', async () => {
    await sling();
    town.runner.silent = true;
    await town.advance(WATCHDOG_INTERVAL_MS);
    expect((await health())['runner']).toBe('suspect');
    await town.advance(2 * WATCHDOG_INTERVAL_MS);
    expect((await health())['runner']).toBe('down');
    expect((await town.service.status()).runner.state).toBe('down');
    expect(await shown()).toEqual(['The runner has not answered 3 times in a row: no answer.']);
    town.runner.silent = false;
    await town.advance(WATCHDOG_INTERVAL_MS);
    expect((await health())['runner']).toBe('ok');
    expect(await shown()).toEqual([]);
  });

  it('hears of a new runner at once, without waiting for its next question', async () => {
    await sling();
    town.runner.silent = true;
    await town.advance(3 * WATCHDOG_INTERVAL_MS);
    town.runner.silent = false;
    await town.service.runnerChanged('runner-2');
    await town.settle();
    expect((await health())['runner']).toBe('ok');
    expect(await shown()).toEqual([]);
  });

  it('goes on after the town was away', async () => {
    await sling();
    town.crash();
    await town.service.start([]);
    await town.settle();
    await town.advance(WATCHDOG_INTERVAL_MS);
    expect(await health()).toMatchObject({ 'rig:api': 'ok', runner: 'ok' });
  });
});
