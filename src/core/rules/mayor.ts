import type { Decision, Verdicts } from '../actions.ts';
import {
  INFRA_BACKOFF_MAX_MS,
  MAYOR_FAILURES_TO_OPEN,
  MAYOR_LINGER_MS,
  MAYOR_TRIES_MAX,
  RETRY_BACKOFF_MS,
  TAKEOVER_AFTER_MS,
} from '../limits.ts';
import type { MayorAction } from '../mayor-actions.ts';
import type { MayorAttempt, MayorFacts, MayorOutcome, Sitting } from '../model/mayor.ts';
import { MAYOR_REF } from '../refs.ts';
import { chooseMayorRunner } from './choose-mayor-runner.ts';

type MayorVerdicts = Verdicts<MayorAction>;
const NOTHING: MayorVerdicts = { decisions: [], wakeAtMs: null };
const wakeAt = (wakeAtMs: number | null): MayorVerdicts => ({ decisions: [], wakeAtMs });

/** Cause of the escalation while the breaker is open, and of the one about messages that nobody answered. */
export const MAYOR_BREAKER_CAUSE = 'mayor:breaker';
const MAYOR_UNANSWERED_CAUSE = 'mayor:unanswered';

const act = (reason: string, ...actions: readonly MayorAction[]): MayorVerdicts => {
  const decision: Decision<MayorAction> = { rule: 'mayor', entity: MAYOR_REF, reason, actions };
  return { decisions: [decision], wakeAtMs: null };
};

/**
 * Runs the mayor: one process at a time, only for messages or mail that no process was shown, never to look whether there
 * is something. What it was given it has until it answered; a process that ended without an answer is followed by another.
 */
export function mayorRule(facts: MayorFacts, nowMs: number): MayorVerdicts {
  const { attempt } = facts;
  if (attempt === null) return nextProcess(facts, nowMs);
  if (attempt.endedAtMs === null) return watched(facts, attempt, nowMs);
  const lostMs = lostFor(attempt, nowMs);
  if (lostMs === null) return NOTHING;
  if (lostMs < TAKEOVER_AFTER_MS) return wakeAt(nowMs + TAKEOVER_AFTER_MS - lostMs);
  return act('no answer about its process within the takeover deadline', { type: 'mayor_gone', attempt: attempt.id });
}

const lostFor = (attempt: MayorAttempt, nowMs: number): number | null =>
  attempt.contactLostAtMs === null ? null : nowMs - attempt.contactLostAtMs;

const isWanted = (facts: MayorFacts): boolean => facts.isConfigured && facts.wish === 'running';

/** A process that has not ended: by itself, by a person, by silence, or because it has nothing left to say. */
function watched(facts: MayorFacts, attempt: MayorAttempt, nowMs: number): MayorVerdicts {
  if (attempt.processGone) return ended(facts, attempt, nowMs);
  if (!isWanted(facts)) return stop(attempt, 'evicted', 'the mayor was stopped');
  const lostMs = lostFor(attempt, nowMs);
  if (lostMs !== null && lostMs >= TAKEOVER_AFTER_MS) return lost(facts, attempt, nowMs);
  const lostAtMs = lostMs === null ? null : nowMs + TAKEOVER_AFTER_MS - lostMs;
  const lingersUntilMs = lingerEnd(facts);
  if (lingersUntilMs === null) return wakeAt(lostAtMs);
  if (nowMs < lingersUntilMs) return wakeAt(Math.min(lingersUntilMs, lostAtMs ?? lingersUntilMs));
  const verdicts = stop(attempt, 'done', 'everything is answered and the next message waits');
  return withDecisionsOf(verdicts, close(facts, facts.sitting, 'done'));
}

/** When a process that answered everything has to make room for what waits. */
function lingerEnd(facts: MayorFacts): number | null {
  const { sitting } = facts;
  if (sitting === null || sitting.messages === 0 || sitting.openMessages > 0 || sitting.answeredAtMs === null)
    return null;
  return facts.waitingMessages + facts.newMail > 0 ? sitting.answeredAtMs + MAYOR_LINGER_MS : null;
}

function stop(attempt: MayorAttempt, outcome: MayorOutcome, reason: string): MayorVerdicts {
  return act(
    reason,
    { type: 'end_mayor_attempt', attempt: attempt.id, outcome, reason },
    { type: 'stop_mayor', attempt: attempt.id, epoch: attempt.epoch, mode: 'graceful' },
  );
}

function lost(facts: MayorFacts, attempt: MayorAttempt, nowMs: number): MayorVerdicts {
  const reason = 'no answer about its process within the takeover deadline';
  return act(
    reason,
    { type: 'end_mayor_attempt', attempt: attempt.id, outcome: 'infra', reason },
    { type: 'mayor_gone', attempt: attempt.id },
    { type: 'stop_mayor', attempt: attempt.id, epoch: attempt.epoch, mode: 'now' },
    ...failed(facts, attempt, 'infra', nowMs),
  );
}

/** Causes of an exit that say nothing about the mayor. */
const INFRA_CAUSES: ReadonlySet<string> = new Set(['runner_lost', 'spawn_failed', 'refused', 'stopped']);

