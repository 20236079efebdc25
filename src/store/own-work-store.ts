import type { Sql } from '../ports/sql.ts';

/** Whether somebody wrote down so many beads since a moment; reads no more rows than were created since then. */
export function createdSoMany(
  sql: Sql,
  who: { readonly by: string; readonly sinceMs: number; readonly count: number },
): boolean {
  const rows = sql.all(
    'SELECT id FROM beads WHERE created_at >= ? AND created_by = ? LIMIT 0 + ?',
    who.sinceMs,
    who.by,
    who.count,
  );
  return rows.length >= who.count;
}
