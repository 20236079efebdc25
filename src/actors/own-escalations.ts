import { TownError } from '../core/errors.ts';
import type { EscalationId } from '../core/model/ids.ts';
import type { Capability, EscalationSummary } from '../core/queries.ts';
import { commandEscalation, escalationSummary } from './escalation-service.ts';
import type { TownActors } from './town-actors.ts';

/** Open escalations about the bead on an agent's hook, or about the bead whose branch it continues. */
export async function ownEscalations(
  actors: TownActors,
  capability: Capability,
): Promise<readonly EscalationSummary[]> {
  const causes = await ownCauses(actors, capability);
  const items = actors.town.view.escalations(true).filter((item) => causes.includes(item.causeKey));
  return Promise.all(items.map((item) => escalationSummary(actors, item)));
}

/**
 * The agent takes care of it: it rises no more. It resolves nothing: that is for people, or for the end of the cause.
 * Errors: `escalation_not_found`, `not_your_escalation`, `escalation_resolved`.
 */
export async function acknowledgeOwn(
  actors: TownActors,
  capability: Capability,
  id: EscalationId,
): Promise<EscalationSummary> {
  const causes = await ownCauses(actors, capability);
  const item = actors.town.view.escalation(id);
  if (item !== null && !causes.includes(item.causeKey))
    throw new TownError('forbidden', 'not_your_escalation', {
      message: `${id} is not about your bead.`,
      next: 'See yours with "gt escalation list".',
    });
  const caller = {
    actor: capability.agent,
    origin: 'agent',
    idempotencyKey: `${capability.attempt}:ack:${id}`,
  } as const;
  return commandEscalation(actors, id, { type: 'ack' }, caller);
}

async function ownCauses(actors: TownActors, { rig, bead }: Capability): Promise<readonly string[]> {
  const row = await actors.rig(rig)?.view.bead(bead);
  return [`bead:${bead}`, ...(row?.branchOf ? [`bead:${row.branchOf}`] : [])];
}
