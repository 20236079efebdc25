import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { SqliteSql } from '../hosts/node/sql-sqlite.ts';
import { KernelStore } from './kernel-store.ts';
import { pruneQueues } from './prune-queues.ts';
import { migrate } from './migrate.ts';
import { reviveLost, reviveWaiting } from './outbox-revival.ts';
import { CLAIM_COLUMNS, KERNEL_TABLES } from './migrations/kernel.ts';

const NOW = 1_000_000;
const DEADLINE = 20_000;
let sql: SqliteSql;
let kernel: KernelStore;
beforeEach(() => {
  sql = SqliteSql.open(':memory:', { readOnly: false });
  migrate(sql, [{ id: 1, name: 'kernel', statements: [...KERNEL_TABLES, ...CLAIM_COLUMNS] }], NOW);
  kernel = new KernelStore(sql);
});

const event = (key: string, subject = 'a'): void => {
  kernel.appendEvent({ key, type: 'x', subject, payload: { key } }, NOW);
};
const effect = (key: string, lane = key, atMs = NOW): void => {
  kernel.addEffect({ key, kind: 'x', lane, payload: {}, atMs }, NOW);
};
const pending = (nowMs = NOW): readonly string[] => kernel.pendingEvents(nowMs, 100).map((row) => row.key);
const claim = (nowMs = NOW, limit = 100): readonly string[] =>
  kernel.claimEffects(nowMs, DEADLINE, { all: limit }).map((row) => row.key);