function outcomeOf(attempt: MayorAttempt, sitting: Sitting | null): MayorOutcome {
  const { exit } = attempt;
  const hasMessages = sitting !== null && sitting.messages > 0;
  if (hasMessages && sitting.openMessages === 0) return 'done';
  if (exit === null || INFRA_CAUSES.has(exit.cause)) return 'infra';
  if (exit.cause === 'exited' && exit.exitCode === 0) return hasMessages ? 'no_answer' : 'done';
  return 'error';
}

function ended(facts: MayorFacts, attempt: MayorAttempt, nowMs: number): MayorVerdicts {
  const outcome = outcomeOf(attempt, facts.sitting);
  const reason = reasonOf(attempt, outcome);
  const actions: MayorAction[] = [{ type: 'end_mayor_attempt', attempt: attempt.id, outcome, reason }];
  if (outcome === 'done') return withDecisionsOf(act(reason, ...actions), close(facts, facts.sitting, 'done'));
  return act(reason, ...actions, ...failed(facts, attempt, outcome, nowMs));
}

function reasonOf(attempt: MayorAttempt, outcome: MayorOutcome): string {
  const { exit } = attempt;
  const how = exit === null ? 'its process is gone' : `${exit.cause}, exit code ${String(exit.exitCode)}`;
  const last = exit === null || exit.lastLine === '' ? '' : `: ${exit.lastLine}`;
  return outcome === 'no_answer' ? `ended without an answer (${how}${last})` : `${how}${last}`;
}

function failed(facts: MayorFacts, attempt: MayorAttempt, outcome: MayorOutcome, nowMs: number): MayorAction[] {
  const failures = facts.failures + 1;
  // The waits end where the breaker opens.
  const waitMs = RETRY_BACKOFF_MS[failures - 1] ?? INFRA_BACKOFF_MAX_MS;
  const charged = outcome === 'no_answer' || outcome === 'error';
  const notBeforeMs = nowMs + waitMs;
  const counted: MayorAction = { type: 'count_failure', sitting: attempt.sitting, failures, charged, notBeforeMs };
  if (failures < MAYOR_FAILURES_TO_OPEN || facts.isEscalated) return [counted];
  return [
    counted,
    {
      type: 'tell_people',
      causeKey: MAYOR_BREAKER_CAUSE,
      severity: 'high',
      message: `The mayor failed ${String(failures)} times in a row; it is tried again every ${String(INFRA_BACKOFF_MAX_MS / 60_000)} min. Look at "gt mayor status" and its command in gastown.toml. Its messages wait.`,
    },
  ];
}

function close(facts: MayorFacts, sitting: Sitting | null, outcome: 'done' | 'gave_up'): MayorAction[] {
  const actions: MayorAction[] = sitting === null ? [] : [{ type: 'close_sitting', sitting: sitting.number, outcome }];
  if (outcome === 'gave_up') return actions;
  if (facts.failures > 0) actions.push({ type: 'clear_failures' });
  if (facts.isEscalated) actions.push({ type: 'untell_people', causeKey: MAYOR_BREAKER_CAUSE });
  return actions;
}

function withDecisionsOf(verdicts: MayorVerdicts, actions: readonly MayorAction[]): MayorVerdicts {
  const [only] = verdicts.decisions;
  if (only === undefined) return verdicts;
  return { ...verdicts, decisions: [{ ...only, actions: [...only.actions, ...actions] }] };
}

/** No process: one is started when there is something to do, a person wants it, and its waits are over. */
function nextProcess(facts: MayorFacts, nowMs: number): MayorVerdicts {
  const { sitting } = facts;
  if (sitting !== null && sitting.failures >= MAYOR_TRIES_MAX) return giveUp(facts, sitting);
  if (sitting !== null && sitting.messages > 0 && sitting.openMessages === 0)
    return act('everything is answered', ...close(facts, sitting, 'done'));
  if (!isWanted(facts)) return NOTHING;
  if (sitting === null && facts.waitingMessages === 0 && facts.newMail === 0) return NOTHING;
  if (nowMs < facts.notBeforeMs) return wakeAt(facts.notBeforeMs);
  const runner = chooseMayorRunner(facts);
  // The town tells of every change of a runner.
  return runner === null ? NOTHING : startedAt(facts, runner);
}

function startedAt(facts: MayorFacts, runner: string): MayorVerdicts {
  const { sitting } = facts;
  if (sitting !== null)
    return act('its last process ended without an answer', { type: 'start_mayor', sitting: sitting.number, runner });
  return act(
    `${String(facts.waitingMessages)} messages and ${String(facts.newMail)} mails wait`,
    { type: 'open_sitting' },
    { type: 'start_mayor', sitting: null, runner },
  );
}

function giveUp(facts: MayorFacts, sitting: Sitting): MayorVerdicts {
  const what =
    sitting.openMessages > 0 ? `${String(sitting.openMessages)} messages stay unanswered` : 'its mail stays unread';
  return act(
    `${String(sitting.failures)} processes in a row ended without an answer`,
    ...close(facts, sitting, 'gave_up'),
    {
      type: 'tell_people',
      causeKey: MAYOR_UNANSWERED_CAUSE,
      severity: 'medium',
      message: `The mayor did not answer in ${String(sitting.failures)} tries; ${what} (sitting ${String(sitting.number)}). See "gt mayor log"; send again what still matters.`,
    },
  );
}
