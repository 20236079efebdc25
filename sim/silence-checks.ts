import type { SimDatabase } from './faulty-sql.ts';
import { Violation } from './ledger.ts';

/** L25: who was called silent is so only while the silence lasts, and nothing of it is left when its attempt has ended. */
export function checkSilence({ address, sql }: SimDatabase): void {
  const [active] = sql.all(
    `SELECT a.id FROM attempts a JOIN agents g ON g.id = a.agent_id
      WHERE a.ended_at IS NULL AND a.gupp_rung IS NOT NULL
        AND max(coalesce(g.last_activity_at, a.started_at), a.started_at) <> a.gupp_since LIMIT 1`,
  );
  if (active !== undefined)
    throw new Violation('L25', `${address}: ${String(active['id'])} is called silent, but its agent was active`);
  const [stalled] = sql.all(
    `SELECT g.id FROM agents g JOIN attempts a ON a.agent_id = g.id
      WHERE g.status = 'stalled' AND a.ended_at IS NULL AND a.gupp_rung IS NULL LIMIT 1`,
  );
  if (stalled !== undefined)
    throw new Violation('L25', `${address}: ${String(stalled['id'])} is stalled, and nobody called it silent`);
  const [ended] = sql.all('SELECT id FROM attempts WHERE ended_at IS NOT NULL AND gupp_rung IS NOT NULL LIMIT 1');
  if (ended !== undefined)
    throw new Violation('L25', `${address}: ${String(ended['id'])} has ended, and is called silent still`);
}
