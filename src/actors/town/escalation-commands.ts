import type { Caller } from '../../core/commands.ts';
import { conflict, notFound } from '../../core/errors.ts';
import { escalationTag, refuseStale } from '../../core/etag.ts';
import type { Escalation } from '../../core/model/escalation.ts';
import type { EscalationId } from '../../core/model/ids.ts';
import { escalationRef } from '../../core/refs.ts';
import type { Turn } from '../kernel/turn.ts';
import { causeInRig } from './rig-cause.ts';
import type { TownContext } from './town-context.ts';

/** What people ask of escalations. A repeat changes nothing. */
export class EscalationCommands {
  readonly #town: TownContext;

  constructor(town: TownContext) {
    this.#town = town;
  }

  /** Somebody takes care of it: it rises no more and is told no more. */
  acknowledge(turn: Turn, id: EscalationId, caller: Caller): EscalationId {
    const item = this.#known(id);
    refuseStale(caller, id, escalationTag(item));
    if (item.resolvedAtMs !== null)
      throw conflict('escalation_resolved', `${id} is resolved already.`, 'Nothing needs to be done.');
    if (item.acknowledgedAtMs !== null) return id;
    this.#town.escalations(turn).acknowledge(id, caller.actor);
    this.#account(turn, item, { action: 'acknowledge_escalation', reason: `by ${caller.actor}`, to: 'acknowledged' });
    return id;
  }

  /** A person says that it is over. If its cause comes back, it is a new escalation. */
  resolve(turn: Turn, id: EscalationId, note: string, caller: Caller): EscalationId {
    const item = this.#known(id);
    refuseStale(caller, id, escalationTag(item));
    if (item.resolvedAtMs !== null) return id;
    this.#town.escalations(turn).resolve(id, { by: caller.actor, note, decision: null });
    this.#account(turn, item, { action: 'resolve_escalation', reason: `by ${caller.actor}`, to: 'resolved' });
    if (item.rig !== null)
      this.#town.tell(turn, item.rig, { type: 'escalation_closed', causeKey: causeInRig(item.rig, item.causeKey) });
    return id;
  }

  /** The answer was applied. */
  decided(turn: Turn, id: EscalationId, option: string, caller: Caller): EscalationId {
    const item = this.#known(id);
    this.#town.escalations(turn).resolve(id, { by: caller.actor, note: `decided: ${option}`, decision: option });
    this.#account(turn, item, { action: 'decide_escalation', reason: `by ${caller.actor}`, to: option });
    return id;
  }

  #known(id: EscalationId): Escalation {
    const item = this.#town.view.escalation(id);
    if (item === null) throw notFound('escalation', id);
    return item;
  }

  #account(
    turn: Turn,
    item: Escalation,
    row: { readonly action: string; readonly reason: string; readonly to: string },
  ): void {
    turn.journal({ entity: escalationRef(item.id), rule: 'command', ...row });
    turn.journal({ entity: item.subject, rule: 'command', ...row });
  }
}
