import { conflict, precondition, usage } from '../../core/errors.ts';
import { isTerminal, type Bead } from '../../core/model/bead.ts';
import type { AgentId } from '../../core/model/ids.ts';
import { parsePolecat } from '../../core/model/polecat.ts';
import { beadRef } from '../../core/refs.ts';
import { endingActions } from '../../core/rules/end-attempt.ts';
import type { Turn } from '../kernel/turn.ts';
import { RigActions } from './rig-actions.ts';
import type { RigContext } from './rig-context.ts';

/**
 * Gives a bead to one agent. A session of another agent at it ends uncharged and its work is kept; a bead that waits goes
 * to the agent when that is free. Errors: `bad_agent`, `not_a_task`, `bead_ended`, `in_review`, `claim_pending`.
 */
export function reassign(rig: RigContext, turn: Turn, bead: Bead, command: { agent: string; by: string }): void {
  const { by } = command;
  const agent = parsePolecat(rig.view.config().name, command.agent);
  if (bead.type !== 'issue')
    throw usage('not_a_task', `${bead.id} is a merge request; no agent has it.`, 'Look at it with "gt mq".', 'bead');
  if (isTerminal(bead.status))
    throw conflict(
      'bead_ended',
      `${bead.id} has ended (${bead.closeReason ?? bead.status}).`,
      'Create a new bead for more work.',
    );
  if (bead.status === 'in_review')
    throw precondition(
      'in_review',
      `${bead.id} is in review; no agent has it.`,
      `Send it back with "gt request-changes ${bead.id}".`,
    );
  endOther(rig, turn, bead, { agent, by });
  rig.writer(turn).updateBead(bead.id, { pinned_agent: agent });
  turn.dirty(beadRef(bead.id));
}

function endOther(rig: RigContext, turn: Turn, bead: Bead, to: { readonly agent: AgentId; readonly by: string }): void {
  const attempt = rig.view.attemptsOf(bead.id).find((row) => row.endedAtMs === null);
  if (attempt === undefined || attempt.agentId === to.agent) return;
  const facts = rig.view.attempt(attempt.id);
  if (facts === null) return;
  if (facts.claim !== null)
    throw precondition(
      'claim_pending',
      `${facts.agentId} has said done; its work is being checked.`,
      'Wait for the verdict: its session ends with it.',
    );
  const reason = `reassigned to ${to.agent} by ${to.by}`;
  const actions = endingActions(rig.view, facts, { outcome: 'evicted', reason, signature: null }, turn.nowMs);
  const decision = { rule: 'command', entity: beadRef(bead.id), reason, actions };
  const { apply } = new RigActions(rig);
  for (const action of actions) apply(turn, action, decision);
}
