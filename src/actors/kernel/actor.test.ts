import type { Observation } from './program.ts';
import { describe, expect, it } from 'vitest';
import { BareActor, note } from '../../../test/support/bare-actor.ts';
import {
  CALL_BYTES_MAX,
  ACCEPTED_POLL_MS,
  EFFECT_DEADLINE_MS,
  EFFECT_RETRY_MAX_MS,
  EFFECT_RETRY_MIN_MS,
  EFFECTS_IN_FLIGHT_MAX,
  EVENT_TRIES_MAX,
  RECONCILE_ROUNDS_MAX,
  RESYNC_ACTIVE_MS,
  RESYNC_WAITING_MS,
  TURN_BATCH_MAX,
  TURN_RETRY_MS,
} from '../../core/limits.ts';
import { DbError } from '../../ports/sql.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import type { EffectOutcome } from './program.ts';
import type { Turn } from './turn.ts';

const event = (key: string, subject = key) => ({ key, type: 'x', subject, payload: {} });
const effect = (turn: Turn, key: string, lane = key): void => {
  turn.effect({ key, kind: 'x', lane, payload: {} });
};
const never = (): Promise<EffectOutcome> => new Promise(() => undefined);

describe('a turn', () => {
  it('commits everything asked in one event-loop turn once, in the order of asking', async () => {
    const bare = await BareActor.open();
    const before = bare.sql.commits;
    const asked = Array.from({ length: 100 }, (_, n) =>
      bare.actor.ask((turn) => {
        note(turn, String(n));
        return n;
      }),
    );
    expect(await Promise.all(asked)).toEqual(asked.map((_, n) => n));
    expect(bare.sql.commits).toBe(before + 1);
    expect(bare.notes()).toEqual(asked.map((_, n) => String(n)));
  });

  it('takes a bounded batch, and the rest in the next turn', async () => {
    const bare = await BareActor.open();
    const before = bare.sql.commits;
    await Promise.all(Array.from({ length: TURN_BATCH_MAX + 1 }, () => bare.actor.ask(() => null)));
    expect(bare.sql.commits).toBe(before + 2);
  });

  it('replies after the commit, never before', async () => {
    const bare = await BareActor.open();
    const before = bare.sql.commits;
    let commitsAtReply = -1;
    const asked = bare.actor
      .ask((turn) => {
        note(turn, 'x');
      })
      .then(() => {
        commitsAtReply = bare.sql.commits;
      });
    expect(bare.notes()).toEqual([]);
    await asked;
    expect(commitsAtReply).toBe(before + 1);
  });

  it('changes nothing for an ask that throws, and commits the others', async () => {
    const bare = await BareActor.open();
    const results = await Promise.allSettled([
      bare.actor.ask((turn) => {
        note(turn, 'one');
      }),
      bare.actor.ask((turn) => {
        note(turn, 'half');
        effect(turn, 'half');
        throw new Error('refused');
      }),
      bare.actor.ask((turn) => {
        note(turn, 'three');
      }),
    ]);
    expect(results.map((row) => row.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(bare.notes()).toEqual(['one', 'three']);
    await bare.settle();
    expect(bare.program.performed).toEqual([]);
  });

  it('is a new tick in the journal, also after an ask that journalled was undone', async () => {
    const bare = await BareActor.open();
    const row = { entity: 'bead:a', action: 'x', rule: 'r', reason: '' };
    const undone = bare.actor.ask((turn) => {
      turn.journal(row);
      throw new Error('refused');
    });
    const kept = bare.actor.ask((turn) => {
      turn.journal(row);
    });
    await Promise.allSettled([undone, kept]);
    await bare.actor.ask((turn) => {
      turn.journal(row);
    });
    expect(bare.kernel.journalAfter(0, 10).map((entry) => entry.tick)).toEqual([1, 2]);
  });

  it('writes nothing when there is nothing to say', async () => {
    const bare = await BareActor.open();
    await bare.actor.ask(() => null);
    expect(bare.kernel.getMeta('tick')).toBeNull();
    expect(bare.alarmMs).toBeNull();
  });
});

describe('a disk that fails', () => {
  it('rejects everybody, keeps nothing, and the loop goes on by itself (T45)', async () => {
    const bare = await BareActor.open();
    bare.sql.failing = 1;
    const asked = await Promise.allSettled([
      bare.actor.ask((turn) => {
        note(turn, 'one');
      }),
      bare.actor.record([event('fact')]),
    ]);
    for (const result of asked)
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'busy', code: 'storage_failed' } });
    expect(bare.notes()).toEqual([]);
    await bare.actor.record([event('fact')]);
    expect(bare.notes()).toEqual(['fact']);
  });

  it('that can not be read after a commit takes neither the answer nor the loop with it', async () => {
    const bare = await BareActor.open();
    let broken = false;
    const waiting = bare.actor.until(() => {
      if (broken) throw new DbError('storage', 'disk I/O error');
      return bare.notes().includes('two') ? true : null;
    }, 60_000);
    broken = true;
    await bare.actor.ask((turn) => {
      note(turn, 'one');
    });
    broken = false;
    await bare.actor.ask((turn) => {
      note(turn, 'two');
    });
    expect(await waiting).toBe(true);
  });

  it('is a failure of the turn wherever it shows: in an ask, an event or a rule', async () => {
    for (const where of ['ask', 'event', 'rule']) {
      const bare = await BareActor.open();
      let broken = true;
      const fail = (): void => {
        if (broken) throw new DbError('storage', 'disk I/O error');
      };
      if (where === 'event') bare.program.onEvent = fail;
      if (where === 'rule')
        bare.program.onReconcile = () => {
          fail();
          return null;
        };
      const ask = (): Promise<void> =>
        bare.actor.ask((turn) => {
          note(turn, 'x');
          if (where === 'ask') fail();
          turn.event(event('e'));
          turn.dirty('bead:a');
        });
      await expect(ask(), where).rejects.toMatchObject({ code: 'storage_failed' });
      expect(bare.notes(), where).toEqual([]);
      expect(bare.program.quarantines, where).toEqual([]);
      broken = false;
      await ask();
      expect(bare.notes(), where).toContain('x');
    }
  });

  it('is tried again without anybody asking: due work is not forgotten', async () => {
    const bare = await BareActor.open();
    await bare.actor.ask((turn) => {
      turn.kernel.setTimer('bead:a', 'rule', bare.nowMs + 10);
    });
    let looked = 0;
    bare.program.onReconcile = () => {
      looked += 1;
      return null;
    };
    bare.sql.failing = 3;
    await bare.advance(10_000);
    expect(looked).toBe(4);
    expect(bare.kernel.timer('bead:a', 'rule')).toBeNull();
  });

  it('is tried once in a while, however many asked when it failed (T45)', async () => {
    const bare = await BareActor.open();
    bare.sql.failing = 10_000;
    const asked = 20;
    for (let one = 0; one < asked; one += 1) {
      await expect(bare.actor.ask(() => null)).rejects.toMatchObject({ code: 'storage_failed' });
      await bare.advance(TURN_RETRY_MS / asked);
    }
    const before = bare.sql.failed;
    await bare.advance(10 * TURN_RETRY_MS);
    expect(bare.sql.failed - before).toBe(10);
  });

  it('is not tried sooner for a call that sets the alarm again (T45)', async () => {
    const bare = await BareActor.open();
    const dueMs = bare.nowMs + 10;
    await bare.actor.ask((turn) => {
      turn.kernel.setTimer('bead:a', 'rule', dueMs);
    });
    bare.sql.failing = 2;
    await bare.advance(10);
    for (let call = 0; call < 5; call += 1) {
      bare.actor.rearm();
      await bare.advance(TURN_RETRY_MS / 10);
    }
    expect([bare.alarmMs, bare.sql.failed]).toEqual([dueMs + TURN_RETRY_MS, 1]);
    await bare.advance(2 * TURN_RETRY_MS);
    expect([bare.kernel.timer('bead:a', 'rule'), bare.sql.failed]).toEqual([null, 2]);
  });
});

