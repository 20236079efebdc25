import type { RigAction } from '../actions.ts';
import { Admission, type Obstacle } from '../admission.ts';
import { isClosedToDispatch, isHalfOpen, isTripped, scopesAt } from '../breaker-scope.ts';
import { RIG_SCOPE, runtimeScope, scopeText, type BreakerScope } from '../model/breaker.ts';
import { READY_SCAN_MAX, START_DEADLINE_MS } from '../limits.ts';
import { sourceOf, type Bead } from '../model/bead.ts';
import type { BeadId } from '../model/ids.ts';
import { SCHEDULE } from '../refs.ts';
import { engineOf } from '../quota.ts';
import type { BreakerFacts, RigView } from '../view.ts';
import { chooseAgent } from './choose-agent.ts';
import { chooseRunner } from './choose-runner.ts';
import { infraBackoffMs } from './outcome.ts';
import type { RigDecision, RigRule } from './rule.ts';

/** Ready beads read beyond the free slots, so that beads pinned to a busy agent don't hide the ones behind them. */
const PINNED_LOOKAHEAD = 16;

/**
 * Gives ready beads to agents while slots are free. Assignment is lazy: an agent is made or reused at dispatch, never
 * when work is slung (an eager assignment is a hook without a process, the classic stuck state).
 */
export const assignWork: RigRule = (view, _id, nowMs) => {
  const config = view.config();
  const idle = { decisions: budgetTalk(view, new Admission(view, nowMs)), wakeAtMs: null };
  if (config.parked && !view.isDraining()) return idle;
  const breaker = view.breaker(RIG_SCOPE);
  const halfOpen = isTripped(breaker);
  if (halfOpen && breaker.retryAtMs > nowMs) return { ...idle, wakeAtMs: breaker.retryAtMs };
  const free = config.polecatsMax - view.slotsTaken();
  const slots = Math.max(0, halfOpen ? Math.min(free, 1) : free);
  const admission = new Admission(view, nowMs);
  const decisions = slots > 0 ? dispatches(view, { nowMs, slots, probing: halfOpen, admission }) : [];
  if (halfOpen && decisions.length > 0)
    decisions.push({
      rule: 'assign-work',
      entity: SCHEDULE,
      reason: 'one probe while the dispatch breaker is half-open',
      actions: [nextProbe(breaker, nowMs)],
    });
  decisions.push(...budgetTalk(view, admission));
  const wakeAtMs = earliest(view.nextBackoffEnd(nowMs), admission.wakeAtMs);
  return { decisions, wakeAtMs: earliest(wakeAtMs, nextRetry(view, nowMs)) };
};

/** When the next open scope may be probed. */
const nextRetry = (view: RigView, nowMs: number): number | null =>
  view
    .breakers()
    .filter((breaker) => isClosedToDispatch(breaker, nowMs))
    .reduce<number | null>((soonest, { retryAtMs }) => earliest(soonest, retryAtMs), null);

const earliest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

interface Pass {
  readonly nowMs: number;
  readonly slots: number;
  readonly probing: boolean;
  readonly admission: Admission;
}

function dispatches(view: RigView, pass: Pass): RigDecision[] {
  const { nowMs, slots, probing } = pass;
  // Beads that may not run now (budget, quota, cap) must not hide those behind them.
  for (let limit = slots + PINNED_LOOKAHEAD; ; limit *= 4) {
    const found = view.readyBeads(nowMs, limit);
    const ready = view.isDraining() ? found.filter(continuesBranch) : found;
    const first = found.length < limit || limit >= READY_SCAN_MAX || mayFill(view, ready, pass);
    const probesRunner = view.breakers().some((row) => row.scope.startsWith('runner:') && isHalfOpen(row, nowMs));
    if (first) return choose(view, probing || probesRunner ? byInfraFailure(view, ready) : ready, pass);
  }
}

/** A drained rig finishes what is in its line: rework and reviews. */
const continuesBranch = (bead: Bead): boolean => bead.branchOf !== null;

/** Whose branch a bead works on. Of several rounds of rework that are ready at once one starts: a branch has one process (seed 5190). */
const ownerOfBranch = ({ id, branchOf }: Bead): BeadId => branchOf ?? id;

/** True when enough of these may run to fill the slots. */
function mayFill(view: RigView, ready: readonly Bead[], { nowMs, slots }: Pass): boolean {
  const trial = new Admission(view, nowMs);
  return ready.filter((bead) => trial.judge(bead) === null).length >= slots + PINNED_LOOKAHEAD / 2;
}

