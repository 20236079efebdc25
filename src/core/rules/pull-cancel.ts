import type { RigAction } from '../actions.ts';
import { PULL_ASK_SETTLE_MS } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { Proposal } from '../model/proposal.ts';
import type { PullRequest } from '../model/pull-request.ts';
import { nameOf } from '../pull/policy.ts';
import { asSentence } from '../sentence.ts';
import { cancelSource, endReworks } from './merge-end.ts';
import { decidePull, tell, toCheck, toConfirm, type Pull } from './pull-step.ts';
import { NOTHING, wakeAt, type RigVerdicts } from './rule.ts';

/**
 * When a look has to begin to be believed about a cancel: after the cancel, since people merge at any moment; and a while
 * after the forge was asked to merge, since a call that nobody waits for any more may still arrive there.
 */
export const freshFromMs = (cancelRequestedAtMs: number, { askedAtMs }: Pick<Proposal, 'askedAtMs'>): number =>
  Math.max(cancelRequestedAtMs + 1, askedAtMs === null ? 0 : askedAtMs + PULL_ASK_SETTLE_MS);

/** The forge was asked to merge it, and no look has shown yet what became of that. */
export const isAskOpen = (proposal: Pick<Proposal, 'askedAtMs' | 'lookedAtMs'>): boolean =>
  proposal.askedAtMs !== null && (proposal.lookedAtMs ?? 0) < freshFromMs(0, proposal);

/**
 * A cancel of what has a pull request. Nothing goes on meanwhile but looking; it is carried out by one look that began after
 * it and shows no merge, or had no answer. Merged is for git, and what waits in the queue of its forge is not over. Null: the
 * git work under way ends first.
 */
export function whileCancelled(pull: Pull, source: Bead): RigVerdicts | null {
  const { view, review, proposal } = pull;
  const { seen } = proposal;
  const reworks = endReworks(view, review);
  if (reworks.length > 0) return decidePull(pull, 'its source is being cancelled', reworks);
  if (seen === null) return carryOut(pull, source, 'it has no pull request');
  const refusal = refusalOf(pull);
  if (refusal !== null) return gitDecides(pull, source, refusal);
  if (seen.state === 'merged')
    return isAtGit(pull)
      ? null
      : decidePull(pull, `${nameOf(seen)} was merged before its cancel; git is asked`, toConfirm(pull, seen));
  return seen.inQueue ? inQueue(pull) : whenLooked(pull, source, seen);
}

const isAtGit = ({ review }: Pull): boolean => review.step === 'checking' || review.step === 'testing';

const refusalOf = ({ view, proposal }: Pull): string | null =>
  proposal.lookError ?? (view.config().forge === undefined ? 'no forge is set up' : null);

function whenLooked(pull: Pull, source: Bead, seen: PullRequest): RigVerdicts {
  const { proposal } = pull;
  const isFresh = (proposal.lookedAtMs ?? 0) >= freshFromMs(source.cancelRequestedAtMs ?? 0, proposal);
  if (isFresh) return carryOut(pull, source, `${nameOf(seen)} is ${seen.state}`);
  // A forge that says nothing holds up only what it was asked to merge.
  return proposal.silentSinceMs === null || isAskOpen(proposal)
    ? NOTHING
    : carryOut(pull, source, 'its forge does not answer, and nobody asked it to merge this');
}

/** `found` is for the record where it says more than that somebody cancelled it. */
const carryOut = (pull: Pull, source: Bead, reason: string, found?: string): RigVerdicts =>
  decidePull(pull, `its cancel is carried out: ${reason}`, cancelPull(pull, source, found));

/** Ends the source as its cancel said, with what was found out about its pull request. */
export function cancelPull({ proposal }: Pull, source: Bead, found?: string): readonly RigAction[] {
  const evidence = proposal.cancel ?? { note: 'cancelled' };
  const note = [evidence.note, found].filter((part) => part !== undefined && part !== '').join('; ');
  return [cancelSource(source, { ...evidence, note })];
}

/** Nobody can see it any more: what git finds in the target is all there is. */
function gitDecides(pull: Pull, source: Bead, refusal: string): RigVerdicts | null {
  const { review, proposal, nowMs } = pull;
  if (review.step === 'checking')
    return review.result === null
      ? NOTHING
      : carryOut(
          pull,
          source,
          'git does not find it in the target',
          `its forge refused to show ${nameOf({ number: proposal.number ?? 0 })} (${refusal}), and git did not find it in ${review.targetBranch}`,
        );
  if (review.step === 'testing') return null;
  if (review.step === 'reworking')
    return decidePull(pull, 'its rework was ended with its cancel', [
      { type: 'merge_step', mergeRequest: review.beadId, fromStep: 'reworking', toStep: 'queued', job: null },
    ]);
  if (nowMs < proposal.retryAtMs) return wakeAt(proposal.retryAtMs);
  return decidePull(pull, 'its forge refuses to show what was cancelled; git is asked', toCheck(pull));
}

/** Only there it can be taken out; else it is merged, and then that is what is recorded. */
function inQueue(pull: Pull): RigVerdicts {
  const { review, proposal, nowMs } = pull;
  const what = nameOf({ number: proposal.number ?? 0 });
  const reason = `${what} is cancelled here, and in the queue of its forge: close it there, or it is merged`;
  if (proposal.waitReason === reason) return NOTHING;
  return decidePull(pull, reason, [
    {
      type: 'pull_note',
      mergeRequest: review.beadId,
      change: { waitsFor: 'people', waitReason: reason, waitSinceMs: nowMs },
    },
    ...tell(pull, `${review.sourceBeadId}: ${asSentence(reason)}`),
  ]);
}
