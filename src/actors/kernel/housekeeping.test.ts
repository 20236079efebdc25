import { describe, expect, it } from 'vitest';
import { BareActor } from '../../../test/support/bare-actor.ts';
import {
  HOUSEKEEPING_AFTER_OPEN_MS,
  HOUSEKEEPING_EVERY_MS,
  PRUNE_BATCH,
  QUEUE_RETENTION_MS,
} from '../../core/limits.ts';
import { HistoryStore } from '../../store/history-store.ts';
import { Housekeeping } from './housekeeping.ts';

const NOW = 1_000_000_000_000;

function opened(sinceMs: number, isBrief: boolean): Housekeeping {
  const house = new Housekeeping();
  house.opened(NOW, NOW - sinceMs, isBrief);
  return house;
}

describe('when a house is kept', () => {
  it('a process that has just started waits a minute, however long ago it was', () => {
    const house = opened(10 * HOUSEKEEPING_EVERY_MS, false);
    expect(house.begin(NOW + HOUSEKEEPING_AFTER_OPEN_MS - 1)).toBe(false);
    expect(house.begin(NOW + HOUSEKEEPING_AFTER_OPEN_MS)).toBe(true);
  });

  it('a life that may end in seconds does what is overdue at once, and nothing before its hour', () => {
    expect(opened(HOUSEKEEPING_EVERY_MS, true).begin(NOW)).toBe(true);
    expect(opened(HOUSEKEEPING_EVERY_MS - 1, true).begin(NOW)).toBe(false);
  });
});

describe('what is kept of it', () => {
  it('the moment of the round that left nothing; one that left more is overdue for the next life', async () => {
    const bare = await BareActor.open();
    const history = new HistoryStore(bare.sql);
    const madeAtMs = history.keptAtMs();
    for (let n = 0; n <= PRUNE_BATCH; n += 1) await bare.actor.command(`key-${String(n)}`, () => '');
    bare.nowMs += QUEUE_RETENTION_MS + 1;
    expect([await bare.actor.housekeep(), history.keptAtMs()]).toEqual([true, madeAtMs]);
    expect([await bare.actor.housekeep(), history.keptAtMs()]).toEqual([false, bare.nowMs]);
  });
});
