import { HEALTH_STATES, type Health, type RigHealth } from '../core/model/health.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull, word } from './rows.ts';

/** What the watchdog knows: one row per rig that ever worked, and one for the runner. */
export class HealthStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  all(): readonly Health[] {
    return this.#sql
      .all('SELECT subject, state, missed, answered_at, asked_at, detail FROM health ORDER BY subject')
      .map(healthFromRow);
  }

  get(subject: string): Health {
    const row = this.#sql.all(
      'SELECT subject, state, missed, answered_at, asked_at, detail FROM health WHERE subject = ?',
      subject,
    )[0];
    return row === undefined
      ? { subject, state: 'unknown', missed: 0, answeredAtMs: null, askedAtMs: null, detail: null }
      : healthFromRow(row);
  }

  put(health: Health): void {
    this.#sql.all(
      `INSERT INTO health (subject, state, missed, answered_at, asked_at, detail) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (subject) DO UPDATE SET state = excluded.state, missed = excluded.missed, answered_at = excluded.answered_at,
          asked_at = excluded.asked_at, detail = excluded.detail`,
      health.subject,
      health.state,
      health.missed,
      health.answeredAtMs,
      health.askedAtMs,
      health.detail,
    );
  }

  remove(subject: string): void {
    this.#sql.all('DELETE FROM health WHERE subject = ?', subject);
  }

  setLive(subject: string, live: boolean): void {
    this.#sql.all(
      'INSERT INTO health (subject, live) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET live = excluded.live',
      subject,
      live ? 1 : 0,
    );
  }

  /** Subjects with live work. */
  live(): readonly string[] {
    return this.#sql
      .all('SELECT subject FROM health WHERE live = 1 ORDER BY subject')
      .map((row) => text(row['subject']));
  }
}

const healthFromRow = (row: SqlRow): Health => ({
  subject: text(row['subject']),
  state: word(HEALTH_STATES, row['state'], 'health.state'),
  missed: int(row['missed']),
  answeredAtMs: intOrNull(row['answered_at']),
  askedAtMs: intOrNull(row['asked_at']),
  detail: textOrNull(row['detail']),
});

/** An actor's account of itself, from its own queues. */
export function readRigHealth(sql: Sql, nowMs: number): RigHealth {
  const one = (query: string, ...args: number[]): number | null => intOrNull(sql.all(query, ...args)[0]?.['n']);
  // Each turn takes all rule timers that are due, and the safety net is one of them; effects may wait for their lane.
  const oldest = one(`SELECT MIN(due_at) AS n FROM timers WHERE kind = 'rule' AND due_at < ?`, nowMs);
  return {
    lastTickAtMs: one('SELECT at AS n FROM journal ORDER BY seq DESC LIMIT 1'),
    backlog:
      (one(`SELECT COUNT(*) AS n FROM inbox WHERE state = 'pending'`) ?? 0) +
      (one(`SELECT COUNT(*) AS n FROM outbox WHERE state = 'pending'`) ?? 0),
    quarantined: one(`SELECT COUNT(*) AS n FROM inbox WHERE state = 'quarantined'`) ?? 0,
    lagMs: oldest === null ? 0 : nowMs - oldest,
  };
}
