import type { MayorInvariantFacts } from '../core/mayor-invariants.ts';
import { MAYOR_REF, RESYNC } from '../core/refs.ts';
import type { Sql } from '../ports/sql.ts';
import { KernelStore } from './kernel-store.ts';
import { MayorStore } from './mayor-store.ts';
import { int, intOrNull } from './rows.ts';

/** Messages that the checker looks at: more than one sitting takes. */
const MESSAGES = 300;

/** Reads what the invariant checker of the mayor looks at. */
export function readMayorFacts(sql: Sql): MayorInvariantFacts {
  const store = new MayorStore(sql);
  const kernel = new KernelStore(sql);
  const config = kernel.getMeta('config') ?? 'null';
  const facts = store.facts(config !== 'null');
  const count = (query: string): number => int(sql.all(query)[0]?.['n']);
  const timers = [kernel.timer(MAYOR_REF, 'rule'), kernel.timer(RESYNC, 'rule')].filter((at) => at !== null);
  return {
    ...facts,
    messages: store.latestMessages(MESSAGES),
    unresolvedAttempts: count('SELECT COUNT(*) AS n FROM attempts WHERE process_gone = 0 OR ended_at IS NULL'),
    dueAtMs: timers.length === 0 ? null : Math.min(...timers),
    observeAtMs: intOrNull(sql.all(`SELECT MIN(due_at) AS at FROM timers WHERE kind = 'observe'`)[0]?.['at']),
    pendingEvents: count(`SELECT COUNT(*) AS n FROM inbox WHERE state = 'pending'`),
    pendingEffects: count(`SELECT COUNT(*) AS n FROM outbox WHERE state = 'pending'`),
  };
}
