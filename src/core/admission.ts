import { isClosedToDispatch, isTripped } from './breaker-scope.ts';
import { runtimeScope } from './model/breaker.ts';
import { NO_CAPS } from './commands.ts';
import { allowance, type RigBudget } from './budget.ts';
import { estimateOf } from './estimate.ts';
import { QUOTA_STAGGER_MS } from './limits.ts';
import { sourceOf, type Bead } from './model/bead.ts';
import { engineOf, type Engine } from './quota.ts';
import type { BreakerFacts, QuotaWindow, RigView } from './view.ts';

/** What keeps a ready bead from being dispatched although a slot is free. */
export type Obstacle =
  /** The program of its runtime could not be started, or its one probe is on its way. */
  | { readonly kind: 'breaker'; readonly breaker: BreakerFacts }
  | { readonly kind: 'budget'; readonly budgets: readonly RigBudget[] }
  | { readonly kind: 'quota'; readonly window: QuotaWindow }
  /** The window has just opened; restarts come one after the other. */
  | { readonly kind: 'stagger'; readonly untilMs: number }
  | { readonly kind: 'runtime' | 'account' | 'reviews'; readonly name: string; readonly max: number };

/**
 * Decides over ready beads one after the other, remembering what it let through: one pass must not give the same dollar,
 * the same place of an account or the same turn after a window twice.
 */
export class Admission {
  readonly #view: RigView;
  readonly #nowMs: number;
  /** Budgets by id: what this pass lets through, what waits for a wider budget and keeps its part of this one, and what could not be. */
  readonly #taken = new Map<string, number>();
  readonly #kept = new Map<string, number>();
  readonly #wanted = new Map<string, { readonly sum: number; readonly least: number }>();
  readonly #engines: Engine[] = [];
  /** Runtimes whose half-open breaker has its probe in this pass. */
  readonly #probed = new Set<string>();
  /** When something that was in the way may be out of it. */
  wakeAtMs: number | null = null;

  constructor(view: RigView, nowMs: number) {
    this.#view = view;
    this.#nowMs = nowMs;
  }

