import type { Fact } from '../../core/facts.ts';
import type { MayorAttempt } from '../../core/model/mayor.ts';
import { attemptEntity } from '../../core/refs.ts';
import { laterUsage, tokensOf, totalUsage } from '../../core/usage.ts';
import { mayorUsage, setMayorUsage } from '../../store/mayor-usage.ts';
import type { Turn } from '../kernel/turn.ts';
import type { MayorContext } from './mayor-context.ts';

/** What a session said about tokens and money; also when it has ended: late usage is still used. */
export function recordMayorUsage(
  mayor: MayorContext,
  turn: Turn,
  { attempt, fact }: { readonly attempt: MayorAttempt; readonly fact: Extract<Fact, { type: 'agent_usage' }> },
): void {
  const before = mayorUsage(mayor.sql, attempt.id);
  const usage = laterUsage(before, totalUsage(fact.models, mayor.config()?.prices ?? {}));
  if (JSON.stringify(usage) === JSON.stringify(before)) return;
  setMayorUsage(mayor.sql, attempt.id, usage);
  turn.journal({
    entity: attemptEntity(attempt.id),
    action: 'agent_usage',
    rule: 'events',
    reason: `${String(tokensOf(usage) ?? 0)} tokens, ${usage.microUsd === null ? 'cost unknown' : `${String(usage.microUsd)} micro-USD`}`,
  });
}
