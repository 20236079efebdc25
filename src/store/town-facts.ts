import type { TownInvariantFacts } from '../core/invariants.ts';
import type { Sql } from '../ports/sql.ts';
import { CONVOY_COLUMNS } from './columns.ts';
import { convoyFromRow, text } from './rows.ts';
import { SqlTownView } from './town-view.ts';

/** Convoys that ended longer ago were looked at when they ended; so the cost does not grow with history. */
const ENDED_CONVOYS = 20;

/** Reads what the invariant checker of the town looks at. */
export function readTownFacts(sql: Sql): TownInvariantFacts {
  const view = new SqlTownView(sql);
  const ended = sql
    .all(
      `SELECT ${CONVOY_COLUMNS} FROM convoys WHERE status IN ('landed', 'failed', 'cancelled') ORDER BY created_at DESC, id DESC LIMIT 0 + ?`,
      ENDED_CONVOYS,
    )
    .map(convoyFromRow);
  return {
    convoys: [...view.liveConvoys(), ...ended].map((convoy) => ({
      convoy,
      beads: view.convoyBeads(convoy.id),
      landings: view.convoyLandings(convoy.id),
    })),
    repeatedCauses: sql
      .all('SELECT cause_key FROM escalations WHERE resolved_at IS NULL GROUP BY cause_key HAVING COUNT(*) > 1')
      .map((row) => text(row['cause_key'])),
    endedWithTimer: sql
      .all('SELECT id FROM escalations WHERE resolved_at IS NOT NULL AND next_escalation_at IS NOT NULL LIMIT 20')
      .map((row) => text(row['id'])),
  };
}
