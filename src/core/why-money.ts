import { Admission } from './admission.ts';
import { amountText, budgetText, raiseText, type RigBudget } from './budget.ts';
import type { Bead } from './model/bead.ts';
import { duration } from './text.ts';
import type { RigView } from './view.ts';
import { breakerWait } from './why-breaker.ts';

interface Waits {
  readonly sentence: string;
  readonly rule: string;
  readonly next: string;
  readonly command?: string;
  readonly wakeAtMs?: number | null;
  readonly sinceMs?: number | null;
}

export const parkedText = (bead: Bead, reason: string): Waits => ({
  sentence: `Parked, with its place in line: ${reason}`,
  rule: 'quota',
  next: 'Its quota window opens again, or a person says now.',
  command: `gt bead retry ${bead.id}`,
  wakeAtMs: bead.notBeforeMs,
});

/** Why a ready bead is not dispatched although a slot is free; null when budgets, quota and caps let it through. */
export function whyNotAdmitted(view: RigView, bead: Bead, nowMs: number): Waits | null {
  const obstacle = new Admission(view, nowMs).judge(bead);
  if (obstacle === null) return null;
  switch (obstacle.kind) {
    case 'breaker':
      return breakerWait(view, obstacle.breaker);
    case 'budget':
      return budgetWait(view, obstacle.budgets);
    case 'quota': {
      const { window } = obstacle;
      return {
        sentence: `Ready, but the quota of account ${window.account} for model ${window.model} is used up${window.reason === '' ? '' : `: ${window.reason}`}.`,
        rule: 'quota',
        next: `It opens in ${duration(window.resetsAtMs - nowMs)}; or it runs with another model.`,
        command: `gt bead update ${bead.id} --model <name>`,
        wakeAtMs: window.resetsAtMs,
        sinceMs: window.openedAtMs,
      };
    }
    case 'stagger':
      return {
        sentence: 'Ready; after a refusal of the provider, agents start one after the other.',
        rule: 'quota',
        next: 'Its turn comes by itself.',
        wakeAtMs: obstacle.untilMs,
      };
    case 'reviews':
      return {
        sentence: `Ready, but more than ${String(obstacle.max)} merge requests wait for a person (reviews_waiting_max).`,
        rule: 'assign-work',
        next: 'A person looks at them.',
        command: 'gt inbox',
      };
    default:
      return {
        sentence: `Ready; all ${String(obstacle.max)} polecats that may use the ${obstacle.kind} ${obstacle.name} at once are taken.`,
        rule: 'assign-work',
        next: 'One of them is free.',
      };
  }
}

function budgetWait(view: RigView, budgets: readonly RigBudget[]): Waits {
  const texts = budgets.map((budget) => {
    const own = view.useOf(budget);
    // Of a shared one the town knows more than this rig.
    const use = budget.shared
      ? { spent: Math.max(own.spent, budget.townSpent), reserved: Math.max(own.reserved, budget.townReserved) }
      : own;
    return budgetText(budget, use);
  });
  const first = budgets[0];
  return {
    sentence: `Ready; waits for ${texts.join(', and for ')}.`,
    rule: 'budget',
    next:
      first === undefined
        ? ''
        : `Something of it is free again, or ${raiseText(first)} (now ${amountText(first.amount, first.unit)}).`,
  };
}
