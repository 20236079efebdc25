import { trusted } from '../model/ids.ts';
import { attemptEntity } from '../refs.ts';
import type { AttemptFacts } from '../view.ts';
import { classifyExit } from './outcome.ts';
import { endingActions } from './end-attempt.ts';
import { endedByQuota } from './quota.ts';
import { act, NOTHING, type RigRule } from './rule.ts';

/**
 * A live attempt whose process is gone, and which claimed nothing, ends by its exit record. A claimed one ends only by
 * its verdict: the work is in its ref, no process is needed for that (lost claims were the field's commonest loss).
 */
export const deadAgent: RigRule = (view, id, nowMs) => {
  const attempt = view.attempt(trusted.attempt(id));
  if (attempt === null || attempt.endedAtMs !== null || !attempt.processGone || attempt.claim !== null) return NOTHING;
  const ending =
    attempt.exit === null
      ? { outcome: 'infra' as const, reason: 'The process is gone and nothing is known of its end.', signature: null }
      : endedByQuota(attempt)
        ? { outcome: 'quota' as const, reason: quotaText(attempt), signature: null }
        : classifyExit(attempt.exit);
  return act({
    rule: 'dead-agent',
    entity: attemptEntity(attempt.id),
    reason: ending.reason,
    actions: endingActions(view, attempt, ending, nowMs),
  });
};

const quotaText = (attempt: AttemptFacts): string =>
  `The quota of ${attempt.quotaScope ?? 'its account'} is used up.${attempt.quota?.reason ? ` The provider said: ${attempt.quota.reason}` : ''}`;
