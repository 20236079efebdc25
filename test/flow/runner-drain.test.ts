import { describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '../../src/api/contract/protocol.ts';
import { recordMet } from '../../src/api/lines/runner-line.ts';
import { WireRunnerClient } from '../../src/api/lines/wire-runner-client.ts';
import { MINUTE } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const health = (draining: boolean) => ({
  instance: 'rn-a',
  pid: 1,
  town: 't',
  startedAtMs: 1,
  draining,
  live: [],
  jobsRunning: 0,
  freeDiskBytes: null,
  freeMemoryBytes: 1,
  versions: {},
  protocol: PROTOCOL_VERSION,
  capacity: null,
  labels: [],
  nowMs: null,
  refusedFacts: null,
});

describe('a runner that is drained while it is away', () => {
  it('is told what is left of its grace when it is met again', async () => {
    const town = new VirtualTown();
    await town.service.start([rigConfig('api')]);
    const { runners } = town.service;
    await runners.add({ id: 'a', url: null, serial: 's' });
    const told: string[] = [];
    const client = new WireRunnerClient(
      ({ path, body }) => {
        told.push(`${path} ${body ?? ''}`);
        return Promise.resolve({ status: 200, type: '', body: JSON.stringify(health(true)), next: null });
      },
      () => null,
    );
    const meet = (draining: boolean): Promise<boolean> =>
      recordMet(runners, 'a', { client, health: health(draining), troubles: {}, nowMs: town.nowMs });
    await runners.drain('a', true, { graceMs: 10 * MINUTE });
    await town.advance(4 * MINUTE);
    expect(await meet(false)).toBe(true);
    // It drains already, and may have missed that its grace was given since.
    await meet(true);
    await town.advance(20 * MINUTE);
    await meet(false);
    await runners.drain('a', true);
    await meet(false);
    await runners.drain('a', false);
    await meet(true);
    expect(told).toEqual([
      `/drain {"graceMs":${String(6 * MINUTE)}}`,
      `/drain {"graceMs":${String(6 * MINUTE)}}`,
      '/drain {"graceMs":0}',
      '/drain {}',
      '/undrain {}',
    ]);
  });
});
