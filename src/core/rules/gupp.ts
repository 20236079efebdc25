import type { RigAction } from '../actions.ts';
import {
  GUPP_CHECK_AFTER_MS,
  GUPP_ESCALATE_AFTER_MS,
  GUPP_NUDGE_AFTER_MS,
  GUPP_RUNG_GAP_MS,
  GUPP_STOP_AFTER_MS,
  GUPP_TOOL_EXTRA_MS,
} from '../limits.ts';
import type { Agent } from '../model/agent.ts';
import { trusted, type AttemptId } from '../model/ids.ts';
import { witnessOf } from '../model/mail.ts';
import { agentRef, attemptEntity } from '../refs.ts';
import { duration } from '../text.ts';
import type { AttemptFacts, RigView } from '../view.ts';
import { endingActions } from './end-attempt.ts';
import { act, NOTHING, wakeAt, type RigDecision, type RigRule } from './rule.ts';

/** 0: no rung taken in this silence. 1: nudged. 2: asked by mail. 3: a person was told. 4: stopped. */
type Rung = 1 | 2 | 3 | 4;
const NEXT: Readonly<Record<0 | Rung, Rung | null>> = { 0: 1, 1: 2, 2: 3, 3: 4, 4: null };

/** Cause of the escalation about one silent attempt. */
const guppCause = (attempt: AttemptId): string => `gupp:${attempt}`;
/** One check per silence: the mail's key. */
const guppMailKey = (attempt: AttemptId, sinceMs: number): string => `gupp_check:${attempt}:${String(sinceMs)}`;

/**
 * If there is work on the hook, it runs: a hooked agent whose process lives but shows no activity is nudged, asked,
 * reported to a person, and at last stopped, rung by rung. The rung is kept with the attempt and is valid only for the
 * silence that it names, so activity takes it back without anybody having to remember that. An agent that waits for a
 * person, for a verdict or for its runner is not silent.
 */
export const gupp: RigRule = (view, id, nowMs) => {
  const attempt = view.attempt(trusted.attempt(id));
  if (attempt === null) return NOTHING;
  const agent = view.agent(attempt.agentId);
  if (attempt.endedAtMs !== null || agent === null) return ended(attempt);
  const sinceMs = silentSince(agent, attempt);
  const taken = attempt.gupp?.sinceMs === sinceMs ? attempt.gupp : null;
  if (isOver(agent, attempt, taken !== null)) return act(goesOn(agent, attempt));
  if (!isWatched(agent, attempt)) return NOTHING;
  const { rung: before, atMs } = taken ?? { rung: 0 as const, atMs: sinceMs };
  const rung = NEXT[before];
  if (rung === null) return NOTHING;
  const dueMs = Math.max(sinceMs + patienceMs(rung, agent), atMs + GUPP_RUNG_GAP_MS);
  return nowMs < dueMs ? wakeAt(dueMs) : act(step(view, { agent, attempt, sinceMs, rung, nowMs }));
};

/** The silence that a rung was taken for has ended: by activity, or because the agent waits for a person. */
function isOver(agent: Agent, attempt: AttemptFacts, lasts: boolean): boolean {
  if (attempt.gupp !== null && agent.status === 'waiting') return true;
  return !lasts && (attempt.gupp !== null || agent.status === 'stalled');
}

/** A missing time counts from the dispatch. */
const silentSince = (agent: Agent, attempt: AttemptFacts): number =>
  Math.max(agent.lastActivityAtMs ?? attempt.startedAtMs, attempt.startedAtMs);

const isWatched = (agent: Agent, attempt: AttemptFacts): boolean =>
  (agent.status === 'working' || agent.status === 'stalled') &&
  attempt.claim === null &&
  !attempt.processGone &&
  attempt.contactLostAtMs === null;

function patienceMs(rung: Rung, agent: Agent): number {
  const extraMs = agent.activeTools.length > 0 ? GUPP_TOOL_EXTRA_MS : 0;
  switch (rung) {
    case 1:
      return GUPP_NUDGE_AFTER_MS + extraMs;
    case 2:
      return GUPP_CHECK_AFTER_MS + extraMs;
    case 3:
      return GUPP_ESCALATE_AFTER_MS;
    default:
      return GUPP_STOP_AFTER_MS;
  }
}

