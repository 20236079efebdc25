import { NUDGE_MODES } from '../core/actions.ts';
import { PRUNE_BATCH, QUEUE_RETENTION_MS } from '../core/limits.ts';
import { trusted } from '../core/model/ids.ts';
import { NUDGE_STATES, type NewNudge, type Nudge, type NudgeState } from '../core/model/nudge.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { int, text, word } from './rows.ts';

const COLUMNS = 'id, key, agent_id, attempt_id, sender, text, mode, state, created_at, expires_at';

/** Short words to live sessions, and what became of them. */
export class NudgeStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** False when this nudge is known already. */
  put(nudge: NewNudge): boolean {
    this.#sql.all(
      `DELETE FROM nudges WHERE id IN (SELECT id FROM nudges WHERE created_at < ? AND state <> 'pending' LIMIT 0 + ?)`,
      nudge.createdAtMs - QUEUE_RETENTION_MS,
      PRUNE_BATCH,
    );
    const added = this.#sql.all(
      `INSERT INTO nudges (id, key, agent_id, attempt_id, sender, text, mode, state, created_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?) ON CONFLICT (key) DO NOTHING RETURNING id`,
      nudge.id,
      nudge.key,
      nudge.agent,
      nudge.attempt,
      nudge.from,
      nudge.text,
      nudge.mode,
      nudge.createdAtMs,
      nudge.expiresAtMs,
    );
    return added.length > 0;
  }

  byKey(key: string): Nudge | null {
    const row = this.#sql.all(`SELECT ${COLUMNS} FROM nudges WHERE key = ?`, key)[0];
    return row === undefined ? null : nudgeFromRow(row);
  }

  /** The same text to the same session within its life is the same nudge. */
  same(attempt: string, words: string, nowMs: number): Nudge | null {
    const row = this.#sql.all(
      `SELECT ${COLUMNS} FROM nudges WHERE attempt_id = ? AND text = ? AND expires_at > ? ORDER BY created_at DESC LIMIT 1`,
      attempt,
      words,
      nowMs,
    )[0];
    return row === undefined ? null : nudgeFromRow(row);
  }

  /** How many one sender sent since a moment. */
  sentSince(from: string, sinceMs: number): number {
    const row = this.#sql.all(
      'SELECT COUNT(*) AS n FROM nudges WHERE sender = ? AND created_at >= ?',
      from,
      sinceMs,
    )[0];
    return int(row?.['n'] ?? 0);
  }

  /** False when it was settled before. */
  settle(key: string, state: Exclude<NudgeState, 'pending'>, nowMs: number): boolean {
    return (
      this.#sql.all(
        `UPDATE nudges SET state = ?, settled_at = ? WHERE key = ? AND state = 'pending' RETURNING id`,
        state,
        nowMs,
        key,
      ).length > 0
    );
  }
}

const nudgeFromRow = (row: SqlRow): Nudge => ({
  id: text(row['id']),
  key: text(row['key']),
  agent: trusted.agent(text(row['agent_id'])),
  attempt: trusted.attempt(text(row['attempt_id'])),
  from: text(row['sender']),
  text: text(row['text']),
  mode: word(NUDGE_MODES, row['mode'], 'nudges.mode'),
  state: word(NUDGE_STATES, row['state'], 'nudges.state'),
  createdAtMs: int(row['created_at']),
  expiresAtMs: int(row['expires_at']),
});