describe('an event', () => {
  it('is applied once by its key', async () => {
    const bare = await BareActor.open();
    await bare.actor.record([event('a'), event('a')]);
    await bare.actor.record([event('a')]);
    expect(bare.notes()).toEqual(['a']);
  });

  it('that throws is tried again, changes nothing meanwhile, and later ones of its subject wait', async () => {
    const bare = await BareActor.open();
    let tries = 0;
    bare.program.onEvent = (turn, row) => {
      note(turn, row.key);
      if (row.key !== 'bad') return;
      tries += 1;
      if (tries < EVENT_TRIES_MAX) throw new Error('not yet');
    };
    await bare.actor.record([event('bad', 's'), event('next', 's'), event('other', 'o')]);
    expect(bare.notes()).toEqual(['other']);
    expect(bare.alarmMs).toBe(bare.nowMs + EFFECT_RETRY_MIN_MS);
    await bare.advance(10_000);
    expect(bare.notes()).toEqual(['other', 'bad', 'next']);
    expect(bare.program.quarantines).toEqual([]);
  });

  it('that always throws is set aside after a bounded number of tries, visibly, and the next goes on', async () => {
    const bare = await BareActor.open();
    let tries = 0;
    bare.program.onEvent = (turn, row) => {
      if (row.key === 'bad') {
        tries += 1;
        throw new Error('boom');
      }
      note(turn, row.key);
    };
    await bare.actor.record([event('bad', 's'), event('next', 's')]);
    await bare.advance(60_000);
    expect(tries).toBe(EVENT_TRIES_MAX);
    expect(bare.notes()).toEqual(['next']);
    expect(bare.program.quarantines).toEqual(['s: Error: boom']);
    expect(bare.kernel.lastJournal('s')?.action).toBe('quarantine');
    expect(bare.alarmMs).toBeNull();
  });

  it('that another event caused is applied in the same commit', async () => {
    const bare = await BareActor.open();
    bare.program.onEvent = (turn, row) => {
      note(turn, row.key);
      if (row.key === 'a') turn.event(event('b'));
    };
    const before = bare.sql.commits;
    await bare.actor.record([event('a')]);
    expect([bare.notes(), bare.sql.commits]).toEqual([['a', 'b'], before + 1]);
  });
});

