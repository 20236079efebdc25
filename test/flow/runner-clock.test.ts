import { describe, expect, it } from 'vitest';
import { trusted } from '../../src/core/model/ids.ts';
import { FakeRunner } from '../support/fake-runner.ts';
import { human, MINUTE, newBead } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

/** A town whose only runner is on a machine with another time. */
async function townWithClock(behindMs: number) {
  const far = new Map<string, FakeRunner>();
  const town: VirtualTown = new VirtualTown({
    ports: (plain) => ({ ...plain, runners: { client: (id) => far.get(id) ?? null } }),
    handOver: async (local) => {
      await town.service.recordFacts(local.facts.splice(0));
      for (const [id, runner] of far) await town.service.recordFacts(runner.facts.splice(0), id);
    },
    waiting: () => [...far.values()].some((runner) => runner.facts.length > 0),
  });
  await town.service.start([rigConfig('api', { runtime: 'command', command: 'agent', wallClockMs: 24 * 60 * MINUTE })]);
  await town.service.runnerChanged('runner-1');
  await town.service.runners.drain('local', true);
  const runner = new FakeRunner(() => town.nowMs - behindMs);
  runner.takesWords = true;
  runner.instanceId = trusted.runner('rn-a');
  far.set('a', runner);
  await town.service.runners.add({ id: 'a', url: null, serial: 's' });
  await town.service.runners.seen('a', { instance: 'rn-a', capacity: 2, labels: [], versions: {} });
  await town.service.createBead(newBead('one'), human);
  await town.settle();
  return { town, runner };
}

describe('a runner on a machine with another time', () => {
  it.each([20, 130, -20])('%d min behind: who works is not nudged, and nothing is ended', async (behind) => {
    const { town, runner } = await townWithClock(behind * MINUTE);
    for (let minute = 0; minute < 40; minute += 1) {
      for (const { request } of runner.running()) runner.active(request.attempt);
      await town.advance(MINUTE);
    }
    expect(runner.words).toEqual([]);
    expect(runner.running()).toHaveLength(1);
    expect(runner.processes.size).toBe(1);
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('is told how long it has to start, by no clock', async () => {
    const { runner } = await townWithClock(20 * MINUTE);
    expect(runner.running()[0]?.request).toMatchObject({ startWithinMs: 60_000 });
  });

  it('is told to people once while it lasts', async () => {
    const { town } = await townWithClock(0);
    const hello = { instance: 'rn-a', capacity: 2, labels: [], versions: {} };
    const open = async () =>
      new Map((await town.service.listEscalations(true)).map(({ message, repeats }) => [message, repeats]));
    const troubles = { clock: 'its clock is 20m behind', facts: 'two reports were refused' };
    await town.service.runners.seen('a', { ...hello, troubles });
    await town.service.runners.seen('a', { ...hello, troubles });
    await town.service.runners.troubled('a', 'clock', troubles.clock);
    expect(await open()).toEqual(new Map(Object.values(troubles).map((text) => [text, 0])));
    await town.service.runners.troubled('a', 'facts', null);
    expect(await open()).toEqual(new Map([[troubles.clock, 0]]));
    await town.service.runners.seen('a', hello);
    await town.service.runners.troubled('nobody', 'clock', 'x');
    expect(await open()).toEqual(new Map());
  });

  it('keeps the line for the process that had it while people are told of two, until that one is down', async () => {
    const { town } = await townWithClock(0);
    const { runners } = town.service;
    const hello = { instance: 'rn-a', capacity: 2, labels: [], versions: {} };
    await runners.seen('a', hello);
    expect(await runners.keptFor('a')).toBeNull();
    await runners.troubled('a', 'twin', 'two show its token');
    await runners.away('a', 'suspect', 'the daemon started');
    expect([await runners.keptFor('a'), await runners.keptFor('nobody')]).toEqual(['rn-a', null]);
    await runners.away('a', 'down', 'three questions missed');
    expect(await runners.keptFor('a')).toBeNull();
    await runners.seen('a', { ...hello, instance: 'rn-b' });
    expect(await runners.keptFor('a')).toBeNull();
  });
});
