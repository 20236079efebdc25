import type { Verdict } from '../../core/facts.ts';
import { parseJson } from '../../store/rows.ts';
import type { AttemptFacts } from '../../core/view.ts';

/** What became of the claim of one attempt; null while it is not decided. */
export function rigVerdict(attempt: AttemptFacts | null, epoch: number): Verdict | null {
  if (attempt === null || attempt.epoch !== epoch)
    return { verdict: 'superseded', message: 'This attempt is not known here, or another one took its place.' };
  if (attempt.endedAtMs !== null) {
    if (attempt.outcome === 'done' && attempt.claimRefusal !== null)
      return { verdict: 'superseded', message: parseJson<{ message: string }>(attempt.claimRefusal).message };
    if (attempt.outcome === 'done')
      return { verdict: 'accepted', message: 'Verified: the branch is on the origin and in the merge train.' };
    if (attempt.outcome === 'no_change') return { verdict: 'accepted', message: 'Accepted: nothing needed to change.' };
    return {
      verdict: 'superseded',
      message: `The attempt has ended (${attempt.outcome ?? 'unknown'}). What was committed is kept.`,
    };
  }
  if (attempt.claim === null && attempt.claimRefusal !== null) {
    const refusal = parseJson<{ code: string; message: string }>(attempt.claimRefusal);
    return { verdict: 'refused', code: refusal.code, message: refusal.message };
  }
  return null;
}
