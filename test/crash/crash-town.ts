/**
 * A virtual town whose brain dies once, at an exact point: before or after a commit, before or after an effect; or that
 * loses one answer, or hears facts twice. Whoever watches it starts it again; nothing else helps.
 */
import type { TownService } from '../../src/actors/town-service.ts';
import type { RigConfig } from '../../src/core/commands.ts';
import { TownError } from '../../src/core/errors.ts';
import type { HostPorts } from '../../src/ports/host.ts';
import type { RunnerClient } from '../../src/ports/runner-client.ts';
import { DbError, type Sql, type SqlRow, type SqlValue } from '../../src/ports/sql.ts';
import type { FakeRunner } from '../support/fake-runner.ts';
import { VirtualTown } from '../support/virtual-town.ts';

/**
 * `crash`: the process dies there. `lost`: an effect happened, nobody hears it. `twice`: facts are told again at once.
 * `full`: the disk takes this one write not, and lives on.
 */
export type FaultKind = 'crash' | 'lost' | 'twice' | 'full';
export const FAULT_KINDS: readonly FaultKind[] = ['crash', 'lost', 'twice', 'full'];

export interface Fault {
  readonly kind: FaultKind;
  /** The how-manieth place of its kind in the history, from 0. */
  readonly at: number;
  /** Crash again so many places after the first one; null: once. */
  readonly again?: number;
}

const isWrite = (text: string): boolean => /^\s*(?:INSERT|UPDATE|DELETE)/i.test(text);
const SETTLES_EFFECT = /^\s*UPDATE outbox SET state/i;

class Dead extends Error {
  override readonly name = 'Dead';
}

const saysDiskFull = (error: unknown): boolean => error instanceof TownError && error.code === 'storage_failed';

/** One process of the brain. */
interface Life {
  alive: boolean;
  readonly died: Promise<void>;
  readonly die: () => void;
}

function newLife(): Life {
  let die = (): void => undefined;
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  return { alive: true, died, die };
}

/** What the process asks of its disk: dead processes ask nothing, and each commit is two places to die. */
class MortalSql implements Sql {
  readonly #inner: Sql;
  readonly #address: string;
  readonly #town: CrashTown;
  readonly #life: Life;
  #depth = 0;
  #wrote = false;

  constructor(inner: Sql, address: string, town: CrashTown, life: Life) {
    this.#inner = inner;
    this.#address = address;
    this.#town = town;
    this.#life = life;
  }

  #mustLive(): void {
    if (!this.#life.alive) throw new Dead('the process is dead');
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    this.#mustLive();
    if (SETTLES_EFFECT.test(text) && this.#town.place('lost', `the answer to ${String(args[3])}`)) {
      // A statement that did not happen is nothing that a replay could know of.
      this.#town.virtual.tampered = true;
      return [];
    }
    if (isWrite(text)) {
      this.#wrote = true;
      if (this.#town.place('full', `a write of ${this.#address}`))
        throw new DbError('storage', 'database or disk is full');
    }
    return this.#inner.all(text, ...args);
  }

  tx<T>(work: () => T): T {
    this.#mustLive();
    if (this.#depth > 0) return this.#inner.tx(work);
    this.#depth += 1;
    this.#wrote = false;
    try {
      const value = this.#inner.tx(() => {
        const result = work();
        this.#point('before');
        return result;
      });
      this.#point('after');
      return value;
    } finally {
      this.#depth -= 1;
    }
  }

  #point(moment: 'before' | 'after'): void {
    if (!this.#wrote) return;
    if (this.#town.place('crash', `${moment} a commit of ${this.#address}`)) throw new Dead('died at a commit');
  }
}

export class CrashTown {
  readonly virtual: VirtualTown;
  /** Every place that the history came by, per kind: a clean run finds them, the faulty runs strike at one. */
  readonly places: Readonly<Record<FaultKind, string[]>> = { crash: [], lost: [], twice: [], full: [] };
  /** Called between death and restart: what a naive program would have forgotten with its process. */
  onDeath: (town: VirtualTown) => void = () => undefined;
  /** Where it struck; null while it has not. */
  struck: string | null = null;
  deaths = 0;
  failed: Error | null = null;
  readonly #fault: Fault | null;
  readonly #configs: readonly RigConfig[];
  #life: Life = newLife();
  /** A daemon that can't make its databases says so and is not there; only one that runs is a case for `full`. */
  #isOpen = false;
  #up: Promise<unknown> = Promise.resolve();

