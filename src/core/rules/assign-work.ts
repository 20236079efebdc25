import { INFRA_FAILURES_TO_OPEN, START_DEADLINE_MS } from '../limits.ts';
import { sourceOf, type Bead } from '../model/bead.ts';
import { SCHEDULE } from '../refs.ts';
import type { RigView } from '../view.ts';
import { chooseAgent } from './choose-agent.ts';
import { infraBackoffMs } from './outcome.ts';
import { NOTHING, wakeAt, type RigDecision, type RigRule } from './rule.ts';

/** Ready beads read beyond the free slots, so that beads pinned to a busy agent don't hide the ones behind them. */
const PINNED_LOOKAHEAD = 16;

/**
 * Gives ready beads to agents while slots are free. Assignment is lazy: an agent is made or reused at dispatch, never
 * when work is slung (an eager assignment is a hook without a process, the classic stuck state).
 */
export const assignWork: RigRule = (view, _id, nowMs) => {
  const config = view.config();
  if (config.parked) return NOTHING;
  const breaker = view.breaker();
  const halfOpen = breaker.failures >= INFRA_FAILURES_TO_OPEN;
  if (halfOpen && breaker.retryAtMs > nowMs) return wakeAt(breaker.retryAtMs);
  const free = config.polecatsMax - view.slotsTaken();
  const slots = halfOpen ? Math.min(free, 1) : free;
  const decisions = slots > 0 ? dispatches(view, nowMs, { slots, probing: halfOpen }) : [];
  if (halfOpen && decisions.length > 0) decisions.push(nextProbe(view, nowMs));
  return { decisions, wakeAtMs: view.nextBackoffEnd(nowMs) };
};

function dispatches(
  view: RigView,
  nowMs: number,
  { slots, probing }: { readonly slots: number; readonly probing: boolean },
): RigDecision[] {
  const decisions: RigDecision[] = [];
  const taken = new Set<string>();
  const ready = view.readyBeads(nowMs, slots + PINNED_LOOKAHEAD);
  for (const bead of probing ? byInfraFailure(view, ready) : ready) {
    if (decisions.length >= slots) break;
    const choice = chooseAgent(view, bead, taken);
    if (choice === null) continue;
    taken.add(choice.agent);
    decisions.push({
      rule: 'assign-work',
      entity: SCHEDULE,
      reason: probing
        ? `${bead.id} is the probe of the dispatch breaker`
        : `${bead.id} is first in line and a slot is free`,
      actions: [
        { type: 'dispatch_agent', bead: bead.id, agent: choice.agent, isNew: choice.isNew, round: roundOf(view, bead) },
      ],
    });
  }
  return decisions;
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

/** One probe per back-off while the breaker is half-open, and never a second one before the first could start. */
function nextProbe(view: RigView, nowMs: number): RigDecision {
  const { failures, reason } = view.breaker();
  return {
    rule: 'assign-work',
    entity: SCHEDULE,
    reason: 'one probe while the dispatch breaker is half-open',
    actions: [
      {
        type: 'trip_breaker',
        failures,
        retryAtMs: nowMs + Math.max(START_DEADLINE_MS, infraBackoffMs(failures)),
        reason: reason ?? 'infrastructure failures',
      },
    ],
  };
}
