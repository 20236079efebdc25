import {
  HOUSEKEEPING_AFTER_OPEN_MS,
  HOUSEKEEPING_EVERY_MS,
  HOUSEKEEPING_GOES_ON_MS,
  SNAPSHOT_TURNS_MIN,
} from '../../core/limits.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { HistoryStore } from '../../store/history-store.ts';
import { TurnStore } from '../../store/turn-store.ts';
import { describe } from './failures.ts';

/** The actor whose house is kept. */
interface Kept {
  readonly address: string;
  housekeep(withoutSnapshots?: boolean): Promise<boolean>;
  snapshotTaken(turn: number, oldest: number): Promise<void>;
}

/**
 * When an actor keeps house. It has no timer of its own: garbage comes from work, so it is collected after a turn that
 * was made for work. A town in which nothing happens is not woken, and nothing grows in it.
 */
export class Housekeeping {
  #dueMs: number | null = null;
  #busy = false;

  opened(nowMs: number): void {
    this.#dueMs = nowMs + HOUSEKEEPING_AFTER_OPEN_MS;
  }

  /** True once when it is time; `keep` must follow. */
  begin(nowMs: number): boolean {
    if (this.#busy || this.#dueMs === null || nowMs < this.#dueMs) return false;
    this.#busy = true;
    return true;
  }

  /** One round: a turn that puts away, then a copy of the database if so much has happened since the last one. */
  async keep(actor: Kept, sql: Sql, ports: HostPorts): Promise<void> {
    let isMoreLeft = false;
    try {
      isMoreLeft = await actor.housekeep(ports.takesNoSnapshots === true);
      const turn = new TurnStore(sql).last()?.seq ?? 0;
      const since = turn - new HistoryStore(sql).newestSnapshot();
      if (ports.snapshots !== undefined && since >= SNAPSHOT_TURNS_MIN) {
        const oldest = await ports.snapshots.take(actor.address, turn, since);
        if (oldest !== null) await actor.snapshotTaken(turn, oldest);
      }
    } catch (error) {
      ports.log.warn('housekeeping failed', { actor: actor.address, error: describe(error) });
    }
    this.#busy = false;
    this.#dueMs = ports.clock.now() + (isMoreLeft ? HOUSEKEEPING_GOES_ON_MS : HOUSEKEEPING_EVERY_MS);
  }
}
