import { TownError } from '../../core/errors.ts';
import { OBSERVE_BATCH_MAX } from '../../core/limits.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { dueObservations, type DueObservation } from '../../store/due-observations.ts';
import type { NewEvent } from '../../store/kernel-store.ts';
import { describe } from './failures.ts';
import { TOO_LARGE } from './turn-jobs.ts';
import type { ObservedKind, Program } from './program.ts';

/** The actor as its observations need it. */
interface Watched {
  readonly address: string;
  tryLater(): void;
  observed(
    due: readonly DueObservation[],
    again: Readonly<Record<string, number>>,
    events: readonly NewEvent[],
  ): Promise<void>;
}

const TOGETHER: readonly ObservedKind[] = [{ prefix: '', max: OBSERVE_BATCH_MAX }];

/**
 * Step 1 of the loop, outside any transaction: asks about what is due, one batch at a time of each kind, so that none
 * waits for the answers about another.
 */
export class Watch {
  readonly #actor: Watched;
  readonly #sql: Sql;
  readonly #ports: HostPorts;
  readonly #program: Program;
  /** The batch of each kind that is under way. */
  readonly #asked = new Map<ObservedKind, readonly DueObservation[]>();
  /** How many of a kind are asked about at once, after answers that were together too large to record. */
  readonly #fewer = new Map<ObservedKind, number>();

  constructor(actor: Watched, sql: Sql, ports: HostPorts, program: Program) {
    this.#actor = actor;
    this.#sql = sql;
    this.#ports = ports;
    this.#program = program;
  }

  start(nowMs: number): void {
    for (const kind of this.#program.observes ?? TOGETHER)
      if (!this.#asked.has(kind))
        this.#ask(kind, dueObservations(this.#sql, { ...kind, max: this.#fewer.get(kind) ?? kind.max }, nowMs));
  }

  /** Its answers are recorded: the next batch of its kind may begin. */
  ended(due: readonly DueObservation[]): void {
    for (const [kind, batch] of this.#asked) if (batch === due) this.#asked.delete(kind);
  }

  #ask(kind: ObservedKind, due: readonly DueObservation[]): void {
    if (due.length === 0) return;
    this.#asked.set(kind, due);
    void this.#program
      .observe(due.map(([ref]) => ref))
      .then((seen) => this.#actor.observed(due, Object.fromEntries(seen.again), seen.events))
      .then(() => this.#fewer.delete(kind))
      .catch((error: unknown) => {
        this.ended(due);
        if (error instanceof TownError && error.code === TOO_LARGE)
          this.#fewer.set(kind, Math.max(1, Math.floor(due.length / 2)));
        this.#ports.log.warn('observation not recorded', { actor: this.#actor.address, error: describe(error) });
        this.#actor.tryLater();
      });
  }
}