  /** Null: it may go. `mayAsk`: what it lacks of a budget is asked for; else it is only told. */
  judge(bead: Bead, mayAsk = true): Obstacle | null {
    const engine = engineOf(bead, this.#view.config());
    // First, so that what can't start asks for no budget.
    const obstacle =
      this.#breaker(engine) ?? this.#quota(engine) ?? this.#cap(bead, engine) ?? this.#budget(bead, engine, mayAsk);
    if (obstacle === null && isTripped(this.#view.breaker(runtimeScope(engine.runtime))))
      this.#probed.add(engine.runtime);
    if (obstacle?.kind === 'quota') this.#wake(obstacle.window.resetsAtMs);
    if (obstacle?.kind === 'stagger') this.#wake(obstacle.untilMs);
    return obstacle;
  }

  /** It goes: what it takes is no longer there for those behind it. */
  take(bead: Bead): void {
    const engine = engineOf(bead, this.#view.config());
    this.#engines.push(engine);
    for (const budget of this.#covering(bead))
      this.#taken.set(budget.id, (this.#taken.get(budget.id) ?? 0) + this.#need(bead, engine, budget));
  }

  #wake(atMs: number): void {
    this.wakeAtMs = Math.min(this.wakeAtMs ?? atMs, atMs);
  }

  #breaker({ runtime }: Engine): Obstacle | null {
    const breaker = this.#view.breaker(runtimeScope(runtime));
    return isClosedToDispatch(breaker, this.#nowMs) || this.#probed.has(runtime) ? { kind: 'breaker', breaker } : null;
  }

  #quota(engine: Engine): Obstacle | null {
    const window = this.#view.quotaWindow(engine.quotaScope);
    if (window === null) return null;
    if (window.resetsAtMs > this.#nowMs) return { kind: 'quota', window };
    // A window that was open for long has shown that it is; nobody waits beyond that moment.
    const openForLongMs = window.resetsAtMs + STAGGERED_FOR_MS + 1;
    if (this.#nowMs >= openForLongMs) return null;
    if (this.#engines.some((taken) => taken.quotaScope === engine.quotaScope))
      return { kind: 'stagger', untilMs: Math.min(this.#nowMs + QUOTA_STAGGER_MS, openForLongMs) };
    const last = this.#view.lastDispatch(engine.quotaScope);
    const untilMs = last === null ? 0 : Math.min(last + QUOTA_STAGGER_MS, openForLongMs);
    return untilMs > this.#nowMs && (last ?? 0) >= window.resetsAtMs ? { kind: 'stagger', untilMs } : null;
  }

  #cap(bead: Bead, engine: Engine): Obstacle | null {
    const caps = this.#view.config().caps ?? NO_CAPS;
    const runtimeMax = caps.perRuntimeMax[engine.runtime];
    if (runtimeMax !== undefined) {
      const busy = this.#view.slotsOf({ runtime: engine.runtime });
      const taken = this.#engines.filter((one) => one.runtime === engine.runtime).length;
      if (busy + taken >= runtimeMax) return { kind: 'runtime', name: engine.runtime, max: runtimeMax };
    }
    if (caps.perAccountMax !== null) {
      const busy = this.#view.slotsOf({ account: engine.account });
      const taken = this.#engines.filter((one) => one.account === engine.account).length;
      if (busy + taken >= caps.perAccountMax) return { kind: 'account', name: engine.account, max: caps.perAccountMax };
    }
    // Rework is what makes those reviews go away; it is never held up by them.
    if (caps.reviewsWaitingMax === null || bead.branchOf !== null) return null;
    return this.#view.reviewsWaiting() > caps.reviewsWaitingMax
      ? { kind: 'reviews', name: 'merge requests', max: caps.reviewsWaitingMax }
      : null;
  }

  #budget(bead: Bead, engine: Engine, mayAsk: boolean): Obstacle | null {
    const covering = this.#covering(bead);
    const missing = covering.filter((budget) => {
      const { spent, reserved } = this.#view.useOf(budget);
      const used = spent + reserved + (this.#taken.get(budget.id) ?? 0);
      return used + this.#need(bead, engine, budget) > allowance(budget);
    });
    const [first] = missing;
    if (first === undefined) return null;
    if (!mayAsk) return { kind: 'budget', budgets: missing };
    for (const budget of first.shared ? [first] : missing.filter(({ shared }) => !shared)) {
      const need = this.#need(bead, engine, budget);
      const before = this.#wanted.get(budget.id) ?? { sum: 0, least: need };
      this.#wanted.set(budget.id, { sum: before.sum + need, least: Math.min(before.least, need) });
    }
    for (const budget of covering.slice(0, covering.indexOf(first)))
      this.#kept.set(budget.id, (this.#kept.get(budget.id) ?? 0) + this.#need(bead, engine, budget));
    return { kind: 'budget', budgets: missing };
  }

  /**
   * In one order for all rigs, the narrower first. A bead asks for the first that it lacks, and keeps its parts of those
   * before it meanwhile: who gave them back would get them and the next one by turns, for ever; and as nobody keeps a later
   * one while he asks for an earlier one, no two rigs wait for each other.
   */
  #covering(bead: Bead): readonly RigBudget[] {
    return this.#view
      .budgets()
      .filter((budget) => budget.kind === 'hard' && covers(this.#view, budget, bead))
      .toSorted((a, b) => rank(a) - rank(b));
  }

  /** At least one of the smallest unit, so that a used up budget stops what is expected to cost nothing, too. */
  #need(bead: Bead, engine: Engine, budget: RigBudget): number {
    if (budget.unit === 'polecats') return 1;
    const estimate = estimateOf(engine.runtime, this.#view.average({ ...engine, kind: bead.kind }));
    return Math.max(1, budget.unit === 'usd' ? estimate.microUsd : estimate.tokens);
  }

  /** What the beads that did not fit would need of a budget, beside all that is used and let through. */
  askFor(budget: RigBudget): { readonly wanted: number; readonly least: number } {
    const wish = this.#wanted.get(budget.id);
    if (wish === undefined) return { wanted: 0, least: 0 };
    const base = this.usedOf(budget);
    return { wanted: base + (this.#kept.get(budget.id) ?? 0) + wish.sum, least: base + wish.least };
  }

  /** What this rig has of a shared budget and neither uses nor keeps for what waits. */
  spareOf(budget: RigBudget): number {
    const free = allowance(budget) - this.usedOf(budget);
    return Math.max(0, free - (this.#kept.get(budget.id) ?? 0));
  }

  /** Use of a budget as it will be when all that was let through is dispatched. */
  usedOf(budget: RigBudget): number {
    const { spent, reserved } = this.#view.useOf(budget);
    return spent + reserved + (this.#taken.get(budget.id) ?? 0);
  }
}

/** Those of one rig need nobody's grant; agents at once are there again when one ends, money is not. */
function rank(budget: RigBudget): number {
  if (!budget.shared) return 0;
  if (budget.unit === 'polecats') return 3;
  return budget.scope === 'town' ? 2 : 1;
}

/** After a window opened, restarts come one after the other for so long. */
const STAGGERED_FOR_MS = 12 * QUOTA_STAGGER_MS;

/** True when what this bead uses counts in the budget. */
export function covers(view: RigView, budget: { readonly scope: string }, bead: Bead): boolean {
  const { scope } = budget;
  if (scope === 'town' || scope === `rig:${view.config().name}`) return true;
  if (scope === `bead:${sourceOf(bead)}`) return true;
  const convoy = bead.convoyId ?? (bead.branchOf === null ? null : (view.bead(bead.branchOf)?.convoyId ?? null));
  return convoy !== null && scope === `convoy:${convoy}`;
}
