import { nextRiseAfterMs } from '../core/rules/escalation.ts';
import type { Route, RouteState, Severity } from '../core/model/escalation.ts';
import type { EscalationId } from '../core/model/ids.ts';
import { trusted } from '../core/model/ids.ts';
import { escalationRef, type Ref } from '../core/refs.ts';
import type { Sql } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
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

export interface RouteKey {
  readonly escalation: string;
  readonly round: number;
  readonly route: Route;
}

export interface Resolution {
  readonly by: string;
  readonly note: string;
  readonly decision: string | null;
}

/** Key of the effect that tells an escalation over a route; also how its row finds its tries. */
export const notifyKey = (key: RouteKey): string => `notify:${key.escalation}:${String(key.round)}:${key.route}`;

/** Every write to escalations: one open row per cause, and an end that is final. */
export class EscalationWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
  }

  #touch(id: string): void {
    this.#dirty(escalationRef(trusted.escalation(id)));
  }

  /** A repeat of an open cause raises its counter, and its severity if it is higher now. */
  raise(escalation: NewEscalation): void {
    const row = this.#sql.all(
      `INSERT INTO escalations (id, source_rig_id, severity, category, message, subject, cause_key, created_at, next_escalation_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (cause_key) WHERE resolved_at IS NULL DO UPDATE SET repeats = repeats + 1, message = excluded.message,
          severity = CASE WHEN instr('low medium high critical', excluded.severity) > instr('low medium high critical', severity)
            THEN excluded.severity ELSE severity END
        RETURNING id`,
      escalation.id,
      escalation.rig,
      escalation.severity,
      escalation.category,
      escalation.message,
      escalation.subject,
      escalation.causeKey,
      this.#nowMs,
      this.#nowMs + (nextRiseAfterMs(0) ?? 0),
    )[0];
    this.#touch(text(row?.['id']));
  }

  /** The cause is gone. Answers the subjects of what was open. */
  resolveCause(causeKey: string): readonly string[] {
    const rows = this.#sql.all(
      `UPDATE escalations SET resolved_at = ?, next_escalation_at = NULL, resolution = 'its cause is gone'
        WHERE cause_key = ? AND resolved_at IS NULL RETURNING id, subject`,
      this.#nowMs,
      causeKey,
    );
    for (const row of rows) this.#touch(text(row['id']));
    return rows.map((row) => text(row['subject']));
  }

  acknowledge(id: EscalationId, by: string): void {
    this.#sql.all(
      `UPDATE escalations SET acknowledged = 1, acknowledged_at = ?, acknowledged_by = ?, next_escalation_at = NULL
        WHERE id = ? AND acknowledged = 0 AND resolved_at IS NULL`,
      this.#nowMs,
      by,
      id,
    );
    this.#touch(id);
  }

  /** A person ended it; an end that came before stays, only the decision is added. */
  resolve(id: EscalationId, resolution: Resolution): void {
    this.#sql.all(
      `UPDATE escalations SET resolved_by = CASE WHEN resolved_at IS NULL OR ? IS NOT NULL THEN ? ELSE resolved_by END,
          resolution = CASE WHEN resolved_at IS NULL OR ? IS NOT NULL THEN ? ELSE resolution END,
          decision = coalesce(decision, ?), resolved_at = coalesce(resolved_at, ?), next_escalation_at = NULL WHERE id = ?`,
      resolution.decision,
      resolution.by,
      resolution.decision,
      resolution.note,
      resolution.decision,
      this.#nowMs,
      id,
    );
    this.#touch(id);
  }

  rise(id: string, fromRound: number, to: { readonly severity: Severity; readonly nextAtMs: number | null }): void {
    const rows = this.#sql.all(
      `UPDATE escalations SET severity = ?, re_escalation_count = re_escalation_count + 1, next_escalation_at = ?
        WHERE id = ? AND re_escalation_count = ? AND acknowledged = 0 AND resolved_at IS NULL RETURNING id`,
      to.severity,
      to.nextAtMs,
      id,
      fromRound,
    );
    if (rows.length === 0) throw new GuardFailed(`${id} was acknowledged, resolved or raised meanwhile`);
    this.#touch(id);
  }

  addRoute(key: RouteKey, severity: Severity, state: RouteState): void {
    this.#sql.all(
      `INSERT INTO escalation_routes (escalation_id, round, route, severity, state, created_at, settled_at) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (escalation_id, round, route) DO NOTHING`,
      key.escalation,
      key.round,
      key.route,
      severity,
      state,
      this.#nowMs,
      state === 'pending' ? null : this.#nowMs,
    );
  }

  settleRoute(key: RouteKey, state: RouteState, error: string | null): void {
    this.#sql.all(
      `UPDATE escalation_routes SET state = ?, error = ?, settled_at = ? WHERE escalation_id = ? AND round = ? AND route = ? AND state = 'pending'`,
      state,
      error,
      this.#nowMs,
      key.escalation,
      key.round,
      key.route,
    );
  }
}
