import type { Agent } from '../model/agent.ts';
import { trusted } from '../model/ids.ts';
import { agentRef } from '../refs.ts';
import type { RigAction } from '../actions.ts';
import type { AttemptFacts, RigView } from '../view.ts';
import { act, NOTHING, type RigDecision, type RigRule } from './rule.ts';

/** After an accepted end a well-behaved agent leaves by itself; the stop comes only if it does not. */
export const STOP_AFTER_END_MS = 2_000;

/**
 * An agent whose attempt ended gives its hook back and is stopped; it is idle only when its process is proven gone.
 * A hook without a live attempt is freed here too, whatever left it behind.
 */
export const freeAgent: RigRule = (view, id, nowMs) => {
  const agent = view.agent(trusted.agent(id));
  if (agent === null || agent.status === 'idle' || agent.status === 'dead') return NOTHING;
  const attempt = view.unresolvedAttempt(agent.id);
  if (attempt === null)
    return holdsLiveAttempt(view, agent) ? NOTHING : act(decide(agent, 'its process is proven gone', toIdle(agent)));
  if (attempt.endedAtMs === null || agent.status === 'stopping') return NOTHING;
  const reason = `its attempt ended (${attempt.outcome ?? 'unknown'})`;
  return act(decide(agent, reason, toStopping(agent, attempt, nowMs)));
};

function decide(agent: Agent, reason: string, actions: readonly RigAction[]): RigDecision {
  return { rule: 'free-agent', entity: agentRef(agent.id), reason, actions };
}

/** Its process is gone but its attempt has not ended yet: the claim's verdict is still to come. */
function holdsLiveAttempt(view: RigView, agent: Agent): boolean {
  return agent.hookBeadId !== null && view.liveAttempt(agent.hookBeadId)?.agentId === agent.id;
}

function toStopping(agent: Agent, attempt: AttemptFacts, nowMs: number): RigAction[] {
  const patience = attempt.outcome === 'done' || attempt.outcome === 'no_change' ? STOP_AFTER_END_MS : 0;
  return [
    { type: 'transition_agent', agent: agent.id, from: agent.status, to: 'stopping' },
    { type: 'unhook_agent', agent: agent.id },
    { type: 'stop_agent', attempt: attempt.id, epoch: attempt.epoch, mode: 'graceful', at: nowMs + patience },
  ];
}

function toIdle(agent: Agent): RigAction[] {
  const steps: RigAction[] = [{ type: 'unhook_agent', agent: agent.id }];
  const direct = agent.status === 'stopping' || agent.status === 'unknown';
  if (!direct) steps.push({ type: 'transition_agent', agent: agent.id, from: agent.status, to: 'stopping' });
  steps.push({ type: 'transition_agent', agent: agent.id, from: direct ? agent.status : 'stopping', to: 'idle' });
  return steps;
}
