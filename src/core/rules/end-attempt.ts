import { FAILURES_MAX, START_FAILURES_MAX } from '../limits.ts';
import { COUNTED_OUTCOMES } from '../model/agent.ts';
import { hasOpenTarget, sourceOf, type Bead } from '../model/bead.ts';
import { beadRef } from '../refs.ts';
import type { RigAction } from '../actions.ts';
import type { AttemptFacts, RigView } from '../view.ts';
import { failedScope } from '../breaker-scope.ts';
import { RIG_SCOPE, type BreakerScope } from '../model/breaker.ts';
import { closeBreakers, tellBroken } from './dispatch-breaker.ts';
import { retryAdvice } from '../retry-advice.ts';
import { parkedUntil } from './quota.ts';
import { infraBackoffMs, retryBackoffMs, type Ending } from './outcome.ts';

/**
 * Everything that follows from an attempt's end without an accepted done: the bead opens again, is charged or not,
 * waits, asks a person, or has failed. One place, so that no path forgets one of them.
 */
export function endingActions(view: RigView, attempt: AttemptFacts, ending: Ending, nowMs: number): RigAction[] {
  if (attempt.question !== null && COUNTED_OUTCOMES.has(ending.outcome))
    return unansweredActions(view, attempt, attempt.question.text);
  const actions: RigAction[] = [
    {
      type: 'end_attempt',
      attempt: attempt.id,
      outcome: ending.outcome,
      reason: ending.reason,
      signature: ending.signature,
    },
  ];
  const bead = view.bead(attempt.beadId);
  if (bead === null || bead.status !== 'in_progress') return actions;
  if (COUNTED_OUTCOMES.has(ending.outcome))
    actions.push(...closeBreakers(view, attempt), ...chargeActions(view, { bead, attempt, ending, nowMs }));
  else {
    actions.push(reopen(bead));
    if (ending.outcome === 'quota')
      actions.push(...closeBreakers(view, attempt), park(view, { bead, attempt, ending }, nowMs));
    if (ending.outcome === 'infra')
      actions.push(...(askForBranch(view, bead, attempt) ?? infraActions(view, { bead, attempt, ending }, nowMs)));
  }
  return actions;
}

/**
 * Its agent left while it waited for a person. Another agent would only ask again, so the bead waits for the answer too
 * and is charged nothing (T07).
 */
function unansweredActions(view: RigView, attempt: AttemptFacts, question: string): RigAction[] {
  const reason = `The agent ended while it waited for a person: ${question}`;
  const end: RigAction = { type: 'end_attempt', attempt: attempt.id, outcome: 'blocked', reason, signature: null };
  const bead = view.bead(attempt.beadId);
  if (bead === null || bead.status !== 'in_progress') return [end];
  const wish = `${bead.id} waits for an answer: ${question} Its agent has ended. Write it with "gt mail send ${attempt.agentId}" or into the bead with "gt bead update ${bead.id}", then "gt bead retry ${bead.id}".`;
  return [
    end,
    ...closeBreakers(view, attempt),
    reopen(bead),
    { type: 'hold_bead', bead: bead.id, hold: 'needs_human', reason: wish },
    escalation(bead, 'medium', wish),
  ];
}

interface Failed {
  readonly bead: Bead;
  readonly attempt: AttemptFacts;
  readonly ending: Ending;
}

/**
 * A start that fails again and again while others start is the bead's own trouble: nothing is charged, no breaker is its
 * business, and a person is asked instead of trying for ever in silence. A missing program is never a bead's trouble, and
 * what starts at other runners says nothing about the one that failed. Without the sandbox that was asked for nothing
 * starts, and only a person can change that: told at once, and once.
 */
function infraActions(view: RigView, { bead, attempt, ending }: Failed, nowMs: number): RigAction[] {
  const scope = failedScope(attempt, view.runners().length);
  const trip = tripActions(view, { attempt, ending, scope }, nowMs);
  const failed = attempt.exit?.failed;
  if (failed === 'isolation' && !view.breaker(scope).escalated)
    return [...trip, tellBroken(view, { scope, failures: view.breaker(scope).failures + 1, reason: ending.reason })];
  if (attempt.runningAtMs !== null || failed === 'program' || failed === 'isolation') return trip;
  const startFailures = bead.startFailures + 1;
  const count: RigAction = { type: 'count_start_failure', bead: bead.id, startFailures };
  const runner = scope === RIG_SCOPE ? null : attempt.runner;
  const othersStarted = startFailures >= START_FAILURES_MAX && view.othersStarted(bead.id, START_FAILURES_MAX, runner);
  if (!othersStarted) return [...trip, count];
  const question = `${bead.id} could not be started ${String(startFailures)} times although others could. Last: ${ending.reason} Nothing is charged. Correct it with "gt bead update ${bead.id}", then "gt bead retry ${bead.id}".`;
  return [
    count,
    { type: 'hold_bead', bead: bead.id, hold: 'needs_human', reason: question },
    escalation(bead, 'medium', question),
  ];
}