interface Silence {
  readonly agent: Agent;
  readonly attempt: AttemptFacts;
  readonly sinceMs: number;
  readonly rung: Rung;
  readonly nowMs: number;
}

function step(view: RigView, silence: Silence): RigDecision {
  const { agent, attempt, sinceMs, rung, nowMs } = silence;
  const quiet = `no activity for ${duration(nowMs - sinceMs)}`;
  const taken: RigAction = { type: 'gupp_step', attempt: attempt.id, rung, sinceMs };
  const stalled: RigAction[] =
    agent.status === 'working' ? [{ type: 'transition_agent', agent: agent.id, from: 'working', to: 'stalled' }] : [];
  return {
    rule: 'gupp',
    entity: attemptEntity(attempt.id),
    reason: `${agent.id}: ${quiet}`,
    actions: [taken, ...stalled, ...consequences(view, silence, quiet)],
  };
}

function consequences(view: RigView, silence: Silence, quiet: string): RigAction[] {
  const { agent, attempt, sinceMs, rung, nowMs } = silence;
  const witness = witnessOf(view.config().name);
  switch (rung) {
    case 1:
      return [
        {
          type: 'send_nudge',
          attempt: attempt.id,
          key: `gupp:${attempt.id}:${String(sinceMs)}`,
          from: witness,
          text: `There is work on your hook (${attempt.beadId}) and ${quiet}. Go on with it, hand it in with "gt done", or ask with "gt wait".`,
          mode: 'immediate',
        },
      ];
    case 2:
      return [
        {
          type: 'send_mail',
          mail: {
            key: guppMailKey(attempt.id, sinceMs),
            from: witness,
            to: agent.id,
            kind: 'gupp_check',
            subject: `Are you still working on ${attempt.beadId}?`,
            body: `The rig has seen ${quiet} from you. Any output or command of yours answers this. If you are stuck, say so with "gt escalate"; if you need a person's answer, ask with "gt wait".`,
            replyTo: null,
          },
        },
      ];
    case 3:
      return [
        {
          type: 'raise_escalation',
          causeKey: guppCause(attempt.id),
          severity: 'medium',
          category: 'gupp',
          subject: agentRef(agent.id),
          message: `${agent.id} works on ${attempt.beadId} but shows ${quiet}; it did not react to a nudge and a mail. It is stopped and the bead is tried again ${duration(GUPP_STOP_AFTER_MS)} after its last sign of life.`,
        },
      ];
    default: {
      const ending = {
        outcome: 'no_progress' as const,
        reason: `The agent showed ${quiet} and was stopped.`,
        signature: 'no_progress/gupp',
      };
      return endingActions(view, attempt, ending, nowMs);
    }
  }
}

function goesOn(agent: Agent, attempt: AttemptFacts): RigDecision {
  const back: RigAction[] =
    agent.status === 'stalled' ? [{ type: 'transition_agent', agent: agent.id, from: 'stalled', to: 'working' }] : [];
  return {
    rule: 'gupp',
    entity: attemptEntity(attempt.id),
    reason: agent.status === 'waiting' ? `${agent.id} waits for a person` : `${agent.id} is active again`,
    actions: [...back, ...takeBack(attempt)],
  };
}

/** With the attempt ends what was said about its silence; the agent's next session must not read of it. */
function ended(attempt: AttemptFacts): ReturnType<RigRule> {
  if (attempt.gupp === null) return NOTHING;
  return act({
    rule: 'gupp',
    entity: attemptEntity(attempt.id),
    reason: 'the silent attempt has ended',
    actions: takeBack(attempt),
  });
}

function takeBack(attempt: AttemptFacts): RigAction[] {
  const { gupp: flag } = attempt;
  if (flag === null) return [];
  const resolve: RigAction[] =
    flag.rung >= 3 ? [{ type: 'resolve_escalation', causeKey: guppCause(attempt.id), bead: null }] : [];
  return [{ type: 'gupp_reset', attempt: attempt.id, mailKey: guppMailKey(attempt.id, flag.sinceMs) }, ...resolve];
}