describe('rules', () => {
  it('look at what was marked, again while they mark more, and are woken when they asked to be', async () => {
    const bare = await BareActor.open();
    const seen: string[] = [];
    bare.program.onReconcile = (turn, ref) => {
      seen.push(ref);
      if (ref === 'bead:a') turn.dirty('bead:b');
      return ref === 'bead:b' && seen.length < 3 ? bare.nowMs + 100 : null;
    };
    await bare.actor.ask((turn) => {
      turn.dirty('bead:a');
      turn.dirty('bead:a');
    });
    expect([seen, bare.alarmMs]).toEqual([['bead:a', 'bead:b'], bare.nowMs + 100]);
    await bare.advance(99);
    expect(seen).toHaveLength(2);
    await bare.advance(1);
    expect([seen.slice(2), bare.alarmMs]).toEqual([['bead:b'], null]);
  });

  it('that never come to rest are bounded in a turn, and go on in the next', async () => {
    const bare = await BareActor.open();
    let rounds = 0;
    bare.program.onReconcile = (turn, ref) => {
      rounds += 1;
      if (rounds < 3 * RECONCILE_ROUNDS_MAX) turn.dirty(ref);
      return null;
    };
    await bare.actor.ask((turn) => {
      turn.dirty('bead:a');
    });
    expect([rounds, bare.alarmMs]).toEqual([RECONCILE_ROUNDS_MAX, bare.nowMs]);
    await bare.advance(10);
    expect([rounds, bare.alarmMs]).toEqual([3 * RECONCILE_ROUNDS_MAX, null]);
  });

  it('that throw set the entity aside, undone; others go on, and it is said once while nothing changes (T05)', async () => {
    const bare = await BareActor.open((program) => {
      program.active = 'active';
      program.live = ['bead:bad', 'bead:good'];
    });
    bare.program.onReconcile = (turn, ref) => {
      note(turn, ref);
      if (ref === 'bead:bad') throw new Error('unreadable');
      return null;
    };
    await bare.advance(RESYNC_ACTIVE_MS * 3);
    expect(new Set(bare.notes())).toEqual(new Set(['bead:good']));
    expect(bare.program.quarantines).toEqual(['bead:bad: Error: unreadable']);
  });

  it('decide whole or not at all: a guard that no longer holds is a recorded no-op', async () => {
    const bare = await BareActor.open();
    const decision = {
      rule: 'r',
      entity: 'bead:a',
      reason: 'because',
      actions: [{ type: 'one' }, { type: 'two' }],
    };
    const applied = await bare.actor.ask((turn) =>
      turn.decide(decision, (_turn, action) => {
        note(turn, action.type);
        turn.dirty('bead:b');
        if (action.type === 'two') throw new GuardFailed('changed meanwhile');
      }),
    );
    expect([applied, bare.notes()]).toEqual([false, []]);
    expect(bare.kernel.lastJournal('bead:a')).toMatchObject({
      action: 'no_op',
      reason: 'because; skipped: changed meanwhile',
    });
  });
});