const count = (table: string): unknown => sql.all(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.['n'];

describe('the inbox', () => {
  it('takes each key once, for ever (I17)', () => {
    expect(kernel.appendEvent({ key: 'k', type: 'x', subject: 'a', payload: 1 }, NOW)).toBe(true);
    expect(kernel.appendEvent({ key: 'k', type: 'y', subject: 'b', payload: 2 }, NOW)).toBe(false);
    kernel.settleEvent(1, NOW);
    expect(kernel.appendEvent({ key: 'k', type: 'x', subject: 'a', payload: 1 }, NOW)).toBe(false);
    expect(pending()).toEqual([]);
  });

  it('gives events in the order of their arrival, a bounded number at once', () => {
    for (const key of ['c', 'a', 'b']) event(key, key);
    expect(pending()).toEqual(['c', 'a', 'b']);
    expect(kernel.pendingEvents(NOW, 2).map((row) => row.key)).toEqual(['c', 'a']);
    expect(kernel.pendingEvents(NOW, 1)[0]).toMatchObject({ payload: '{"key":"c"}', tries: 0, type: 'x' });
  });

  it('lets later events of the same subject wait for one that is tried again; others go on', () => {
    event('a1');
    event('b1', 'b');
    event('a2');
    kernel.retryEvent(1, NOW + 10, 'boom');
    expect(pending()).toEqual(['b1']);
    expect(pending(NOW + 9)).toEqual(['b1']);
    expect(pending(NOW + 10)).toEqual(['a1', 'b1', 'a2']);
    expect(kernel.nextDue(NOW)).toBe(NOW + 10);
  });

  it('lets the next one go on once an event is quarantined, and keeps the error', () => {
    event('a1');
    event('a2');
    kernel.quarantineEvent(1, NOW, 'boom');
    expect(pending()).toEqual(['a2']);
    expect(sql.all('SELECT state, tries, error FROM inbox WHERE seq = 1')).toEqual([
      { state: 'quarantined', tries: 1, error: 'boom' },
    ]);
  });
});

describe('the outbox', () => {
  it('takes each key once: a repeat is the same effect', () => {
    effect('k');
    effect('k');
    expect(claim()).toEqual(['k']);
    kernel.settleEffect('k', 'done', null, NOW);
    effect('k');
    expect(kernel.hasPendingEffects()).toBe(false);
  });

  it('gives a due effect once, and again at its deadline if nothing is heard of it', () => {
    effect('k');
    expect(claim()).toEqual(['k']);
    expect(claim(NOW + DEADLINE - 1)).toEqual([]);
    expect(kernel.nextDue(NOW)).toBe(NOW + DEADLINE);
    expect(kernel.claimEffects(NOW + DEADLINE, DEADLINE, { all: 1 })).toEqual([
      expect.objectContaining({ key: 'k', tries: 2 }),
    ]);
  });

  it('gives nothing before its time', () => {
    effect('later', 'l', NOW + 5);
    expect(claim(NOW + 4)).toEqual([]);
    expect(claim(NOW + 5)).toEqual(['later']);
  });

  it('performs one lane in order: the next waits until the one before is settled, also while that backs off', () => {
    effect('a1', 'a');
    effect('a2', 'a');
    effect('b1', 'b');
    expect(claim()).toEqual(['a1', 'b1']);
    kernel.retryEffect('a1', NOW + 50, 'no answer');
    expect(claim(NOW + 49)).toEqual([]);
    expect(claim(NOW + 50)).toEqual(['a1']);
    kernel.settleEffect('a1', 'failed', 'never', NOW + 51);
    expect(claim(NOW + 51)).toEqual(['a2']);
  });

  it('lets a lane wait for a first effect that is not due', () => {
    effect('a1', 'a', NOW + 100);
    effect('a2', 'a', NOW);
    expect(claim(NOW + 99)).toEqual([]);
    expect(claim(NOW + 100)).toEqual(['a1']);
  });

  it('gives at most as many as there is room for, the oldest first', () => {
    for (const key of ['a', 'b', 'c']) effect(key);
    expect([claim(NOW, 0), claim(NOW, -3), claim(NOW, 2), claim(NOW, 2)]).toEqual([[], [], ['a', 'b'], ['c']]);
  });

  it('gives what has been due longest first: what fails and comes back goes behind those that never had a turn', () => {
    for (const key of ['a', 'b', 'c']) effect(key);
    expect(claim(NOW, 2)).toEqual(['a', 'b']);
    kernel.retryEffect('a', NOW + 2, 'no answer');
    kernel.retryEffect('b', NOW + 1, 'no answer');
    expect([claim(NOW + 9, 1), claim(NOW + 9, 1), claim(NOW + 9, 1)]).toEqual([['c'], ['b'], ['a']]);
  });

  it('gives of a slow kind at most its share, and the rest to others', () => {
    for (const key of ['s1', 's2', 's3', 'e1', 'e2', 'e3'])
      kernel.addEffect({ key, kind: key.slice(0, 1), lane: key, payload: {}, atMs: NOW }, NOW);
    const of = (all: number, room: number): readonly string[] =>
      kernel.claimEffects(NOW, DEADLINE, { all, slow: { kind: 's', room } }).map(({ key }) => key);
    expect([of(4, 2), of(9, -1), of(9, 0), of(9, 1)]).toEqual([['s1', 's2', 'e1', 'e2'], ['e3'], [], ['s3']]);
  });

  it('settles once: a late second answer changes nothing', () => {
    effect('k');
    expect(kernel.settleEffect('k', 'done', null, NOW)).toBe(true);
    expect(kernel.settleEffect('k', 'failed', 'late', NOW)).toBe(false);
    kernel.retryEffect('k', NOW, 'late');
    expect(claim()).toEqual([]);
    expect(kernel.pendingEffect('k')).toBeNull();
  });

  it('is due at once after a restart when it was in flight; what waits for a time keeps that', () => {
    effect('flying');
    effect('told to wait');
    effect('accepted');
    effect('later', 'later', NOW + 500);
    claim();
    kernel.retryEffect('told to wait', NOW + 400, 'not before');
    kernel.retryEffect('accepted', NOW + 300, null);
    expect(reviveLost(sql, NOW + 1)).toBe(1);
    expect(claim(NOW + 1)).toEqual(['flying']);
    expect(claim(NOW + 299)).toEqual([]);
    expect(claim(NOW + 500)).toEqual(['told to wait', 'accepted', 'later']);
  });

  it('is due before its time when somebody picks it, unless it is in flight or was never tried', () => {
    effect('flying');
    effect('waiting');
    effect('other');
    effect('later', 'later', NOW + 500);
    claim();
    for (const key of ['waiting', 'other']) kernel.retryEffect(key, NOW + 400, 'no answer');
    reviveWaiting(sql, NOW + 1, ({ key }) => key !== 'other');
    expect(claim(NOW + 1)).toEqual(['waiting']);
  });

  it('never has two effects of a lane in flight and never skips one, whatever happens', () => {
    const operation = fc.tuple(fc.constantFrom('claim', 'done', 'retry'), fc.nat(2));
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 8 }), fc.array(operation, { maxLength: 30 }), (lanes, history) => {
        sql.all('DELETE FROM outbox');
        for (const [index, lane] of lanes.entries()) effect(`e${String(index)}`, `lane${String(lane)}`);
        const flying = new Map<string, string>();
        const done: string[] = [];
        for (const [what, lane] of history) {
          const name = `lane${String(lane)}`;
          const key = flying.get(name);
          if (what === 'claim')
            for (const row of kernel.claimEffects(NOW, DEADLINE, { all: 2 })) {
              expect(flying.has(row.lane)).toBe(false);
              flying.set(row.lane, row.key);
            }
          else if (key !== undefined) {
            flying.delete(name);
            if (what === 'done') {
              kernel.settleEffect(key, 'done', null, NOW);
              done.push(key);
            } else kernel.retryEffect(key, NOW, null);
          }
        }
        for (const lane of [0, 1, 2]) {
          const own = done.filter((key) => lanes[Number(key.slice(1))] === lane);
          expect(own).toEqual(own.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('timers', () => {
  it('are set, moved and cleared; the earliest wakes the actor', () => {
    kernel.setTimer('bead:a', 'rule', NOW + 5);
    kernel.setTimer('bead:b', 'rule', NOW + 3);
    kernel.setTimer('bead:b', 'observe', NOW + 9);
    expect(kernel.nextDue(NOW)).toBe(NOW + 3);
    kernel.setTimer('bead:b', 'rule', null);
    expect(kernel.nextDue(NOW)).toBe(NOW + 5);
    kernel.setTimer('bead:a', 'rule', NOW + 20);
    expect(kernel.nextDue(NOW)).toBe(NOW + 9);
    expect([kernel.timer('bead:a', 'rule'), kernel.timer('bead:b', 'rule')]).toEqual([NOW + 20, null]);
  });

  it('are due by kind, at their moment and not before, the oldest first', () => {
    kernel.setTimer('bead:a', 'rule', NOW + 2);
    kernel.setTimer('bead:b', 'rule', NOW + 1);
    kernel.setTimer('bead:c', 'observe', NOW);
    expect(kernel.dueTimers('rule', NOW, 10)).toEqual([]);
    expect(kernel.dueTimers('rule', NOW + 2, 10)).toEqual(['bead:b', 'bead:a']);
    expect(kernel.dueTimers('rule', NOW + 2, 1)).toEqual(['bead:b']);
    expect(kernel.dueTimers('observe', NOW, 10)).toEqual(['bead:c']);
  });

  it('that are overdue wake for rules, but not for observations: their answer does', () => {
    kernel.setTimer('bead:a', 'observe', NOW - 1);
    expect(kernel.nextDue(NOW)).toBeNull();
    kernel.setTimer('bead:a', 'rule', NOW - 1);
    expect(kernel.nextDue(NOW)).toBe(NOW - 1);
  });

  it('are none in an actor at rest (I25)', () => {
    expect(kernel.nextDue(NOW)).toBeNull();
  });
});

describe('counters, channels, answers and the journal', () => {
  it('count from 1 without a gap', () => {
    expect([1, 2, 3].map(() => kernel.nextCounter('epoch'))).toEqual([1, 2, 3]);
    expect(kernel.nextCounter('tick')).toBe(1);
  });

  it('number messages per peer and remember what was received', () => {
    expect([kernel.nextSent('a'), kernel.nextSent('a'), kernel.nextSent('b')]).toEqual([1, 2, 1]);
    expect(kernel.received('a')).toBe(0);
    kernel.setReceived('a', 4);
    kernel.setReceived('c', 1);
    expect([kernel.received('a'), kernel.received('c'), kernel.nextSent('a')]).toEqual([4, 1, 3]);
  });

  it('keep the first answer to a key', () => {
    expect(kernel.answer('k')).toBeNull();
    kernel.saveAnswer('k', 'first', NOW);
    expect(() => {
      kernel.saveAnswer('k', 'second', NOW);
    }).toThrow();
    expect(kernel.answer('k')).toBe('first');
  });

  it('tell the story of an entity in order', () => {
    const row = {
      tick: 1,
      atMs: NOW,
      entity: 'bead:a',
      action: 'x',
      rule: 'r',
      reason: 'because',
      from: null,
      to: 'y',
    };
    kernel.writeJournal(row);
    kernel.writeJournal({ ...row, entity: 'bead:b' });
    kernel.writeJournal({ ...row, to: 'z' });
    expect(kernel.journalAfter(1, 10).map((entry) => entry.seq)).toEqual([2, 3]);
    expect(kernel.lastJournal('bead:a')).toEqual({ ...row, seq: 3, to: 'z' });
    expect(kernel.lastJournal('bead:c')).toBeNull();
  });
});

describe('housekeeping', () => {
  it('deletes settled rows of each queue, old ones only, a bounded number at once', () => {
    for (let n = 0; n < 5; n += 1) {
      event(`e${String(n)}`);
      effect(`o${String(n)}`);
      kernel.settleEvent(n + 1, NOW + n);
      kernel.settleEffect(`o${String(n)}`, 'done', null, NOW + n);
      kernel.saveAnswer(`a${String(n)}`, '', NOW + n);
    }
    expect(pruneQueues(sql, NOW + 4, 3)).toBe(true);
    expect([count('inbox'), count('outbox'), count('answers')]).toEqual([2, 2, 2]);
    expect(pruneQueues(sql, NOW + 4, 3)).toBe(false);
    expect([count('inbox'), count('outbox'), count('answers')]).toEqual([1, 1, 1]);
  });

  it('keeps what is pending or quarantined, however old', () => {
    event('pending');
    event('quarantined');
    effect('pending');
    kernel.quarantineEvent(2, NOW, 'boom');
    pruneQueues(sql, NOW * 2, 100);
    expect([count('inbox'), count('outbox')]).toEqual([2, 1]);
  });
});
