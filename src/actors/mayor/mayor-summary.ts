import { MAYOR, mayorStatus } from '../../core/model/mayor.ts';
import type { MayorSummary } from '../../core/queries.ts';
import type { MayorContext } from './mayor-context.ts';

/** What `gt mayor status` shows. */
export function mayorSummary(mayor: MayorContext): MayorSummary {
  const facts = mayor.facts();
  return {
    status: mayorStatus(facts),
    isConfigured: facts.isConfigured,
    runtime: mayor.config()?.runtime ?? null,
    attempt: facts.attempt?.endedAtMs === null ? facts.attempt.id : null,
    sitting: facts.sitting?.number ?? null,
    waitingMessages: facts.waitingMessages,
    openMessages: facts.sitting?.openMessages ?? 0,
    unreadMail: mayor.store.mail.unreadCount(MAYOR),
    failures: facts.failures,
    retryAtMs: facts.failures > 0 && facts.attempt === null ? facts.notBeforeMs : null,
    isBreakerOpen: facts.isEscalated,
  };
}
