import type { Sql } from '../ports/sql.ts';
import { int, text } from './rows.ts';

/** An entity that is to be asked about, and the moment at which that fell due. */
export type DueObservation = readonly [ref: string, dueAtMs: number];

/** What is due of the entities whose name begins with `prefix`, the longest overdue first. */
export const dueObservations = (
  sql: Sql,
  { prefix, max }: { readonly prefix: string; readonly max: number },
  nowMs: number,
): readonly DueObservation[] =>
  sql
    .all(
      `SELECT entity, due_at FROM timers WHERE due_at <= ? AND kind = 'observe' AND substr(entity, 1, length(?)) = ? ORDER BY due_at LIMIT 0 + ?`,
      nowMs,
      prefix,
      prefix,
      max,
    )
    .map((row) => [text(row['entity']), int(row['due_at'])]);
