import type { HostPorts } from '../../ports/host.ts';
import { silentLog } from '../../ports/log.ts';
import type { Sql } from '../../ports/sql.ts';
import { KernelStore, type JournalRow } from '../../store/kernel-store.ts';
import { migrate, newestOf, type Migration } from '../../store/migrate.ts';
import { MAYOR_ADDRESS } from '../../core/model/mayor.ts';
import { MAYOR_MIGRATIONS } from '../../store/migrations/mayor.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import { TurnStore, type RecordedTurn } from '../../store/turn-store.ts';
import type { Actor } from '../kernel/actor.ts';
import { named } from '../kernel/named.ts';
import { UNNAMED } from '../kernel/tape.ts';
import { MayorActor } from '../mayor/mayor-actor.ts';
import { RigActor } from '../rig/rig-actor.ts';
import { TOWN_ADDRESS } from '../town/town-context.ts';
import { TownActor } from '../town/town-actor.ts';
import { PlayedTape } from './played-tape.ts';

export type NumberedJournalRow = JournalRow & { readonly seq: number };

/** Where the second run first went another way than the first. */
export interface ReplayDifference {
  /** The turn in which it happened, by its number. */
  readonly turn: number;
  readonly atMs: number;
  /** The journal row that differs, when it is one. */
  readonly journalSeq: number | null;
  readonly what: string;
  readonly recorded: string;
  readonly replayed: string;
}

/** Whose history it is. */
export interface ReplayedActor {
  readonly address: string;
  /** Id of its town. */
  readonly town: string;
  /** As it was when the history was made; a history of the usual one has none. */
  readonly safetyNet?: HostPorts['safetyNet'];
}

/** Calls of the kernel itself; every other name is a public method of the rig or the town. */
const KERNEL_CALLS: ReadonlySet<string> = new Set([
  'open',
  'record',
  'receive',
  'settle',
  'observed',
  'housekeep',
  'snapshotTaken',
]);

