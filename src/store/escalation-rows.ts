import { ROUTE_STATES, ROUTES, SEVERITIES, type Escalation, type EscalationRoute } from '../core/model/escalation.ts';
import { trusted } from '../core/model/ids.ts';
import type { SqlRow } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull, word } from './rows.ts';

export function escalationFromRow(row: SqlRow): Escalation {
  const rig = textOrNull(row['source_rig_id']);
  return {
    id: trusted.escalation(text(row['id'])),
    rig: rig === null || rig === '' ? null : trusted.rig(rig),
    severity: word(SEVERITIES, row['severity'], 'escalations.severity'),
    category: textOrNull(row['category']) ?? '',
    message: text(row['message']),
    subject: text(row['subject']),
    causeKey: text(row['cause_key']),
    repeats: int(row['repeats']),
    acknowledgedAtMs: int(row['acknowledged']) === 1 ? int(row['acknowledged_at']) : null,
    acknowledgedBy: textOrNull(row['acknowledged_by']),
    resolvedAtMs: intOrNull(row['resolved_at']),
    resolvedBy: textOrNull(row['resolved_by']),
    resolution: textOrNull(row['resolution']),
    decision: textOrNull(row['decision']),
    reEscalations: int(row['re_escalation_count']),
    nextEscalationAtMs: intOrNull(row['next_escalation_at']),
    createdAtMs: int(row['created_at']),
  };
}

/** A route's row beside its effect's, which knows the tries and the last error while it is pending. */
export function escalationRouteFromRow(row: SqlRow): EscalationRoute {
  return {
    round: int(row['round']),
    route: word(ROUTES, row['route'], 'escalation_routes.route'),
    severity: word(SEVERITIES, row['severity'], 'escalation_routes.severity'),
    state: word(ROUTE_STATES, row['state'], 'escalation_routes.state'),
    tries: intOrNull(row['tries']) ?? 0,
    error: textOrNull(row['error']) ?? textOrNull(row['effect_error']),
    atMs: intOrNull(row['settled_at']) ?? int(row['created_at']),
  };
}
