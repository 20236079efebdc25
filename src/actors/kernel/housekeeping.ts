import {
  HISTORY_KEPT_MS,
  HOUSEKEEPING_AFTER_OPEN_MS,
  HOUSEKEEPING_EVERY_MS,
  HOUSEKEEPING_GOES_ON_MS,
  PRUNE_BATCH,
  QUEUE_RETENTION_MS,
  SNAPSHOT_TURNS_MIN,
} from '../../core/limits.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { HistoryStore } from '../../store/history-store.ts';
import { pruneQueues } from '../../store/prune-queues.ts';
import { TurnStore } from '../../store/turn-store.ts';
import { describe } from './failures.ts';
import type { Program } from './program.ts';
import type { Turn } from './turn.ts';

/** The actor whose house is kept. */
interface Kept {
  readonly address: string;
  housekeep(withoutSnapshots?: boolean): Promise<boolean>;
  snapshotTaken(turn: number, oldest: number): Promise<void>;
}

/** The turn of a round: a bounded part of what is too old goes. True when more is left. */
export function putAway(
  turn: Turn,
  history: HistoryStore,
  of: { readonly program: Program; readonly withoutSnapshots: boolean },
): boolean {
  const isMoreQueued = pruneQueues(turn.sql, turn.nowMs - QUEUE_RETENTION_MS, PRUNE_BATCH);
  const isMoreHistory = history.prune(turn.nowMs - HISTORY_KEPT_MS, PRUNE_BATCH, of.withoutSnapshots);
  const isMoreLeft = of.program.collect?.(turn) === true || isMoreHistory || isMoreQueued;
  // While more is left it stays overdue, for a next life that goes on.
  if (!isMoreLeft) history.kept(turn.nowMs);
  return isMoreLeft;
}

/**
 * When an actor keeps house. It has no timer of its own: garbage comes from work, so it is collected after a turn that
 * was made for work. A town in which nothing happens is not woken, and nothing grows in it.
 *
 * When it was done last is a row, because a life may be short: an object of another host is put away seconds after its
 * last call, and would never live as long as a daemon waits after its start.
 */
export class Housekeeping {
  #dueMs: number | null = null;
  #busy = false;

  /** `keptAtMs`: when it was last done, in whichever life. `isBrief`: on a host whose lives are short, so what is overdue does not wait. */
  opened(nowMs: number, keptAtMs: number, isBrief: boolean): void {
    const isOverdue = nowMs - keptAtMs >= HOUSEKEEPING_EVERY_MS;
    this.#dueMs = isBrief && isOverdue ? nowMs : nowMs + HOUSEKEEPING_AFTER_OPEN_MS;
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
