import { TownError } from '../src/core/errors.ts';
import type { Sim } from './context.ts';
import { CrashError } from './faulty-sql.ts';
import { Violation } from './ledger.ts';
import type { Disk } from './machine.ts';
import type { BrainDoor } from './brain-door.ts';
import { NoAnswer } from './wire.ts';

const BATCH_MAX = 50;
const CALL_MS = 10_000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 4_000;

/** Brings facts to the brain: first in, first out per rig, until each is recorded. */
export class FactForwarder {
  readonly #sim: Sim;
  readonly #disk: Disk;
  readonly #door: BrainDoor;
  readonly #later: (delayMs: number, label: string, work: () => void) => void;
  readonly #busy = new Set<string>();
  readonly #alive: () => boolean;
  readonly #id: string;

  constructor(parts: {
    readonly sim: Sim;
    readonly disk: Disk;
    readonly door: BrainDoor;
    readonly later: (delayMs: number, label: string, work: () => void) => void;
    readonly alive: () => boolean;
    /** Name of its runner. */
    readonly id: string;
  }) {
    this.#sim = parts.sim;
    this.#disk = parts.disk;
    this.#door = parts.door;
    this.#later = parts.later;
    this.#alive = parts.alive;
    this.#id = parts.id;
  }

  wake(rig: string): void {
    if (this.#busy.has(rig) || (this.#disk.facts.get(rig) ?? []).length === 0) return;
    this.#busy.add(rig);
    this.#send(rig, RETRY_MIN_MS);
  }

  #send(rig: string, waitMs: number): void {
    const batch = (this.#disk.facts.get(rig) ?? []).slice(0, BATCH_MAX);
    if (batch.length === 0) {
      this.#busy.delete(rig);
      return;
    }
    this.#sim.wire.call<readonly string[]>({
      label: `facts ${batch.map((fact) => fact.key).join(',')}`,
      to: 'brain',
      timeoutMs: CALL_MS,
      apply: () => this.#door.service((town) => town.recordFacts(batch, this.#id)),
      done: (answer) => {
        if (!this.#alive()) return;
        if (answer.ok) {
          this.#disk.forget(rig, new Set(answer.value));
          this.#send(rig, RETRY_MIN_MS);
          return;
        }
        refuseSurprise(answer.error, rig);
        this.#later(waitMs, `facts of ${rig} again`, () => {
          this.#send(rig, Math.min(waitMs * 2, RETRY_MAX_MS));
        });
      },
    });
  }
}

/** Facts may meet a town that is away or busy; any other error would come back for ever. */
function refuseSurprise(error: unknown, rig: string): void {
  const isKnown = error instanceof TownError || error instanceof NoAnswer || error instanceof CrashError;
  if (!isKnown) throw new Violation('API', `facts of ${rig}: ${String(error)}`);
}