describe('the safety net', () => {
  it.each([
    ['active', RESYNC_ACTIVE_MS],
    ['waiting', RESYNC_WAITING_MS],
  ] as const)('looks at everything live while the actor is %s', async (active, everyMs) => {
    const bare = await BareActor.open((program) => {
      program.active = active;
      program.live = ['bead:a'];
    });
    let looked = 0;
    bare.program.onReconcile = () => {
      looked += 1;
      return null;
    };
    expect(bare.alarmMs).toBe(bare.nowMs + everyMs);
    await bare.advance(everyMs - 1);
    expect(looked).toBe(0);
    await bare.advance(1 + 2 * everyMs);
    expect(looked).toBe(3);
  });

  it('hangs only while there is something that could fall (I25)', async () => {
    const bare = await BareActor.open((program) => {
      program.active = 'active';
    });
    bare.program.active = 'none';
    await bare.actor.ask(() => null);
    expect(bare.alarmMs).toBeNull();
  });
});

describe('a command', () => {
  it('with a key gives the first answer for ever, without running again, also after a restart', async () => {
    const bare = await BareActor.open();
    let runs = 0;
    const run = (): Promise<string> =>
      bare.actor.command('key', (turn) => {
        runs += 1;
        note(turn, 'x');
        return `answer ${String(runs)}`;
      });
    expect(await Promise.all([run(), run()])).toEqual(['answer 1', 'answer 1']);
    await bare.reopen();
    expect(await run()).toBe('answer 1');
    expect([runs, bare.notes()]).toEqual([1, ['x']]);
  });

  it('that was refused may be tried again with the same key', async () => {
    const bare = await BareActor.open();
    await expect(
      bare.actor.command('key', () => {
        throw new Error('refused');
      }),
    ).rejects.toThrow('refused');
    expect(await bare.actor.command('key', () => 'ok')).toBe('ok');
  });

  it('without a key runs each time', async () => {
    const bare = await BareActor.open();
    let runs = 0;
    const run = (): Promise<string> =>
      bare.actor.command(undefined, () => {
        runs += 1;
        return String(runs);
      });
    expect([await run(), await run()]).toEqual(['1', '2']);
  });
});

