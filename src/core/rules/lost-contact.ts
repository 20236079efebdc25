import type { RigAction } from '../actions.ts';
import { TAKEOVER_AFTER_MS } from '../limits.ts';
import { trusted } from '../model/ids.ts';
import { attemptEntity } from '../refs.ts';
import { endingActions } from './end-attempt.ts';
import { act, NOTHING, wakeAt, type RigRule } from './rule.ts';

/**
 * An attempt whose runner does not answer keeps its bead until the takeover deadline: the agent may be working and only
 * the line be cut. After it the attempt ends and a new epoch may start; what the old one still finishes is late
 * evidence, fenced by its epoch. Proven loss (an exit record, a new runner instance) does not wait for this.
 */
export const lostContact: RigRule = (view, id, nowMs) => {
  const attempt = view.attempt(trusted.attempt(id));
  if (attempt === null || attempt.contactLostAtMs === null || attempt.processGone) return NOTHING;
  const deadlineMs = attempt.contactLostAtMs + TAKEOVER_AFTER_MS;
  if (nowMs < deadlineMs) return wakeAt(deadlineMs);
  const reason = 'The runner did not answer until the takeover deadline.';
  const gone: RigAction[] = [
    { type: 'declare_gone', attempt: attempt.id },
    // A process that outlived the silence keeps the agent's name and the branch busy at the runner until it is stopped.
    { type: 'stop_agent', attempt: attempt.id, epoch: attempt.epoch, mode: 'now', at: nowMs },
  ];
  const ended = attempt.endedAtMs !== null || attempt.claim !== null;
  const actions = ended
    ? gone
    : [...endingActions(view, attempt, { outcome: 'infra', reason, signature: null }, nowMs), ...gone];
  return act({ rule: 'lost-contact', entity: attemptEntity(attempt.id), reason, actions });
};
