import type { RigAction } from '../../core/actions.ts';
import type { RigToTown } from '../../core/messages.ts';
import { beadRef, budgetRef, quotaRef } from '../../core/refs.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { Change } from './change.ts';
import { moneyWriter } from './rig-budgets.ts';
import type { RigContext } from './rig-context.ts';

/** What is charged to a bead or a budget, and what keeps a bead from running. */
export type AccountAction = Extract<
  RigAction,
  {
    readonly type:
      | 'charge_bead'
      | 'count_start_failure'
      | 'hold_bead'
      | 'park_bead'
      | 'release_bead'
      | 'close_quota'
      | 'mark_quota_told'
      | 'reserve_budget'
      | 'settle_budget';
  }
>;
type MoneyAction = Extract<
  AccountAction,
  { readonly type: 'close_quota' | 'mark_quota_told' | 'reserve_budget' | 'settle_budget' }
>;

const MONEY: ReadonlySet<string> = new Set<MoneyAction['type']>([
  'close_quota',
  'mark_quota_told',
  'reserve_budget',
  'settle_budget',
]);
const ACCOUNTS: ReadonlySet<string> = new Set<string>([
  ...MONEY,
  'charge_bead',
  'count_start_failure',
  'hold_bead',
  'park_bead',
  'release_bead',
]);

export const isAccount = (action: { readonly type: RigAction['type'] }): action is AccountAction =>
  ACCOUNTS.has(action.type);
const isMoney = (action: AccountAction): action is MoneyAction => MONEY.has(action.type);

export function account(rig: RigContext, turn: Turn, writer: RigWriter, action: AccountAction): Change {
  return isMoney(action) ? money(rig, turn, action) : changeBead(writer, action);
}

function changeBead(writer: RigWriter, action: Exclude<AccountAction, MoneyAction>): Change {
  const entity = beadRef(action.bead);
  switch (action.type) {
    case 'charge_bead':
      writer.updateBead(action.bead, {
        failures: action.failures,
        last_signature: action.signature,
        not_before: action.notBeforeMs,
      });
      return { entity, reason: `failure ${String(action.failures)}: ${action.signature}` };
    case 'count_start_failure':
      writer.updateBead(action.bead, { start_failures: action.startFailures });
      return { entity, to: String(action.startFailures) };
    case 'park_bead':
      writer.updateBead(action.bead, { hold: 'parked', hold_reason: action.reason, not_before: action.untilMs });
      return { entity, to: 'parked', reason: action.reason };
    case 'release_bead':
      writer.updateBead(action.bead, { hold: null, hold_reason: null });
      return { entity, from: 'parked' };
    default:
      writer.updateBead(action.bead, { hold: action.hold, hold_reason: action.reason });
      return { entity, to: action.hold, reason: action.reason };
  }
}

function money(rig: RigContext, turn: Turn, action: MoneyAction): Change {
  const writer = moneyWriter(rig, turn);
  switch (action.type) {
    case 'close_quota':
      writer.closeQuota(action.window);
      turn.send<RigToTown>('town', rig.address, { type: 'quota_closed', window: action.window });
      return { entity: quotaRef(action.window.scope), to: `closed until ${String(action.window.resetsAtMs)}` };
    case 'mark_quota_told':
      writer.setQuotaTold(action.scope, action.told);
      return { entity: quotaRef(action.scope), to: action.told ? 'told' : 'open' };
    case 'reserve_budget':
      writer.ask(action.budget, action);
      return { entity: budgetRef(action.budget), to: `asks for ${String(action.wanted)}` };
    default:
      writer.giveBack(action.budget, action.returned);
      return { entity: budgetRef(action.budget), to: `returned ${String(action.returned)}` };
  }
}
