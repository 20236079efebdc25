/** Where the mayor's sessions run, in a town with several runners. */
import { describe, expect, it } from 'vitest';
import { TAKEOVER_AFTER_MS } from '../../src/core/limits.ts';
import { human, MINUTE } from '../support/town-story.ts';
import { openTwo } from '../support/two-runners.ts';

const CONFIG = {
  runtime: 'command',
  model: null,
  command: 'mayor',
  wallClockMs: 1_800_000,
  ownerEmail: 'owner@example.org',
} as const;

async function townWithMayor() {
  const { town, at, others } = await openTwo();
  await town.service.configureMayor(CONFIG);
  await town.service.mayor.message('one', human);
  await town.settle();
  const sessions = (id: string) =>
    [...at(id).processes.values()].filter((process) => process.request.agent === 'mayor/').map(({ state }) => state);
  const orders = () =>
    town.databases.get('mayor')?.inner.all(`SELECT kind, tries FROM outbox WHERE state = 'pending' ORDER BY seq`) ?? [];
  return { town, at, others, sessions, orders };
}

describe('a mayor whose runner falls silent', () => {
  it('has its next session at another one at the takeover deadline, whoever is away', async () => {
    const { town, at, sessions, orders } = await townWithMayor();
    expect([sessions('a'), sessions('b')]).toEqual([['running'], []]);
    at('a').silent = true;
    await town.service.runners.away('a', 'suspect', 'its line was cut');
    await town.advance(TAKEOVER_AFTER_MS + 5 * MINUTE);
    expect([sessions('a'), sessions('b')]).toEqual([['running'], ['running']]);
    expect(orders().map((row) => row['kind'])).toEqual(['stop']);
    expect((await town.service.listEscalations(true)).filter((one) => one.causeKey.startsWith('mayor:'))).toEqual([]);

    at('a').silent = false;
    await town.service.runners.seen('a', { instance: 'rn-a', capacity: 2, labels: [], versions: {} });
    await town.advance(5 * MINUTE);
    expect([sessions('a'), sessions('b')]).toEqual([['exited'], ['running']]);
    expect(orders()).toEqual([]);
  });

  it('leaves no order to a runner that is removed afterwards', async () => {
    const { town, at, others, orders } = await townWithMayor();
    at('a').silent = true;
    await town.service.runners.away('a', 'suspect', 'its line was cut');
    await town.advance(TAKEOVER_AFTER_MS + 5 * MINUTE);
    expect(orders()).toHaveLength(1);
    others.delete('a');
    await town.service.runners.remove('a', true);
    await town.settle();
    expect(orders()).toEqual([]);
  });
});