  private constructor(configs: readonly RigConfig[], fault: Fault | null) {
    this.#configs = configs;
    this.#fault = fault;
    this.virtual = new VirtualTown({
      ports: (plain) => this.#ports(plain),
      handOver: (runner) => this.#handOver(runner),
    });
  }

  static async open(configs: readonly RigConfig[], fault: Fault | null): Promise<CrashTown> {
    const town = new CrashTown(configs, fault);
    town.#start();
    await town.settle();
    town.#isOpen = true;
    return town;
  }

  /** True when this is the place to strike at; at a `crash` the process is dead from here on. */
  place(kind: FaultKind, label: string): boolean {
    if (kind === 'full' && !this.#isOpen) return false;
    const known = this.places[kind];
    known.push(label);
    if (this.#fault?.kind !== kind) return false;
    const index = known.length - 1;
    const first = this.#fault.at;
    if (index !== first && (this.#fault.again === undefined || index !== first + 1 + this.#fault.again)) return false;
    this.struck ??= label;
    if (kind === 'crash') this.#die();
    return true;
  }

  #die(): void {
    const life = this.#life;
    life.alive = false;
    life.die();
    this.deaths += 1;
    setImmediate(() => {
      this.virtual.crash();
      this.onDeath(this.virtual);
      this.#start();
    });
  }

  #start(): void {
    const life = this.#life;
    this.#up = Promise.race([
      life.died,
      this.virtual.service.start(this.#configs).catch((error: unknown) => {
        if (life.alive) this.failed ??= error instanceof Error ? error : new Error(String(error));
      }),
    ]);
  }

  /** What a careful client does: when the brain died before it answered, the same again, under the same key. */
  async outlive<T>(ask: (service: TownService) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#up;
      const life = this.#life;
      if (!life.alive) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const answer = await Promise.race([
        life.died,
        ask(this.virtual.service).then(
          (value) => ({ ok: true, value }) as const,
          (error: unknown) => ({ ok: false, error }) as const,
        ),
      ]);
      if (answer === undefined || !life.alive) continue;
      if (answer.ok) return answer.value;
      if (!saysDiskFull(answer.error)) throw answer.error;
    }
  }

  async #handOver(runner: FakeRunner): Promise<void> {
    const batch = [...runner.facts];
    await this.outlive((service) => service.recordFacts(batch));
    if (this.place('twice', batch.map((fact) => fact.key).join(' ')))
      await this.outlive((service) => service.recordFacts(batch));
    runner.facts.splice(0, batch.length);
  }

  async settle(): Promise<void> {
    await this.virtual.settle();
    while (!this.#life.alive) await this.virtual.settle();
    if (this.failed !== null) throw this.failed;
  }

  async advance(ms: number): Promise<void> {
    await this.virtual.advance(ms);
    await this.settle();
  }

  #ports(plain: HostPorts): HostPorts {
    const life = newLife();
    this.#life = life;
    const whileAlive = (work: () => void) => (): void => {
      if (life.alive) work();
    };
    return {
      ...plain,
      runner: mortalRunner(plain.runner, life),
      openSql: (address) => new MortalSql(plain.openSql(address), address, this, life),
      openAlarm: (address, onAlarm) => {
        const alarm = plain.openAlarm(address, whileAlive(onAlarm));
        return {
          set: (atMs) => {
            if (life.alive) alarm.set(atMs);
          },
        };
      },
      defer: (work) => {
        plain.defer(whileAlive(work));
      },
      after: (delayMs, work) => plain.after(delayMs, whileAlive(work)),
      probe: (phase) => {
        if (life.alive) this.place('crash', phase);
      },
      notifier: {
        send: (route, notification) =>
          life.alive && plain.notifier !== undefined ? plain.notifier.send(route, notification) : never(),
      },
    };
  }
}

/** A call of a process that is gone: it never left, and nobody waits for it. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

function mortalRunner(runner: RunnerClient, life: Life): RunnerClient {
  const call = <T>(work: () => Promise<T>): Promise<T> => (life.alive ? work() : never());
  return {
    instance: () => runner.instance(),
    health: () => call(() => runner.health?.() ?? never()),
    start: (request) => call(() => runner.start(request)),
    report: (attempts) => call(() => runner.report(attempts)),
    stop: (request) => call(() => runner.stop(request)),
    job: (job) => call(() => runner.job(job)),
    message: (message) => call(() => runner.message?.(message) ?? never()),
  };
}
