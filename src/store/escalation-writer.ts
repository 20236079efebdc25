import type { EscalationId } from '../core/model/ids.ts';
import type { Sql } from '../ports/sql.ts';
import { text } from './rows.ts';

export interface NewEscalation {
  readonly id: EscalationId;
  /** Empty for the town itself. */
  readonly rig: string;
  readonly severity: string;
  readonly category: string;
  readonly message: string;
  readonly subject: string;
  readonly causeKey: string;
}

/** Every write to escalations: one open row per cause, and an end that is final. */
export class EscalationWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;

  constructor(sql: Sql, nowMs: number) {
    this.#sql = sql;
    this.#nowMs = nowMs;
  }

  /** A repeat of an open cause raises its counter. Answers the id of the open row. */
  raise(escalation: NewEscalation): string {
    const row = this.#sql.all(
      `INSERT INTO escalations (id, source_rig_id, severity, category, message, subject, cause_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (cause_key) WHERE resolved_at IS NULL DO UPDATE SET repeats = repeats + 1, message = excluded.message RETURNING id`,
      escalation.id,
      escalation.rig,
      escalation.severity,
      escalation.category,
      escalation.message,
      escalation.subject,
      escalation.causeKey,
      this.#nowMs,
    )[0];
    return text(row?.['id']);
  }

  /** The cause is gone. Answers the subjects of what was open. */
  resolveCause(causeKey: string): readonly string[] {
    return this.#sql
      .all(
        'UPDATE escalations SET resolved_at = ?, next_escalation_at = NULL WHERE cause_key = ? AND resolved_at IS NULL RETURNING subject',
        this.#nowMs,
        causeKey,
      )
      .map((row) => text(row['subject']));
  }
}
