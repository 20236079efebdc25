import { monotoneClock } from '../src/hosts/node/clock.ts';
import { TownService } from '../src/actors/town-service.ts';
import type { Budget } from '../src/core/budget.ts';
import type { MayorConfig } from '../src/core/model/mayor.ts';
import type { RigConfig } from '../src/core/commands.ts';
import type { RunnerInstance } from '../src/core/model/ids.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { HostPorts } from '../src/ports/host.ts';
import { silentLog } from '../src/ports/log.ts';
import type { RunnerClient } from '../src/ports/runner-client.ts';
import type { BrainDoor } from './brain-door.ts';
import type { Sim } from './context.ts';
import { CrashError, diskFull, FaultySql, SimDatabase, type SqlHooks } from './faulty-sql.ts';
import { Violation } from './ledger.ts';
import type { FaultKind } from './plan.ts';
import type { Prng } from './prng.ts';
import { FAR, type Far } from './far.ts';
import type { SimForge } from './forge.ts';
import type { SimRunner } from './runner.ts';

const RUNNER_CALL_MS = 10_000;
/** A daemon that could not start is started again by whoever watches it. */
const RESTART_MS = 5_000;
/** On a disk that is full or nearly so, this share of the commits fails that come so far. */
const COMMIT_REFUSED = 0.5;
/** The host looks for lost alarms at least this often. */
const ALARM_LOST_MAX_MS = 60_000;
/** A turn that could not be written is tried again well within this time. */
const TURN_COMES_BACK_MS = 3_000;

interface SimAlarm {
  atMs: number;
  cancel: () => void;
}

/** A call that arrives so much later than it was sent may find its row gone. */
const PRUNED_MS = 60 * 60_000;

/** The process that hosts the town's actors: it dies at any statement and comes back on the same databases. */
export class Brain {
  readonly databases = new Map<string, SimDatabase>();
  /** The town's file: what a restart reads. */
  readonly configs = new Map<string, RigConfig>();
  budgets: readonly Budget[] = [];
  readonly alarms = new Map<string, SimAlarm>();
  /** The code host of the rig that has one. */
  forge: SimForge | null = null;
  /** What the town's file says of a mayor. */
  mayor: MayorConfig | null = null;
  readonly door: BrainDoor;
  statements = 0;
  /** Turns that were asked for and have not run. */
  pendingTurns = 0;
  readonly #sim: Sim;
  readonly #runner: SimRunner;
  readonly #far: Far | null;
  readonly #chance: Prng;
  readonly #onRows: SqlHooks['onRows'];
  readonly #isNew: boolean;
  #process: { alive: boolean } = { alive: false };
  #clock: Required<Clock>;
  #downMs = 0;

