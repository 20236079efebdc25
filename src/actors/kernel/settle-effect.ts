import { ACCEPTED_POLL_MS, EFFECT_RETRY_MAX_MS, EFFECT_RETRY_MIN_MS } from '../../core/limits.ts';
import type { Random } from '../../ports/ids.ts';
import type { EffectOutcome } from './program.ts';
import type { Turn } from './turn.ts';

/** Which row of the outbox, and how often it was claimed until then. */
export interface Performed {
  readonly key: string;
  readonly tries: number;
}

/** Records what became of an effect. A second answer to a settled row changes nothing. */
export function settleEffect(turn: Turn, row: Performed, outcome: EffectOutcome, random: Random): void {
  switch (outcome.state) {
    case 'accepted':
      // What failed before stays said until it is done: a receiver that takes its time answers only then.
      turn.kernel.retryEffect(row.key, turn.nowMs + ACCEPTED_POLL_MS, null);
      return;
    case 'retry':
      turn.kernel.retryEffect(row.key, outcome.atMs ?? turn.nowMs + backoff(row.tries, random), outcome.error);
      return;
    default: {
      const error = outcome.state === 'failed' ? outcome.error : null;
      const fresh = turn.kernel.settleEffect(row.key, outcome.state, error, turn.nowMs);
      if (fresh && outcome.event !== undefined) turn.event(outcome.event);
    }
  }
}

/** Doubling from the minimum to the cap, with up to a quarter of jitter so that many effects don't come back at once. */
function backoff(tries: number, random: Random): number {
  const base = Math.min(EFFECT_RETRY_MIN_MS * 2 ** Math.min(tries - 1, 16), EFFECT_RETRY_MAX_MS);
  const jitter = (random.bytes(1)[0] ?? 0) / 1024;
  return Math.round(base * (1 + jitter));
}
