import type { RigAction } from '../../core/actions.ts';
import { beadRef } from '../../core/refs.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Change } from './change.ts';

/** What is charged to a bead, and what keeps it from running. */
export type AccountAction = Extract<RigAction, { readonly type: 'charge_bead' | 'count_start_failure' | 'hold_bead' }>;

const ACCOUNTS: ReadonlySet<string> = new Set<AccountAction['type']>([
  'charge_bead',
  'count_start_failure',
  'hold_bead',
]);

export const isAccount = (action: { readonly type: RigAction['type'] }): action is AccountAction =>
  ACCOUNTS.has(action.type);

export function account(writer: RigWriter, action: AccountAction): Change {
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
    default:
      writer.updateBead(action.bead, { hold: action.hold, hold_reason: action.reason });
      return { entity, to: action.hold, reason: action.reason };
  }
}