function choose(view: RigView, ready: readonly Bead[], { slots, probing, admission, nowMs }: Pass): RigDecision[] {
  const decisions: RigDecision[] = [];
  const taken = new Set<string>();
  const given = new Map<string, number>();
  const config = view.config();
  const probed = new Set<BreakerScope>();
  const branches = new Set<BeadId>();
  let asking = slots;
  for (const bead of ready) {
    if (decisions.length >= slots) break;
    if (branches.has(ownerOfBranch(bead))) continue;
    const choice = chooseAgent(view, bead, taken);
    if (choice === null) continue;
    const runner = chooseRunner(view, bead, { given, probed, nowMs });
    if (runner === null) continue;
    const obstacle = admission.judge(bead, asking > 0);
    if (asksTheTown(obstacle)) asking -= 1;
    if (obstacle !== null) continue;
    admission.take(bead);
    taken.add(choice.agent);
    branches.add(ownerOfBranch(bead));
    given.set(runner, (given.get(runner) ?? 0) + 1);
    const { agent, isNew } = choice;
    const halfOpen = [runtimeScope(engineOf(bead, config).runtime), ...scopesAt(view, bead, runner)]
      .map((scope) => view.breaker(scope))
      .filter(isTripped);
    for (const { scope } of halfOpen) probed.add(scope);
    const names = [...(probing ? [RIG_SCOPE] : []), ...halfOpen.map(({ scope }) => scope)];
    decisions.push({
      rule: 'assign-work',
      entity: SCHEDULE,
      reason:
        names.length > 0
          ? `${bead.id} is the probe of ${names.map((scope) => scopeText(scope, config.name)).join(' and ')}`
          : `${bead.id} is first in line and a slot is free`,
      actions: [
        { type: 'dispatch_agent', bead: bead.id, agent, isNew, round: roundOf(view, bead), runner },
        ...halfOpen.map((breaker) => nextProbe(breaker, nowMs)),
      ],
    });
  }
  return decisions;
}

/** Counted, so that no more is asked for than could run. */
const asksTheTown = (obstacle: Obstacle | null): boolean =>
  obstacle?.kind === 'budget' && obstacle.budgets[0]?.shared === true;

/**
 * What this rig has of shared budgets and does not need now goes back at once, and what it needs is asked for: a part that
 * a rig keeps for later stops another one now.
 */
function budgetTalk(view: RigView, admission: Admission): RigDecision[] {
  return view.budgets().flatMap((budget) => {
    if (budget.kind !== 'hard') return [];
    const { wanted, least } = admission.askFor(budget);
    const waiting = wanted > 0;
    const asks = budget.shared ? { wanted, least } : { wanted: 0, least: 0 };
    const actions: RigAction[] = [];
    if (asks.wanted !== budget.wanted || asks.least !== budget.least || waiting !== budget.waiting)
      actions.push({ type: 'reserve_budget', budget: budget.id, ...asks, waiting });
    const spare = admission.spareOf(budget);
    if (budget.shared && spare > 0)
      actions.push({ type: 'settle_budget', budget: budget.id, returned: budget.returned + spare });
    if (actions.length === 0) return [];
    const reason = waiting ? `ready work waits for ${budget.id}` : `nothing waits for ${budget.id}`;
    return [{ rule: 'budget', entity: SCHEDULE, reason, actions }];
  });
}

/**
 * A bead that itself is the trouble (a target branch that does not exist) must not be the probe each time, or it would
 * stop the whole rig: who failed that way last goes first no more, whoever failed longest ago before it.
 */
function byInfraFailure(view: RigView, ready: readonly Bead[]): readonly Bead[] {
  const failedAtMs = (bead: Bead): number => {
    const last = view.lastAttempt(bead.id);
    return last?.outcome === 'infra' ? (last.endedAtMs ?? 0) : 0;
  };
  return ready
    .map((bead) => ({ bead, failedAtMs: failedAtMs(bead) }))
    .toSorted((a, b) => a.failedAtMs - b.failedAtMs)
    .map((row) => row.bead);
}

function roundOf(view: RigView, bead: Bead): number {
  return bead.branchOf === null ? 0 : (view.reviewOf(sourceOf(bead))?.rounds ?? 0);
}

/** One probe per back-off while a breaker is half-open, and never a second one before the first could start. */
const nextProbe = ({ scope, failures, reason }: BreakerFacts, nowMs: number): RigAction => ({
  type: 'trip_breaker',
  scope,
  failures,
  retryAtMs: nowMs + Math.max(START_DEADLINE_MS, infraBackoffMs(failures)),
  reason: reason ?? 'infrastructure failures',
});