describe('a message', () => {
  const message = (seq: number, from = 'rig/a') => ({ from, to: 'test', seq, message: { type: `m${String(seq)}` } });

  it('is applied in order and once per sender; one that comes too early is refused (I17)', async () => {
    const bare = await BareActor.open();
    const receipts = [];
    for (const seq of [2, 1, 1, 3, 2, 3, 4]) receipts.push(await bare.actor.receive(message(seq)));
    expect(receipts).toEqual(['gap', 'applied', 'duplicate', 'gap', 'applied', 'applied', 'applied']);
    expect(await bare.actor.receive(message(1, 'rig/b'))).toBe('applied');
    expect(bare.notes()).toEqual([1, 2, 3, 4].map((seq) => `message:rig/a:${String(seq)}`).concat('message:rig/b:1'));
  });

  it('is acknowledged only with the commit that holds it', async () => {
    const bare = await BareActor.open();
    bare.sql.failing = 1;
    await expect(bare.actor.receive(message(1))).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await bare.actor.receive(message(1))).toBe('applied');
  });

  it('goes out numbered, one lane per receiver', async () => {
    const bare = await BareActor.open();
    const sent: unknown[] = [];
    bare.program.onPerform = (row) => {
      sent.push([row.lane, JSON.parse(row.payload)]);
      return Promise.resolve({ state: 'done' });
    };
    await bare.actor.ask((turn) => {
      for (const to of ['town', 'town', 'rig/b']) turn.send(to, 'test', { type: 'hello' });
    });
    await bare.settle();
    expect(sent).toEqual([
      ['to:town', { from: 'test', to: 'town', seq: 1, message: { type: 'hello' } }],
      ['to:rig/b', { from: 'test', to: 'rig/b', seq: 1, message: { type: 'hello' } }],
      ['to:town', { from: 'test', to: 'town', seq: 2, message: { type: 'hello' } }],
    ]);
  });
});

