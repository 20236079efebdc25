import { agentRef } from '../../core/refs.ts';
import type { AttemptFacts } from '../../core/view.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/**
 * The agent asks a person and stops being expected to show activity. The question is kept with the attempt: it is gone
 * with the answer, and at the latest with the attempt, which its wall clock limit ends.
 */
export function startWaiting(rig: RigContext, turn: Turn, attempt: AttemptFacts, question: string): void {
  const writer = rig.writer(turn);
  const isSame = attempt.question?.text === question;
  if (!isSame) writer.updateAttempt(attempt.id, { question, asked_at: turn.nowMs });
  const agent = rig.view.agent(attempt.agentId);
  if (agent?.status === 'stalled') writer.transitionAgent(agent, 'working');
  const active = rig.view.agent(attempt.agentId);
  if (active?.status === 'working') writer.transitionAgent(active, 'waiting', { last_activity_at: turn.nowMs });
  if (!isSame)
    turn.journal({
      entity: agentRef(attempt.agentId),
      action: 'wait_for_person',
      rule: 'events',
      reason: question,
      from: 'working',
      to: 'waiting',
    });
}

/** A person answered: the agent goes on, and its silence counts from now. */
export function stopWaiting(rig: RigContext, turn: Turn, attempt: AttemptFacts, by: string): void {
  if (attempt.question === null) return;
  const writer = rig.writer(turn);
  writer.updateAttempt(attempt.id, { question: null, asked_at: null });
  const agent = rig.view.agent(attempt.agentId);
  if (agent?.status === 'waiting') writer.transitionAgent(agent, 'working', { last_activity_at: turn.nowMs });
  turn.journal({
    entity: agentRef(attempt.agentId),
    action: 'answered',
    rule: 'command',
    reason: `by ${by}`,
    from: 'waiting',
    to: 'working',
  });
}
