import type { Sql } from '../ports/sql.ts';
import { KernelStore } from './kernel-store.ts';
import { int } from './rows.ts';

/** The turn of the oldest kept snapshot, and of the newest: nothing after the first may go. */
const OLDEST_SNAPSHOT = 'snapshot_oldest';
const NEWEST_SNAPSHOT = 'snapshot_newest';
/** The newest journal row in the oldest kept snapshot. */
const SNAPSHOT_JOURNAL = 'snapshot_journal';
/** Up to which journal row housekeeping has looked. */
const JOURNAL_SEEN = 'journal_seen';

/** When housekeeping was last done with everything. */
const HOUSE_KEPT_AT = 'house_kept_at';

/** Above every number of a turn or row. */
const ALL = Number.MAX_SAFE_INTEGER;

/** What of an actor's history is kept: all since the oldest snapshot, and of each entity the newest journal row. */
export class HistoryStore {
  readonly #sql: Sql;
  readonly #kernel: KernelStore;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#kernel = new KernelStore(sql);
  }

  /** When housekeeping last left nothing behind; before the first time, when the database was made. */
  keptAtMs(): number {
    const known = this.#kernel.getMeta(HOUSE_KEPT_AT);
    if (known !== null) return Number(known);
    return int(this.#sql.all('SELECT MIN(applied_at) AS at FROM migrations')[0]?.['at'] ?? 0);
  }

  kept(nowMs: number): void {
    this.#kernel.setMeta(HOUSE_KEPT_AT, String(nowMs));
  }

  newestSnapshot(): number {
    return Number(this.#kernel.getMeta(NEWEST_SNAPSHOT) ?? 0);
  }

  snapshotTaken(turn: number, oldestKept: number): void {
    this.#kernel.setMeta(NEWEST_SNAPSHOT, String(turn));
    this.#kernel.setMeta(OLDEST_SNAPSHOT, String(oldestKept));
    const row = this.#sql.all('SELECT journal_seq FROM turns WHERE seq = ?', oldestKept)[0];
    if (row !== undefined) this.#kernel.setMeta(SNAPSHOT_JOURNAL, String(int(row['journal_seq'])));
  }

  /** Journal rows up to this one are in the oldest kept snapshot; 0 without one. */
  journalInSnapshot(): number {
    return Number(this.#kernel.getMeta(SNAPSHOT_JOURNAL) ?? 0);
  }

  /**
   * Deletes recorded turns that the oldest snapshot holds, and journal rows that were written before it and before
   * `beforeMs`, at most `batch` of each; the newest row of an entity stays. True when more is left. `withoutSnapshots`: on
   * a host that takes none, age alone decides, or nothing would ever go.
   */
  prune(beforeMs: number, batch: number, withoutSnapshots = false): boolean {
    const oldest = withoutSnapshots ? ALL : Number(this.#kernel.getMeta(OLDEST_SNAPSHOT) ?? 0);
    if (oldest === 0) return false;
    const turns = this.#sql.all(
      'DELETE FROM turns WHERE seq IN (SELECT seq FROM turns WHERE seq <= ? AND at < ? ORDER BY seq LIMIT 0 + ?) RETURNING seq',
      oldest,
      beforeMs,
      batch,
    ).length;
    return this.#pruneJournal(beforeMs, batch, withoutSnapshots) || turns === batch;
  }

  #pruneJournal(beforeMs: number, batch: number, withoutSnapshots: boolean): boolean {
    const seen = Number(this.#kernel.getMeta(JOURNAL_SEEN) ?? 0);
    const upTo = withoutSnapshots ? ALL : Number(this.#kernel.getMeta(SNAPSHOT_JOURNAL) ?? 0);
    const rows = this.#sql.all(
      'SELECT seq FROM journal WHERE seq > ? AND seq <= ? AND at < ? ORDER BY seq LIMIT 0 + ?',
      seen,
      upTo,
      beforeMs,
      batch,
    );
    const last = rows.at(-1);
    if (last === undefined) return false;
    this.#sql.all(
      `DELETE FROM journal WHERE seq > ? AND seq <= ?
        AND EXISTS (SELECT 1 FROM journal later WHERE later.entity = journal.entity AND later.seq > journal.seq)`,
      seen,
      int(last['seq']),
    );
    this.#kernel.setMeta(JOURNAL_SEEN, String(int(last['seq'])));
    return rows.length === batch;
  }
}
