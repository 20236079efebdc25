/** A whole town in memory on a virtual clock: real actors, real SQLite, a fake runner. The test moves time. */
import { TownService } from '../../src/actors/town-service.ts';
import { checkRig, checkTown } from '../../src/core/invariants.ts';
import { checkMayor } from '../../src/core/mayor-invariants.ts';
import { MAYOR_ADDRESS } from '../../src/core/model/mayor.ts';
import { readMayorFacts } from '../../src/store/mayor-facts.ts';
import type { HostPorts } from '../../src/ports/host.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { Notification, NotifyOutcome } from '../../src/ports/notifier.ts';
import type { Sql, SqlRow, SqlValue } from '../../src/ports/sql.ts';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import { readInvariantFacts } from '../../src/store/invariant-facts.ts';
import { checkAllSpending } from '../../src/store/money-facts.ts';
import { readTownFacts } from '../../src/store/town-facts.ts';
import { recordedSteps, replayHistory } from '../../src/actors/replay/replay-history.ts';
import { digestTables } from '../../src/store/table-dump.ts';
import { FakeRunner } from './fake-runner.ts';
import { made } from './replay-made.ts';

export { rigConfig } from './rig-config.ts';

/** Counts statements, to show what an idle town costs. */
export class CountingSql implements Sql {
  statements = 0;
  readonly inner: Sql;

  constructor(inner: Sql) {
    this.inner = inner;
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    this.statements += 1;
    return this.inner.all(text, ...args);
  }

  tx<T>(work: () => T): T {
    this.statements += 1;
    return this.inner.tx(work);
  }
}

/** Event-loop turns without news after which nothing is under way: the longest chain of an effect takes fewer. */
const QUIET_ROUNDS = 30;

interface Timer {
  atMs: number;
  readonly run: () => void;
}

/** What a test puts between the town and its world, for faults at exact places. */
export interface TownHooks {
  /** What the next process of the brain gets instead of the plain ports. */
  readonly ports: (plain: HostPorts) => HostPorts;
  /** Hands the runner's facts to the brain; returns when they are recorded, whoever dies meanwhile. */
  readonly handOver: (runner: FakeRunner) => Promise<void>;
  /** Facts of other runners wait to be handed over. */
  readonly waiting?: () => boolean;
}

export class VirtualTown {
  nowMs = 1_000_000_000_000;
  readonly runner = new FakeRunner(() => this.nowMs);
  readonly databases = new Map<string, CountingSql>();
  readonly #alarms = new Map<string, Timer>();
  readonly #timers = new Set<Timer>();
  /** What people outside were told, and what the next telling over a route comes to. */
  readonly notified: { readonly route: string; readonly notification: Notification }[] = [];
  notifyOutcome: (route: string) => NotifyOutcome = () => ({ state: 'sent' });
  service: TownService;
  readonly #hooks: TownHooks | null;
  /** A test that writes into a database behind the actors' back sets this: what nobody asked for can't be replayed. */
  tampered = false;
  #seed = 1;

  constructor(hooks: TownHooks | null = null) {
    made.add(this);
    this.#hooks = hooks;
    this.service = this.#open();
  }

  #open(): TownService {
    return new TownService({ id: 'town-test', name: 'test', ports: this.#hookedPorts() });
  }

  #hookedPorts(): HostPorts {
    const ports = this.#ports();
    return this.#hooks?.ports(ports) ?? ports;
  }

  async #handOver(): Promise<void> {
    if (this.#hooks === null) await this.service.recordFacts(this.runner.facts.splice(0));
    else await this.#hooks.handOver(this.runner);
  }

  /** The process died: nothing of it is left but the databases. */
  crash(): void {
    this.service.stop();
    this.#alarms.clear();
    this.#timers.clear();
    this.service = this.#open();
  }

  #ports(): HostPorts {
    return {
      clock: { now: () => this.nowMs },
      random: { bytes: (count) => Uint8Array.from({ length: count }, () => this.#random()) },
      log: silentLog,
      runner: this.runner,
      notifier: {
        send: (route, notification) => {
          this.notified.push({ route, notification });
          return Promise.resolve(this.notifyOutcome(route));
        },
      },
      openSql: (address) => {
        const known = this.databases.get(address) ?? new CountingSql(SqliteSql.open(':memory:', { readOnly: false }));
        this.databases.set(address, known);
        return known;
      },
      openAlarm: (address, onAlarm) => ({
        set: (atMs) => {
          if (atMs === null) this.#alarms.delete(address);
          else this.#alarms.set(address, { atMs, run: onAlarm });
        },
      }),
      defer: (work) => {
        setImmediate(work);
      },
      after: (delayMs, work) => {
        const timer = { atMs: this.nowMs + delayMs, run: work };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      mintCapability: (capability) => Promise.resolve(`cap:${capability.attempt}`),
    };
  }

  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed & 255;
  }

  /** Lets everything that is due now happen, until nothing changes: facts are delivered too. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_ROUNDS; quiet += 1) {
      if ((this.runner.facts.length > 0 && !this.runner.silent) || this.#hooks?.waiting?.() === true) {
        await this.#handOver();
        quiet = 0;
      }
      if (this.#fireDue()) quiet = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.check();
  }

  #fireDue(): boolean {
    let fired = false;
    for (const [address, alarm] of this.#alarms) {
      if (alarm.atMs > this.nowMs) continue;
      this.#alarms.delete(address);
      alarm.run();
      fired = true;
    }
    for (const timer of this.#timers) {
      if (timer.atMs > this.nowMs) continue;
      this.#timers.delete(timer);
      timer.run();
      fired = true;
    }
    return fired;
  }

  /** The earliest moment at which an actor wants to wake; null when none does. */
  nextAlarmMs(): number | null {
    const due = [...this.#alarms.values()].map((alarm) => alarm.atMs);
    return due.length === 0 ? null : Math.min(...due);
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const next = this.nextAlarmMs();
      if (next === null || next > untilMs) break;
      this.nowMs = Math.max(this.nowMs, next);
      await this.settle();
      if (next === this.nextAlarmMs() && next <= this.nowMs) this.nowMs += 1;
    }
    this.nowMs = untilMs;
    await this.settle();
  }

  /** Runs all that every actor ever took in again, from an empty database, and compares (I26). */
  replay(): void {
    if (this.tampered) return;
    const { safetyNet } = this.#hookedPorts();
    for (const [address, { inner }] of this.databases) {
      const base = SqliteSql.open(':memory:', { readOnly: false });
      const steps = recordedSteps(inner, 0, 0);
      const { difference } = replayHistory(
        { address, town: 'town-test', safetyNet },
        { sql: base, journalSeq: 0 },
        steps,
        () => digestTables(inner),
      );
      base.close();
      if (difference !== null) throw new Error(`I26 ${address}: ${JSON.stringify(difference)}`);
    }
  }

  check(): void {
    for (const [address, sql] of this.databases) {
      const violations = address.startsWith('rig/')
        ? [...checkRig(readInvariantFacts(sql.inner), this.nowMs), ...checkAllSpending(sql.inner)]
        : address === MAYOR_ADDRESS
          ? checkMayor(readMayorFacts(sql.inner))
          : checkTown(readTownFacts(sql.inner));
      if (violations.length > 0)
        throw new Error(
          `${address}: ${violations.map((violation) => `${violation.code} ${violation.text}`).join('; ')}`,
        );
    }
  }
}
