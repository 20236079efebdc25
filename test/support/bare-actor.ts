/** One actor with a program that the test writes, on a clock, an alarm and timers that the test moves. */
import { Actor } from '../../src/actors/kernel/actor.ts';
import type { EffectOutcome, Observation, ObservedKind, Program, SlowKind } from '../../src/actors/kernel/program.ts';
import type { Turn } from '../../src/actors/kernel/turn.ts';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import { OBSERVE_BATCH_MAX } from '../../src/core/limits.ts';
import type { Ref } from '../../src/core/refs.ts';
import type { HostPorts } from '../../src/ports/host.ts';
import { silentLog } from '../../src/ports/log.ts';
import { DbError, type Sql, type SqlRow, type SqlValue } from '../../src/ports/sql.ts';
import { KernelStore, type InboxEvent, type OutboxRow } from '../../src/store/kernel-store.ts';
import { CLAIM_COLUMNS, KERNEL_TABLES, TURN_TABLES } from '../../src/store/migrations/kernel.ts';
import { FakeRunner } from './fake-runner.ts';

/** Counts outermost transactions, and can fail like a full disk. */
class SpySql implements Sql {
  commits = 0;
  /** The next so many transactions fail at their commit. */
  failing = 0;
  failed = 0;
  readonly #inner: Sql;
  #depth = 0;

  constructor(inner: Sql) {
    this.#inner = inner;
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    return this.#inner.all(text, ...args);
  }

  tx<T>(work: () => T): T {
    this.#depth += 1;
    try {
      const result = this.#inner.tx(() => {
        const value = work();
        if (this.#depth === 1 && this.failing > 0) {
          this.failing -= 1;
          this.failed += 1;
          throw new DbError('storage', 'database or disk is full');
        }
        return value;
      });
      if (this.#depth === 1) this.commits += 1;
      return result;
    } finally {
      this.#depth -= 1;
    }
  }
}

/** Does nothing until the test says what. `notes` is what it has written durably. */
export class TestProgram implements Program {
  readonly migrations = [
    {
      id: 1,
      name: 'test',
      statements: [
        ...KERNEL_TABLES,
        ...CLAIM_COLUMNS,
        ...TURN_TABLES,
        'CREATE TABLE notes (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT',
      ],
    },
  ];
  slow: SlowKind = { kind: 'none', max: 1 };
  observes: readonly ObservedKind[] = [{ prefix: '', max: OBSERVE_BATCH_MAX }];
  readonly quarantines: string[] = [];
  readonly performed: string[] = [];
  observed: (readonly Ref[])[] = [];
  live: readonly Ref[] = [];
  active: 'active' | 'waiting' | 'none' = 'none';
  onEvent: (turn: Turn, event: InboxEvent) => void = (turn, event) => {
    note(turn, event.key);
  };
  onReconcile: (turn: Turn, ref: Ref) => number | null = () => null;
  onPerform: (row: OutboxRow) => Promise<EffectOutcome> = () => Promise.resolve({ state: 'done' });
  onObserve: (refs: readonly Ref[]) => Observation = () => ({ events: [], again: new Map() });

  applyEvent(turn: Turn, event: InboxEvent): void {
    this.onEvent(turn, event);
  }

  reconcile(turn: Turn, ref: Ref): number | null {
    return this.onReconcile(turn, ref);
  }

  quarantined(turn: Turn, subject: string, error: string): void {
    this.quarantines.push(`${subject}: ${error}`);
    turn.journal({ entity: subject, action: 'quarantine', rule: 'kernel', reason: error });
  }

  liveRefs(): readonly Ref[] {
    return this.live;
  }

  activity(): 'active' | 'waiting' | 'none' {
    return this.active;
  }

  perform(row: OutboxRow): Promise<EffectOutcome> {
    this.performed.push(row.key);
    return this.onPerform(row);
  }

  observe(entities: readonly Ref[]): Promise<Observation> {
    this.observed.push(entities);
    return Promise.resolve(this.onObserve(entities));
  }
}

export function note(turn: Turn, text: string): void {
  turn.sql.all('INSERT INTO notes (text) VALUES (?)', text);
}

export class BareActor {
  nowMs = 1_000_000;
  alarmMs: number | null = null;
  /** What the alarm was set to, every time. */
  readonly alarms: (number | null)[] = [];
  readonly program = new TestProgram();
  readonly sql = new SpySql(SqliteSql.open(':memory:', { readOnly: false }));
  readonly kernel = new KernelStore(this.sql);
  readonly #timers = new Set<{ readonly atMs: number; readonly work: () => void }>();
  actor: Actor;
  #fire: () => void = () => undefined;

  constructor() {
    this.actor = this.#make();
  }

  #make(): Actor {
    return new Actor({ address: 'test', ports: this.#ports(), sql: this.sql, program: this.program });
  }

  static async open(prepare: (program: TestProgram) => void = () => undefined): Promise<BareActor> {
    const bare = new BareActor();
    prepare(bare.program);
    await bare.actor.open();
    return bare;
  }

  /** The process died and another one opened the same database. */
  async reopen(): Promise<void> {
    this.actor.close();
    this.#timers.clear();
    this.actor = this.#make();
    await this.actor.open();
  }

  notes(): readonly unknown[] {
    return this.sql.all('SELECT text FROM notes ORDER BY seq').map((row) => row['text']);
  }

  /** A few event-loop turns: everything due now happens. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time on, and lets each alarm and timer on the way ring at its moment. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await this.settle();
    for (;;) {
      const due = [...[...this.#timers].map(({ atMs }) => atMs), ...(this.alarmMs === null ? [] : [this.alarmMs])];
      const next = Math.min(untilMs + 1, ...due);
      if (next > untilMs) break;
      this.nowMs = Math.max(this.nowMs, next);
      this.#ring();
      await this.settle();
    }
    this.nowMs = untilMs;
    await this.settle();
  }

  #ring(): void {
    if (this.alarmMs !== null && this.alarmMs <= this.nowMs) {
      this.alarmMs = null;
      this.#fire();
    }
    for (const timer of this.#timers) {
      if (timer.atMs > this.nowMs) continue;
      this.#timers.delete(timer);
      timer.work();
    }
  }

  #ports(): HostPorts {
    return {
      clock: { now: () => this.nowMs },
      random: { bytes: (count) => new Uint8Array(count).fill(255) },
      log: silentLog,
      runner: new FakeRunner(() => this.nowMs),
      openSql: () => this.sql,
      openAlarm: (_address, onAlarm) => {
        this.#fire = onAlarm;
        return {
          set: (atMs) => {
            this.alarmMs = atMs;
            this.alarms.push(atMs);
          },
        };
      },
      defer: (work) => {
        setImmediate(work);
      },
      after: (delayMs, work) => {
        const timer = { atMs: this.nowMs + delayMs, work };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      mintCapability: () => Promise.resolve(''),
    };
  }
}
