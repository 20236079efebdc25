import { MAYOR, mayorStatus, type MayorFacts } from '../../core/model/mayor.ts';
import { noMayorRunnerReason } from '../../core/rules/choose-mayor-runner.ts';
import type { MayorSummary } from '../../core/queries.ts';
import type { MayorContext } from './mayor-context.ts';

/** What `gt mayor status` shows. */
export function mayorSummary(mayor: MayorContext): MayorSummary {
  const facts = mayor.facts();
  return {
    status: mayorStatus(facts),
    isConfigured: facts.isConfigured,
    runtime: mayor.config()?.runtime ?? null,
    ...whereItRuns(facts),
    sitting: facts.sitting?.number ?? null,
    waitingMessages: facts.waitingMessages,
    openMessages: facts.sitting?.openMessages ?? 0,
    unreadMail: mayor.store.mail.unreadCount(MAYOR),
    failures: facts.failures,
    retryAtMs: facts.failures > 0 && facts.attempt === null ? facts.notBeforeMs : null,
    isBreakerOpen: facts.isEscalated,
    noRunner: noMayorRunnerReason(facts),
  };
}

function whereItRuns({ attempt }: Pick<MayorFacts, 'attempt'>): Pick<MayorSummary, 'attempt' | 'runner'> {
  return attempt?.endedAtMs === null
    ? { attempt: attempt.id, runner: attempt.runner }
    : { attempt: null, runner: null };
}
