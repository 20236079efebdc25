import type { EscalationSummary } from '../core/queries.ts';
import type { EscalationItem } from './contract/escalations.ts';

export function presentEscalation(item: EscalationSummary): EscalationItem {
  return {
    id: item.id,
    status: item.status,
    rig: item.rig,
    severity: item.severity,
    category: item.category,
    message: item.message,
    subject: item.subject,
    repeats: item.repeats,
    created_at: item.createdAtMs,
    acknowledged_at: item.acknowledgedAtMs,
    acknowledged_by: item.acknowledgedBy,
    resolved_at: item.resolvedAtMs,
    resolved_by: item.resolvedBy,
    resolution: item.resolution,
    decision: item.decision,
    rises: item.reEscalations,
    rises_at: item.nextEscalationAtMs,
    routes: item.routes.map((route) => ({
      round: route.round,
      route: route.route,
      severity: route.severity,
      status: route.state,
      tries: route.tries,
      error: route.error,
      at: route.atMs,
    })),
    options: item.options.map((option) => ({ key: option.key, name: option.name, what: option.what })),
  };
}