/**
 * Nothing else of the rig waits for a name that was mistyped, and trying again finds nothing. Null: the branch is there,
 * or is not this one bead's: a feature branch is the town's own, and the rig's is everybody's.
 */
function askForBranch(view: RigView, bead: Bead, attempt: AttemptFacts): RigAction[] | null {
  const isOwn = bead.convoyId === null && bead.targetBranch !== view.config().targetBranch;
  if (attempt.exit?.failed !== 'branch' || !isOwn) return null;
  const question = `The origin of ${view.config().name} has no branch "${bead.targetBranch}", into which ${bead.id} is to be merged. ${branchAdvice(bead)}`;
  return [
    { type: 'hold_bead', bead: bead.id, hold: 'needs_human', reason: question },
    escalation(bead, 'medium', question),
  ];
}

/** What was begun is for the branch that it was begun for: naming another one is refused. */
function branchAdvice(bead: Bead): string {
  const retry = `"gt bead retry ${bead.id}"`;
  return hasOpenTarget(bead)
    ? `Push that branch, or name another one with "gt bead update ${bead.id} --target-branch <name>"; then ${retry}.`
    : `Push that branch again, then ${retry}; its work began there, so it can't go elsewhere. Or give it up with "gt bead close ${sourceOf(bead)}".`;
}

const reopen = (bead: Bead): RigAction => ({ type: 'transition_bead', bead: bead.id, from: 'in_progress', to: 'open' });

interface Charge {
  readonly bead: Bead;
  readonly attempt: AttemptFacts;
  readonly ending: Ending;
  readonly nowMs: number;
}

function chargeActions(view: RigView, { bead, attempt, ending, nowMs }: Charge): RigAction[] {
  const failures = bead.failures + 1;
  const signature = ending.signature ?? ending.outcome;
  const charge: RigAction = {
    type: 'charge_bead',
    bead: bead.id,
    failures,
    signature,
    notBeforeMs: nowMs + retryBackoffMs(failures),
  };
  if (failures >= FAILURES_MAX) {
    return [
      charge,
      {
        type: 'transition_bead',
        bead: bead.id,
        from: 'in_progress',
        to: 'failed',
        closeReason: 'attempts_exhausted',
        evidence: { note: ending.reason },
      },
      escalation(bead, 'high', `${bead.id} failed ${String(failures)} times and was given up. Last: ${ending.reason}`),
    ];
  }
  // Twice in a row the same way: a third try would only burn money, so a person is asked.
  if (signature === bead.lastSignature) {
    const question = `${bead.id} failed twice in the same way. Last: ${ending.reason} ${retryAdvice(view, bead, attempt)}`;
    return [
      charge,
      reopen(bead),
      { type: 'hold_bead', bead: bead.id, hold: 'needs_human', reason: question },
      escalation(bead, 'medium', question),
    ];
  }
  return [charge, reopen(bead)];
}

const escalation = (bead: Bead, severity: 'medium' | 'high', message: string): RigAction => ({
  type: 'raise_escalation',
  causeKey: `bead:${bead.id}`,
  severity,
  category: 'bead',
  subject: beadRef(bead.id),
  message,
});

/** It waits for its window, keeps its place in line, and goes on from where it was. */
const park = (view: RigView, { bead, attempt, ending }: Failed, nowMs: number): RigAction => ({
  type: 'park_bead',
  bead: bead.id,
  untilMs: parkedUntil(view, attempt, nowMs),
  reason: ending.reason,
});

interface Tripped {
  readonly attempt: AttemptFacts;
  readonly ending: Ending;
  readonly scope: BreakerScope;
}

/** The scope pays, not the bead. A runner that is lost or silent counts once, however many agents it had. */
function tripActions(view: RigView, { attempt, ending, scope }: Tripped, nowMs: number): RigAction[] {
  const breaker = view.breaker(scope);
  const lost = lostText(attempt);
  if (lost !== null && breaker.reason === lost) return [];
  const reason = lost ?? ending.reason;
  const failures = breaker.failures + 1;
  return [{ type: 'trip_breaker', scope, failures, retryAtMs: nowMs + infraBackoffMs(failures), reason }];
}

/**
 * That its runner's process ended, or fell silent while the agent ran, named by its instance; null when something else was
 * the cause. A start that was never answered is not among it: each is one more sign that the scope is ill.
 */
function lostText(attempt: AttemptFacts): string | null {
  const runner = `runner ${attempt.runnerId ?? 'unknown'}`;
  if (attempt.exit?.cause === 'runner_lost') return `${runner} ended`;
  const silent = attempt.exit === null && attempt.contactLostAtMs !== null && attempt.runningAtMs !== null;
  return silent ? `${runner} did not answer` : null;
}