describe('an effect', () => {
  it('is performed after the commit that ordered it, and its result comes back as a fact', async () => {
    const bare = await BareActor.open();
    let committed = false;
    bare.program.onPerform = () => {
      committed = bare.notes().length > 0;
      return Promise.resolve({ state: 'done', event: event('result') });
    };
    await bare.actor.ask((turn) => {
      note(turn, 'ordered');
      effect(turn, 'e');
    });
    await bare.settle();
    expect([committed, bare.notes(), bare.alarmMs]).toEqual([true, ['ordered', 'result'], null]);
  });

  it('of one lane is performed in order, of different lanes at once', async () => {
    const bare = await BareActor.open();
    const finish: (() => void)[] = [];
    bare.program.onPerform = () =>
      new Promise((resolve) => {
        finish.push(() => {
          resolve({ state: 'done' });
        });
      });
    await bare.actor.ask((turn) => {
      for (const [key, lane] of [
        ['a1', 'a'],
        ['a2', 'a'],
        ['b1', 'b'],
      ] as const)
        effect(turn, key, lane);
    });
    await bare.settle();
    expect(bare.program.performed).toEqual(['a1', 'b1']);
    finish[0]?.();
    await bare.settle();
    expect(bare.program.performed).toEqual(['a1', 'b1', 'a2']);
  });

  it('has at most so many of its kind in flight', async () => {
    const bare = await BareActor.open();
    const finish: (() => void)[] = [];
    bare.program.onPerform = () =>
      new Promise((resolve) => {
        finish.push(() => {
          resolve({ state: 'done' });
        });
      });
    await bare.actor.ask((turn) => {
      for (let n = 0; n < 10; n += 1) effect(turn, `e${String(n)}`);
    });
    await bare.settle();
    expect(bare.program.performed).toHaveLength(EFFECTS_IN_FLIGHT_MAX);
    finish[0]?.();
    await bare.settle();
    expect(bare.program.performed).toHaveLength(EFFECTS_IN_FLIGHT_MAX + 1);
  });

  it('of a kind that hangs leaves room for the others, also after its deadline', async () => {
    const bare = await BareActor.open((program) => {
      program.slow = { kind: 'slow', max: 2 };
    });
    bare.program.onPerform = (row) => (row.kind === 'slow' ? never() : Promise.resolve({ state: 'done' }));
    await bare.actor.ask((turn) => {
      for (let n = 0; n < 9; n += 1)
        turn.effect({ key: `s${String(n)}`, kind: 'slow', lane: `s${String(n)}`, payload: {}, atMs: bare.nowMs });
      for (let n = 0; n < 9; n += 1) effect(turn, `e${String(n)}`);
    });
    await bare.settle();
    expect(bare.program.performed.filter((key) => key.startsWith('s'))).toEqual(['s0', 's1']);
    expect(bare.program.performed.filter((key) => key.startsWith('e'))).toHaveLength(9);
    await bare.advance(EFFECT_DEADLINE_MS);
    await bare.actor.ask((turn) => {
      effect(turn, 'late');
    });
    await bare.settle();
    // Those that never had a turn go before those that come back.
    expect(bare.program.performed.filter((key) => key.startsWith('s'))).toEqual(['s0', 's1', 's2', 's3']);
    expect(bare.program.performed.at(-1)).toBe('late');
  });

  it('that is never answered comes back at its deadline, also when all of them are', async () => {
    const bare = await BareActor.open();
    bare.program.onPerform = never;
    await bare.actor.ask((turn) => {
      for (let n = 0; n < EFFECTS_IN_FLIGHT_MAX + 1; n += 1) effect(turn, `e${String(n)}`);
    });
    await bare.settle();
    expect(bare.program.performed).toHaveLength(EFFECTS_IN_FLIGHT_MAX);
    await bare.advance(EFFECT_DEADLINE_MS - 1);
    expect(bare.program.performed).toHaveLength(EFFECTS_IN_FLIGHT_MAX);
    bare.program.onPerform = () => Promise.resolve({ state: 'done' });
    await bare.advance(1);
    expect(new Set(bare.program.performed).size).toBe(EFFECTS_IN_FLIGHT_MAX + 1);
    expect(bare.kernel.hasPendingEffects()).toBe(false);
  });

  it('that fails is tried again with a bounded, growing wait', async () => {
    const bare = await BareActor.open();
    const moments: number[] = [];
    bare.program.onPerform = () => {
      moments.push(bare.nowMs);
      return Promise.reject(new Error('no answer'));
    };
    await bare.actor.ask((turn) => {
      effect(turn, 'e');
    });
    await bare.advance(300_000);
    const waits = moments.slice(1).map((atMs, index) => atMs - (moments[index] ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(EFFECT_RETRY_MIN_MS);
    expect(waits[0]).toBeLessThanOrEqual(EFFECT_RETRY_MIN_MS * 1.25);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.at(-1)).toBeGreaterThanOrEqual(EFFECT_RETRY_MAX_MS);
    expect(waits.at(-1)).toBeLessThanOrEqual(EFFECT_RETRY_MAX_MS * 1.25);
  });

  it('is tried again exactly when its outcome says so', async () => {
    const bare = await BareActor.open();
    bare.program.onPerform = () => Promise.resolve({ state: 'retry', error: 'later', atMs: bare.nowMs + 77 });
    await bare.actor.ask((turn) => {
      effect(turn, 'e');
    });
    await bare.advance(76);
    expect(bare.program.performed).toHaveLength(1);
    await bare.advance(1);
    expect(bare.program.performed).toHaveLength(2);
  });

  it('that was accepted is asked about again at the poll, until a fact settles it', async () => {
    const bare = await BareActor.open();
    bare.program.onPerform = () => Promise.resolve({ state: 'accepted' });
    await bare.actor.ask((turn) => {
      effect(turn, 'e');
    });
    await bare.advance(ACCEPTED_POLL_MS - 1);
    expect(bare.program.performed).toHaveLength(1);
    await bare.advance(1);
    expect(bare.program.performed).toHaveLength(2);
    await bare.actor.ask((turn) => turn.kernel.settleEffect('e', 'done', null, turn.nowMs));
    await bare.advance(10 * ACCEPTED_POLL_MS);
    expect([bare.program.performed.length, bare.alarmMs]).toEqual([2, null]);
  });

  it('that will never happen is settled with its cause, and its lane goes on', async () => {
    const bare = await BareActor.open();
    bare.program.onPerform = () => Promise.resolve({ state: 'failed', error: 'unknown effect' });
    await bare.actor.ask((turn) => {
      effect(turn, 'a1', 'a');
      effect(turn, 'a2', 'a');
    });
    await bare.settle();
    expect(bare.program.performed).toEqual(['a1', 'a2']);
    expect(bare.sql.all('SELECT state, error FROM outbox WHERE seq = 1')).toEqual([
      { state: 'failed', error: 'unknown effect' },
    ]);
  });

  it('whose result can not be written comes back at its deadline', async () => {
    const bare = await BareActor.open();
    bare.program.onPerform = () => {
      bare.sql.failing = 1;
      return Promise.resolve({ state: 'done', event: event('result') });
    };
    await bare.actor.ask((turn) => {
      effect(turn, 'e');
    });
    await bare.settle();
    expect(bare.notes()).toEqual([]);
    bare.program.onPerform = () => Promise.resolve({ state: 'done', event: event('result') });
    await bare.advance(EFFECT_DEADLINE_MS);
    expect([bare.notes(), bare.program.performed]).toEqual([['result'], ['e', 'e']]);
  });

  it('that was in flight when the process died is performed again at once', async () => {
    const bare = await BareActor.open();
    bare.program.onPerform = never;
    await bare.actor.ask((turn) => {
      effect(turn, 'e');
    });
    await bare.settle();
    await bare.reopen();
    await bare.settle();
    expect(bare.program.performed).toEqual(['e', 'e']);
  });
});

describe('an observation', () => {
  it('asks about what is due in one call; what was seen becomes facts', async () => {
    const bare = await BareActor.open();
    bare.program.onObserve = (refs) => ({
      events: [event('seen')],
      again: new Map(refs.map((ref) => [ref, bare.nowMs + 50])),
    });
    await bare.actor.ask((turn) => {
      for (const ref of ['attempt:a', 'attempt:b']) turn.kernel.setTimer(ref, 'observe', bare.nowMs + 10);
    });
    await bare.advance(10);
    expect(bare.program.observed).toEqual([['attempt:a', 'attempt:b']]);
    expect([bare.notes(), bare.alarmMs]).toEqual([['seen'], bare.nowMs + 50]);
  });
});

describe('an observation whose answers are too large to record together', () => {
  it('is asked again in smaller batches, and not for ever', async () => {
    const bare = await BareActor.open();
    const large = 'x'.repeat(Math.ceil(CALL_BYTES_MAX / 3));
    bare.program.onObserve = (refs) => ({
      events: refs.map((ref) => ({ ...event(`seen ${ref}`), payload: large })),
      again: new Map(),
    });
    await bare.actor.ask((turn) => {
      for (const name of ['a', 'b', 'c', 'd']) turn.kernel.setTimer(`attempt:${name}`, 'observe', bare.nowMs + 10);
    });
    await bare.advance(60_000);
    expect(bare.program.observed.map((refs) => refs.length)).toEqual([4, 2, 2]);
    expect(bare.notes()).toHaveLength(4);
    expect(bare.alarmMs).toBeNull();
  });
});

describe('an observation that takes its time', () => {
  it('holds up only its own kind, in batches of its own size', async () => {
    const bare = await BareActor.open((program) => {
      program.observes = [
        { prefix: 'attempt:', max: 5 },
        { prefix: 'bead:', max: 2 },
      ];
    });
    const asked: string[] = [];
    bare.program.observe = (refs) => {
      asked.push(refs.join());
      return refs[0]?.startsWith('bead:') === true
        ? new Promise(() => undefined)
        : Promise.resolve({ events: [], again: new Map() });
    };
    await bare.actor.ask((turn) => {
      for (const name of ['a', 'b', 'c']) turn.kernel.setTimer(`bead:${name}`, 'observe', bare.nowMs + 10);
      turn.kernel.setTimer('attempt:a', 'observe', bare.nowMs + 10);
      turn.kernel.setTimer('attempt:b', 'observe', bare.nowMs + 20);
    });
    await bare.advance(20);
    expect(asked.toSorted()).toEqual(['attempt:a', 'attempt:b', 'bead:a,bead:b']);
  });

  it('leaves alone what was set anew meanwhile', async () => {
    const bare = await BareActor.open();
    let answer: (seen: Observation) => void = () => undefined;
    bare.program.observe = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await bare.actor.ask((turn) => {
      for (const ref of ['bead:a', 'bead:b', 'bead:c']) turn.kernel.setTimer(ref, 'observe', bare.nowMs + 10);
    });
    await bare.advance(10);
    await bare.actor.ask((turn) => {
      turn.kernel.setTimer('bead:a', 'observe', bare.nowMs + 5);
      turn.kernel.setTimer('bead:b', 'observe', null);
    });
    answer({ events: [], again: new Map([['bead:b', bare.nowMs + 500]]) });
    await bare.settle();
    const timers = ['bead:a', 'bead:b', 'bead:c'].map((ref) => bare.kernel.timer(ref, 'observe'));
    expect(timers).toEqual([bare.nowMs + 5, null, null]);
  });

  it('is followed by one of what fell due meanwhile, without waiting for the safety net', async () => {
    const bare = await BareActor.open();
    const asked: string[] = [];
    bare.program.observe = async (refs) => {
      asked.push(refs.join());
      for (let turns = 0; asked.length === 1 && turns < 30; turns += 1)
        await new Promise((resolve) => setImmediate(resolve));
      return { events: [], again: new Map() };
    };
    await bare.actor.ask((turn) => {
      turn.kernel.setTimer('attempt:a', 'observe', bare.nowMs + 10);
      turn.kernel.setTimer('attempt:b', 'observe', bare.nowMs + 20);
    });
    await bare.advance(20);
    for (let n = 0; n < 5; n += 1) await bare.settle();
    expect([asked, bare.alarmMs]).toEqual([['attempt:a', 'attempt:b'], null]);
  });
});

describe('waiting for something to become true', () => {
  const truth = (bare: BareActor) => () => (bare.notes().length > 0 ? 'there' : null);

  it('is answered at once, after a later commit, or at its end', async () => {
    const bare = await BareActor.open();
    const later = bare.actor.until(truth(bare), 1_000);
    const never1 = bare.actor.until(() => null, 1_000);
    expect(await bare.actor.until(truth(bare), 0)).toBeNull();
    await bare.actor.ask((turn) => {
      note(turn, 'x');
    });
    expect(await later).toBe('there');
    expect(await bare.actor.until(truth(bare), 1_000)).toBe('there');
    await bare.advance(1_000);
    expect(await never1).toBeNull();
  });
});

describe('closing', () => {
  it('refuses new work and what has not begun, clears the alarm, and performs nothing more', async () => {
    const bare = await BareActor.open((program) => {
      program.active = 'active';
    });
    const begun = bare.actor.ask(() => 1);
    bare.actor.close();
    await expect(begun).rejects.toMatchObject({ code: 'stopping' });
    await expect(bare.actor.ask(() => 1)).rejects.toMatchObject({ code: 'stopping' });
    expect(bare.alarmMs).toBeNull();
    bare.actor.rearm();
    expect(bare.alarmMs).toBeNull();
  });

  it('loses no committed effect: another process takes it up', async () => {
    const bare = await BareActor.open();
    await bare.actor.ask((turn) => {
      turn.effect({ key: 'later', kind: 'x', lane: 'l', payload: {}, atMs: bare.nowMs + 100 });
    });
    await bare.reopen();
    expect(bare.alarmMs).toBe(bare.nowMs + 100);
    await bare.advance(100);
    expect(bare.program.performed).toEqual(['later']);
  });

  it('a lost alarm is set again without any statement', async () => {
    const bare = await BareActor.open((program) => {
      program.active = 'active';
    });
    const due = bare.alarmMs;
    bare.alarmMs = null;
    const before = bare.sql.commits;
    bare.actor.rearm();
    expect([bare.alarmMs, bare.sql.commits]).toEqual([due, before]);
  });
});
