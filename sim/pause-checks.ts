import { REVIEW_ROUNDS_MAX } from '../src/core/limits.ts';
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

/** What a review agent has to look at is not merged before it was asked about exactly that head. */
export function checkReviewed({ address, sql }: SimDatabase, entity: string): void {
  const config = String(sql.all(`SELECT value FROM meta WHERE key = 'config'`)[0]?.['value'] ?? '{}');
  if (!config.includes('"reviewer":')) return;
  const id = entity.slice(entity.indexOf(':') + 1);
  const skipped = sql.all(
    `SELECT bead_id, rounds FROM reviews WHERE step = 'preparing' AND ? IN (bead_id, source_bead_id) AND head_sha IS NOT review_asked
      AND source_bead_id IN (SELECT id FROM beads WHERE kind = 'task')`,
    id,
  )[0];
  if (skipped !== undefined && Number(skipped['rounds']) < REVIEW_ROUNDS_MAX)
    throw new Violation('REVIEW', `${address}: ${id} began although its review agent was not asked about it`);
}

/** A rig that is being drained begins nothing new; what has a branch is finished. */
export function checkDrained({ address, sql }: SimDatabase, entity: string): void {
  const [draining] = sql.all(
    `SELECT 1 AS one FROM meta d JOIN meta c ON c.key = 'config' WHERE d.key = 'drain' AND d.value = 'yes' AND json_extract(c.value, '$.parked') = 1`,
  );
  if (draining === undefined) return;
  const id = entity.slice('bead:'.length);
  const [bead] = sql.all('SELECT branch_of FROM beads WHERE id = ?', id);
  if (bead?.['branch_of'] === null) throw new Violation('DRAIN', `${address}: ${id} is begun while its rig is drained`);
}
