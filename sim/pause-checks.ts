import type { SimDatabase } from './faulty-sql.ts';
import { Violation } from './ledger.ts';

/** Nothing begins in a paused train. `entity`: what a `start_merge` was journalled for. */
export function checkPause({ address, sql }: SimDatabase, entity: string): void {
  const id = entity.slice(entity.indexOf(':') + 1);
  const paused = sql.all(
    `SELECT reason FROM trains JOIN reviews ON target = target_branch WHERE state = 'paused' AND ? IN (bead_id, source_bead_id) AND step <> 'ended'`,
    id,
  )[0];
  if (paused !== undefined)
    throw new Violation('PAUSE', `${address}: ${id} began in a train that is paused: ${String(paused['reason'])}`);
}
