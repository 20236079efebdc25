import type { Verdict } from '../../core/facts.ts';
import { parseJson } from '../../store/rows.ts';
import type { AttemptFacts } from '../../core/view.ts';

/** Outcomes of a claim that was taken. */
const ACCEPTED: Readonly<Record<string, string>> = {
  done: 'Verified: the branch is on the origin and in the merge train.',
  no_change: 'Accepted: nothing needed to change.',
};

/** What became of the claim of one attempt; null while it is not decided. */
export function rigVerdict(attempt: AttemptFacts | null, epoch: number): Verdict | null {
  if (attempt === null || attempt.epoch !== epoch)
    return { verdict: 'superseded', message: 'This attempt is not known here, or another one took its place.' };
  if (attempt.endedAtMs !== null) {
    const words = ACCEPTED[attempt.outcome ?? ''];
    // What was claimed after the one that was accepted; see `lateEvidence`.
    if (words !== undefined && attempt.claimRefusal !== null)
      return { verdict: 'superseded', message: parseJson<{ message: string }>(attempt.claimRefusal).message };
    if (words !== undefined) return { verdict: 'accepted', message: words };
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
