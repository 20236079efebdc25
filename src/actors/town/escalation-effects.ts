import type { TownFact } from '../../core/actions.ts';
import { NOTIFY_BACKOFF_MS } from '../../core/limits.ts';
import type { OutsideRoute, RouteState } from '../../core/model/escalation.ts';
import type { OutboxRow } from '../../store/kernel-store.ts';
import type { RouteKey } from '../../store/escalation-writer.ts';
import { parseJson } from '../../store/rows.ts';
import type { EffectOutcome } from '../kernel/program.ts';
import type { TownContext } from './town-context.ts';

interface NotifyPayload extends RouteKey {
  readonly route: OutsideRoute;
}

/** Tells one escalation over one route. Whether it still needs telling is read just before. */
export async function notify(town: TownContext, row: OutboxRow): Promise<EffectOutcome> {
  const key = parseJson<NotifyPayload>(row.payload);
  const item = town.view.escalation(key.escalation);
  if (item === null) return { state: 'done' };
  if (item.resolvedAtMs !== null || item.acknowledgedAtMs !== null) return settled(row, key, 'skipped', null);
  const { notifier } = town.ports;
  if (notifier === undefined) return settled(row, key, 'off', 'this host sends nothing');
  const outcome = await notifier.send(key.route, {
    key: row.key,
    escalation: item.id,
    severity: item.severity,
    category: item.category,
    rig: item.rig,
    subject: item.subject.slice(item.subject.indexOf(':') + 1),
    message: item.message,
    rises: key.round,
    raisedAtMs: item.createdAtMs,
    next: `gt escalation list`,
  });
  switch (outcome.state) {
    case 'sent':
      return settled(row, key, 'sent', null);
    case 'off':
    case 'failed':
      return settled(row, key, outcome.state, outcome.error);
    default: {
      const waitMs = NOTIFY_BACKOFF_MS[row.tries - 1];
      return waitMs === undefined
        ? settled(row, key, 'failed', `${outcome.error} (given up after ${String(row.tries)} tries)`)
        : { state: 'retry', error: outcome.error, atMs: town.ports.clock.now() + waitMs };
    }
  }
}

function settled(row: OutboxRow, key: RouteKey, state: RouteState, error: string | null): EffectOutcome {
  const payload: TownFact = { ...key, type: 'escalation_notified', state, error };
  const event = { key: `settled:${row.key}`, type: payload.type, subject: `escalation:${key.escalation}`, payload };
  return state === 'failed' ? { state: 'failed', error: error ?? 'failed', event } : { state: 'done', event };
}