function migrationsOf(address: string): readonly Migration[] {
  if (address === TOWN_ADDRESS) return TOWN_MIGRATIONS;
  return address === MAYOR_ADDRESS ? MAYOR_MIGRATIONS : RIG_MIGRATIONS;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/**
 * Runs recorded turns again with the real code of the actor, on a database that stands where the first of them began.
 * Nothing goes outside: effects are claimed and never performed, their results come from the record.
 */
export class ActorReplay {
  readonly #sql: Sql;
  readonly #turns: TurnStore;
  readonly #kernel: KernelStore;
  readonly #tape = new PlayedTape();
  readonly #target: { readonly actor: Actor };
  #nowMs = 0;
  /** The newest journal row before the next turn. */
  #journalSeq: number;
  readonly #migrations: readonly Migration[];
  #deferred: (() => void) | null = null;
  #failure: string | null = null;

  /** `sql` stands where the first turn begins, with `journalSeq` as its newest journal row. */
  constructor(actor: ReplayedActor, sql: Sql, journalSeq: number) {
    const { address, town, safetyNet } = actor;
    this.#journalSeq = journalSeq;
    this.#migrations = migrationsOf(address);
    migrate(sql, this.#migrations, 0);
    this.#sql = sql;
    this.#turns = new TurnStore(sql);
    this.#kernel = new KernelStore(sql);
    const ports = { ...this.#ports(), safetyNet };
    const common = { ports, sql, deliver: never, tape: this.#tape } as const;
    this.#target =
      address === TOWN_ADDRESS
        ? named(new TownActor({ ...common, askRig: never }))
        : address === MAYOR_ADDRESS
          ? named(new MayorActor({ ...common, town: { id: town, name: town } }))
          : named(new RigActor({ ...common, address, town, createdAtMs: 0 }));
  }

  /** Runs one turn and compares it with its record; null when they are the same. `journal`: the rows it wrote then. */
  run(turn: RecordedTurn, journal: readonly NumberedJournalRow[]): ReplayDifference | null {
    const differs = (what: string, recorded: string, replayed: string, journalSeq: number | null = null) => ({
      turn: turn.seq,
      atMs: turn.atMs,
      journalSeq,
      what,
      recorded,
      replayed,
    });
    if (turn.input.calls.some((call) => call[0] === UNNAMED[0]))
      return differs('a call that was recorded without a name', UNNAMED[0], 'nothing to run');
    const schema = turn.input.calls.find(([name]) => name === 'open')?.[1] ?? newestOf(this.#migrations);
    if (schema !== newestOf(this.#migrations))
      return differs(
        'the program',
        `migration ${JSON.stringify(schema)}`,
        `migration ${String(newestOf(this.#migrations))}`,
      );
    const problem = this.#play(turn);
    if (problem !== null) return differs('the turn did not run', 'it did', problem);
    const found = this.#firstJournalDifference(this.#journalSeq, journal);
    if (found !== null) return differs(found.what, found.recorded, found.replayed, found.seq);
    const drew = this.#tape.mismatch();
    if (drew !== null) return differs('chance', 'as much as was drawn', drew);
    this.#journalSeq = turn.journalSeq;
    return this.#recordDifference(turn, differs);
  }

  #play(turn: RecordedTurn): string | null {
    this.#nowMs = turn.atMs;
    this.#tape.load(turn.input);
    this.#failure = null;
    for (const call of turn.input.calls) {
      const problem = this.#call(call);
      if (problem !== null) return problem;
    }
    this.#target.actor.wake();
    const work = this.#deferred;
    this.#deferred = null;
    work?.();
    return this.#failure;
  }

  #call([name, ...args]: RecordedTurn['input']['calls'][number]): string | null {
    const on: object = KERNEL_CALLS.has(name) ? this.#target.actor : this.#target;
    const method: unknown = Reflect.get(on, name);
    if (typeof method !== 'function') return `this program has no call "${name}"`;
    const answer: unknown = Reflect.apply(method, on, args);
    // What the asker was told, a refusal too, is no part of the state.
    Promise.resolve(answer).catch(() => undefined);
    return null;
  }

  #firstJournalDifference(
    after: number,
    expected: readonly NumberedJournalRow[],
  ): { readonly seq: number; readonly what: string; readonly recorded: string; readonly replayed: string } | null {
    const written = this.#kernel.journalAfter(after, expected.length + 1);
    for (let index = 0; index < Math.max(written.length, expected.length); index += 1) {
      const before = expected[index];
      const now = written[index];
      const field = before === undefined || now === undefined ? 'the row' : differentField(before, now);
      if (field === null) continue;
      return {
        seq: before?.seq ?? now?.seq ?? 0,
        what: `journal: ${field}`,
        recorded: before === undefined ? 'no such row' : rowText(before),
        replayed: now === undefined ? 'no such row' : rowText(now),
      };
    }
    return null;
  }

  #recordDifference(
    turn: RecordedTurn,
    differs: (what: string, recorded: string, replayed: string) => ReplayDifference,
  ): ReplayDifference | null {
    const last = this.#turns.last();
    if (last?.seq !== turn.seq) return differs('the turn changed nothing', 'it changed something', 'nothing');
    const recorded = JSON.stringify(turn.input);
    const replayed = JSON.stringify(last.input);
    return recorded === replayed ? null : differs('what the turn took in', recorded, replayed);
  }

  #ports(): HostPorts {
    return {
      clock: { now: () => this.#nowMs },
      random: this.#tape,
      log: {
        ...silentLog,
        error: (message, fields) => {
          this.#failure ??= `${message}: ${JSON.stringify(fields ?? {})}`;
        },
      },
      runner: { instance: () => null, start: never, report: never, stop: never, job: never },
      openSql: () => this.#sql,
      openAlarm: () => ({ set: () => undefined }),
      defer: (work) => {
        this.#deferred = work;
      },
      after: () => () => undefined,
      mintCapability: never,
    };
  }
}

const FIELDS = ['seq', 'tick', 'atMs', 'entity', 'action', 'rule', 'reason', 'from', 'to'] as const;

const differentField = (before: NumberedJournalRow, now: NumberedJournalRow): string | null =>
  FIELDS.find((field) => before[field] !== now[field]) ?? null;

const rowText = (row: NumberedJournalRow): string =>
  `${String(row.seq)} ${row.entity} ${row.action} ${row.from ?? '-'} -> ${row.to ?? '-'} (${row.rule}: ${row.reason}; tick ${String(row.tick)}, at ${String(row.atMs)})`;
