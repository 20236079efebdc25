import { WATCHDOG_LAG_MAX_MS, WATCHDOG_MISSES_TO_DOWN } from '../limits.ts';
import { RUNNER_SUBJECT, type Health, type Seen } from '../model/health.ts';
import { duration } from '../text.ts';

/** A cause that began or ended with this answer. */
export type HealthNews =
  | { readonly type: 'raise'; readonly causeKey: string; readonly message: string }
  | { readonly type: 'resolve'; readonly causeKey: string };

interface Judgement {
  readonly after: Health;
  readonly news: readonly HealthNews[];
}

/**
 * What one question and its answer mean: the state after it, and what a person should hear. A runner that is down is
 * shown and not escalated here: the breakers of its rigs do that, once, when it lasts.
 */
export function judgeHealth(before: Health, seen: Seen, nowMs: number): Judgement {
  return seen.ok ? answered(before, seen, nowMs) : missed(before, seen.detail, nowMs);
}

function missed(before: Health, detail: string, nowMs: number): Judgement {
  const count = before.missed + 1;
  const state = count >= WATCHDOG_MISSES_TO_DOWN ? 'down' : 'suspect';
  const after: Health = { ...before, state, missed: count, askedAtMs: nowMs, detail };
  const isNews = state === 'down' && before.state !== 'down' && before.subject !== RUNNER_SUBJECT;
  const message = `${before.subject} has not answered ${String(count)} times in a row: ${detail}.`;
  return { after, news: isNews ? [{ type: 'raise', causeKey: `health:${before.subject}`, message }] : [] };
}

/**
 * Late once may be a machine that slept, and the question itself woke the rig (suspect, nothing missed); late again
 * means that waking does not help.
 */
function answered(before: Health, seen: Extract<Seen, { readonly ok: true }>, nowMs: number): Judgement {
  const isLate = seen.lagMs > WATCHDOG_LAG_MAX_MS;
  const wasLate = before.state === 'suspect' && before.missed === 0;
  const after: Health = {
    ...before,
    state: isLate ? 'suspect' : 'ok',
    missed: 0,
    askedAtMs: nowMs,
    answeredAtMs: nowMs,
    detail: seen.detail,
  };
  const lagCause = `lag:${before.subject}`;
  const message = `${before.subject} answers, but work has been due there for ${duration(seen.lagMs)}, and waking it did not help.`;
  const news: HealthNews[] = [];
  if (before.state === 'down') news.push({ type: 'resolve', causeKey: `health:${before.subject}` });
  if (isLate && wasLate) news.push({ type: 'raise', causeKey: lagCause, message });
  if (!isLate && wasLate) news.push({ type: 'resolve', causeKey: lagCause });
  return { after, news };
}
