import type { RigToTown, TownToRig } from '../../core/messages.ts';
import type { Turn } from '../kernel/turn.ts';
import { MoneyWriter } from '../../store/money-store.ts';
import type { RigContext } from './rig-context.ts';

type Of<Type extends TownToRig['type']> = Extract<TownToRig, { readonly type: Type }>;

export type MoneyMessage = Of<'budget_terms' | 'budget_ended' | 'accounts_asked' | 'quota_closed'>;

const MONEY: ReadonlySet<TownToRig['type']> = new Set([
  'budget_terms',
  'budget_ended',
  'accounts_asked',
  'quota_closed',
] satisfies MoneyMessage['type'][]);
export const isMoneyMessage = (message: TownToRig): message is MoneyMessage => MONEY.has(message.type);

export const moneyWriter = (rig: RigContext, turn: Turn): MoneyWriter => new MoneyWriter(rig.sql, turn.dirty);

/** What the town says of budgets and of other rigs' refusals. */
export function applyMoneyMessage(rig: RigContext, turn: Turn, message: MoneyMessage): void {
  const writer = moneyWriter(rig, turn);
  switch (message.type) {
    case 'budget_terms':
      writer.putTerms(message);
      break;
    case 'budget_ended':
      writer.endBudget(message.budget);
      break;
    case 'accounts_asked':
      writer.forgetTold();
      break;
    default: {
      const { window } = message;
      const own = rig.view.quotaWindow(window.scope);
      if (own !== null && own.reportedAtMs >= window.reportedAtMs) return;
      writer.closeQuota({ ...window, told: 'other' });
    }
  }
  const subject = message.type === 'quota_closed' ? `quota:${message.window.scope}` : 'budget:';
  turn.journal({ entity: subject, action: message.type, rule: 'town', reason: textOf(message) });
}

function textOf(message: MoneyMessage): string {
  if (message.type === 'budget_ended') return message.budget;
  if (message.type === 'accounts_asked') return 'the rig was added again';
  if (message.type === 'quota_closed') return 'another rig met it';
  return `${message.budget.id}: ${String(message.budget.amount)}, given ${String(message.granted)}`;
}

/** Tells the town this rig's account of each budget, when it differs from what it told last. In the turn that changed it. */
export function tellBudgets(rig: RigContext, turn: Turn): void {
  const writer = moneyWriter(rig, turn);
  for (const budget of rig.view.budgets()) {
    const account = rig.view.money.account(budget);
    const text = JSON.stringify(account);
    if (writer.told(budget.id) === text) continue;
    writer.setTold(budget.id, text);
    turn.send<RigToTown>('town', rig.address, { type: 'budget_account', budget: budget.id, account });
  }
}