  constructor(parts: {
    readonly sim: Sim;
    readonly door: BrainDoor;
    readonly runner: SimRunner;
    readonly far: Far | null;
    readonly onRows: SqlHooks['onRows'];
    /** The town makes its schemas itself; otherwise they are there. */
    readonly isNew: boolean;
  }) {
    this.#isNew = parts.isNew;
    this.#sim = parts.sim;
    this.door = parts.door;
    this.#runner = parts.runner;
    this.#far = parts.far;
    this.#onRows = parts.onRows;
    this.#chance = parts.sim.chance('brain');
    this.#clock = this.#newClock();
    this.readClock();
    this.#runner.onInstance = (instance) => {
      this.#noticeRunner(instance);
    };
  }

  #noticeRunner(instance: RunnerInstance): void {
    this.door.town?.runnerChanged(instance).catch(() => undefined);
  }

  start(): void {
    const mine = { alive: true };
    this.#process = mine;
    this.#clock = this.#newClock();
    this.#sim.note('brain starts');
    const service = new TownService({ id: 'town-sim', name: 'sim', ports: this.#ports(mine) });
    const configs = [...this.configs.values()];
    const started = service.start(configs, this.budgets).then(() => service.configureMayor(this.mayor));
    started.then(
      () => {
        if (!mine.alive) return;
        this.#excuse(TURN_COMES_BACK_MS);
        this.door.set(service);
        this.#far?.brainStarted();
      },
      () => {
        if (mine.alive) this.crash('could not start', RESTART_MS);
      },
    );
  }

  /** Nothing of the process is left but what it committed. */
  crash(why: string, downMs: number): void {
    if (!this.#process.alive) return;
    this.#sim.note(`brain crashes: ${why}`);
    this.#process.alive = false;
    this.door.set(null);
    for (const alarm of this.alarms.values()) alarm.cancel();
    this.alarms.clear();
    this.#sim.weather.note(downMs);
    this.#sim.time.after(downMs, 'brain restarts', () => {
      this.start();
    });
  }

  #newClock(): Required<Clock> {
    return monotoneClock(
      () => this.#sim.time.wallMs,
      () => this.#sim.time.nowMs,
    );
  }

  /** What the town takes for the time: the machine's clock, but it never goes back. As of this step. */
  nowMs = 0;

  readClock(): void {
    this.nowMs = this.#clock.now();
  }

  get alive(): boolean {
    return this.#process.alive;
  }

  /** How long the process stays down when an armed crash strikes. */
  set nextDownMs(ms: number) {
    this.#downMs = ms;
  }

  rearm(): void {
    this.door.town?.rearm();
  }

  /** The wall clock jumped: whoever sleeps until a moment looks at the clock again soon. */
  clockJumped(): void {
    for (const [address, alarm] of this.alarms) {
      alarm.cancel();
      const wake = this.#wakers.get(address);
      if (wake !== undefined) this.#arm(address, alarm.atMs, wake);
    }
  }

  /** Until this moment a missing alarm has a reason: a lost one is set again, a failed turn comes back. */
  wakeExcusedUntilMs = 0;

  #excuse(forMs: number): void {
    this.wakeExcusedUntilMs = Math.max(this.wakeExcusedUntilMs, this.#sim.time.nowMs + forMs);
  }

  readonly #wakers = new Map<string, () => void>();

  #strike(kind: FaultKind): boolean {
    if (!this.#process.alive || !this.#sim.weather.fires(kind)) return false;
    this.crash(kind, this.#downMs);
    return true;
  }

  #hooks(): SqlHooks {
    return {
      onStatement: (isWrite) => {
        this.statements += 1;
        if (this.#strike('crash_statement')) throw new CrashError('crash at a statement');
        if (!isWrite) return;
        if (!this.#sim.weather.fires('disk_error') && !this.#sim.weather.hits('disk_full')) return;
        this.#excuse(TURN_COMES_BACK_MS);
        throw diskFull();
      },
      onCommit: (moment) => {
        if (this.#strike(moment === 'before' ? 'crash_before_commit' : 'crash_after_commit'))
          throw new CrashError(`crash ${moment} commit`);
        if (moment === 'before' && this.#sim.weather.hits('disk_full', COMMIT_REFUSED)) {
          this.#excuse(TURN_COMES_BACK_MS);
          throw diskFull();
        }
      },
      onRows: this.#onRows,
    };
  }

  #ports(mine: { readonly alive: boolean }): HostPorts {
    const later = (delayMs: number, label: string, work: () => void): (() => void) =>
      this.#sim.time.after(delayMs, label, () => {
        if (mine.alive) work();
      });
    const far = this.#far;
    return {
      clock: this.#clock,
      random: { bytes: (count) => this.#chance.bytes(count) },
      log: silentLog,
      runner: this.#client(mine, 'runner', this.#runner),
      ...(far === null
        ? {}
        : { runners: { client: (id) => (id === FAR && far.hasLine ? this.#client(mine, 'far', far.runner) : null) } }),
      ...(this.forge === null ? {} : { forge: this.forge.client(mine, () => 1) }),
      openSql: (address) => {
        const database = this.databases.get(address) ?? new SimDatabase(address, this.#isNew);
        this.databases.set(address, database);
        return new FaultySql(database, this.#hooks(), () => mine.alive);
      },
      openAlarm: (address, onAlarm) => {
        const wake = (): void => {
          if (mine.alive) onAlarm();
        };
        this.#wakers.set(address, wake);
        return {
          set: (atMs) => {
            if (!mine.alive) return;
            this.alarms.get(address)?.cancel();
            this.alarms.delete(address);
            if (atMs !== null) this.#arm(address, atMs, wake);
          },
        };
      },
      defer: (work) => {
        this.pendingTurns += 1;
        const delayMs = this.#chance.chance(0.2) ? this.#chance.int(8) : 0;
        this.#sim.time.after(delayMs, 'turn', () => {
          this.pendingTurns -= 1;
          if (mine.alive) work();
        });
      },
      after: (delayMs, work) => later(delayMs, 'deadline', work),
      mintCapability: (capability) => Promise.resolve(`cap:${capability.attempt}`),
      probe: (phase) => {
        this.#strike(phase.endsWith(':before') ? 'crash_before_effect' : 'crash_after_effect');
      },
    };
  }

  #arm(address: string, atMs: number, wake: () => void): void {
    const delayMs = Math.max(0, atMs - this.#clock.now());
    const cancel = this.#sim.time.after(
      delayMs,
      `alarm ${address}`,
      () => {
        this.alarms.delete(address);
        if (this.#sim.weather.hits('alarm_lost')) {
          this.#excuse(ALARM_LOST_MAX_MS);
          this.#sim.time.after(this.#chance.between(1_000, ALARM_LOST_MAX_MS), 'lost alarms are set again', () => {
            this.rearm();
          });
          return;
        }
        wake();
        if (this.#sim.weather.hits('alarm_twice')) {
          wake();
          this.#sim.time.after(this.#chance.between(1, 50), `alarm ${address} again`, wake);
        }
      },
      true,
    );
    this.alarms.set(address, { atMs, cancel });
  }

  /** Orders that were found committed; their rows may be gone when a late repeat arrives. */
  readonly #ordered = new Set<string>();

  #isOrdered(key: string): boolean {
    if (this.#ordered.has(key)) return true;
    const found = [...this.databases.values()].some(
      ({ address, sql }) => address !== 'town' && sql.all('SELECT 1 AS one FROM outbox WHERE key = ?', key).length > 0,
    );
    if (found) this.#ordered.add(key);
    return found;
  }

  #client(mine: { readonly alive: boolean }, to: 'runner' | 'far', runner: SimRunner): RunnerClient {
    const call = <T>(label: string, apply: () => Promise<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        if (!mine.alive) return;
        this.#sim.wire.call<T>({
          label,
          to,
          timeoutMs: RUNNER_CALL_MS,
          apply,
          done: (answer) => {
            if (!mine.alive) return;
            if (answer.ok) resolve(answer.value);
            else reject(answer.error instanceof Error ? answer.error : new Error(String(answer.error)));
          },
        });
      });
    /** L11: what reaches the runner was committed before. */
    const order = <T>(label: string, key: string, apply: () => Promise<T>): Promise<T> => {
      const sentAtMs = this.nowMs;
      return call(label, () => {
        // The clock may have jumped by months on the way: settled rows are pruned by then.
        if (this.nowMs < sentAtMs + PRUNED_MS && !this.#isOrdered(key))
          throw new Violation('L11', `the runner got ${key}, which was never committed`);
        return apply();
      });
    };
    const health =
      to === 'far'
        ? { health: () => call('health', () => Promise.resolve({ instance: runner.instance() ?? '' })) }
        : {};
    return {
      ...health,
      instance: () => runner.instance(),
      start: (request) => order(`start ${request.attempt}`, `start:${request.attempt}`, () => runner.start(request)),
      report: (attempts) => call(`report ${attempts.join(',')}`, () => runner.report(attempts)),
      stop: (request) => order(`stop ${request.attempt}`, `stop:${request.attempt}`, () => runner.stop(request)),
      message: (words) => order(`words ${words.key}`, `nudge:${words.key}`, () => runner.message(words)),
      job: (job) => order(`job ${job.key}`, `job:${job.key}`, () => runner.job(job)),
      cancelJob: (key) => order(`cancel ${key}`, `cancel:${key}`, () => runner.cancelJob(key)),
    };
  }
}
