import type { ExitRecord } from '../core/facts.ts';
import { trusted, type Sha } from '../core/model/ids.ts';
import type { SqlRow } from '../ports/sql.ts';
import { json, textOrNull } from './rows.ts';

/** The commit in which an ended attempt left work: claimed too late, or found by the rescue. Null: it left none. */
export function leftBehind(row: SqlRow): { readonly head: Sha; readonly rescueRef: string | null } | null {
  const exit = row['exit_record'] === null ? null : json<ExitRecord>(row['exit_record']);
  const rescueRef = exit?.rescueRef ?? null;
  const late = textOrNull(row['late_head']);
  if (late !== null) return { head: trusted.sha(late), rescueRef };
  if (exit === null || exit.head === null || ((exit.ahead ?? 0) === 0 && rescueRef === null)) return null;
  return { head: trusted.sha(exit.head), rescueRef };
}
