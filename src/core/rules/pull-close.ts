import {
  PULL_CLOSE_AGAIN_MS,
  PULL_CLOSE_ASKS_MAX,
  PULL_CLOSE_NOTE_CHARS_MAX,
  PULL_CLOSE_PATIENCE_MS,
} from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { Closing } from '../model/proposal.ts';
import { beadRef } from '../refs.ts';
import { inert } from '../text.ts';
import { decidePull, type Pull } from './pull-step.ts';
import { NOTHING, wakeAt, type RigVerdicts } from './rule.ts';

/**
 * A merge request that ended because its work was cancelled: its pull request is closed too, after the cancel and never
 * before it. What failed keeps its own: somebody may have it tried again. A pull request that was asked for in the moment
 * of the cancel may come late, so it is looked for more than once.
 */
export function afterEnd(pull: Pull): RigVerdicts {
  const { closing } = pull.proposal;
  const source = pull.view.bead(pull.review.sourceBeadId);
  if (source?.closeReason !== 'cancelled') return NOTHING;
  if (closing === null) return mayBeOpen(pull) ? ask(pull, source, 1) : NOTHING;
  switch (closing.state) {
    case 'asked':
      return unanswered(pull, closing);
    case 'merged':
      return isTold(closing) ? lookedForAgain(pull, source, closing) : tellOnce(pull, closing);
    case 'refused':
      return isTold(closing) ? NOTHING : tellOnce(pull, closing);
    default:
      return lookedForAgain(pull, source, closing);
  }
}

/** What was looked for again may be the one that people heard of before. */
const isTold = ({ isTold: isThis, mergeSha, toldMergeSha }: Closing): boolean =>
  isThis || (mergeSha !== null && mergeSha === toldMergeSha);

/** The one that is found on the branch may be a former one, long merged or closed, and the one that was asked for is still to come. */
function lookedForAgain(pull: Pull, source: Bead, { asks, askedAtMs }: Closing): RigVerdicts {
  if (pull.proposal.number !== null) return NOTHING;
  const againAtMs = askedAtMs + PULL_CLOSE_AGAIN_MS;
  if (asks >= PULL_CLOSE_ASKS_MAX) return NOTHING;
  return pull.nowMs < againAtMs ? wakeAt(againAtMs) : ask(pull, source, asks + 1);
}

/** Whatever was seen last: people may have reopened it since, and what is over is left as it is. */
const mayBeOpen = ({ proposal }: Pull): boolean => proposal.number !== null || proposal.isOpenAsked;

const ask = (pull: Pull, source: Bead, asks: number): RigVerdicts =>
  decidePull(pull, 'its work was cancelled; its pull request is closed too', [
    { type: 'close_pull', mergeRequest: pull.review.beadId, asks, comment: commentOf(source) },
  ]);

/** Who cancelled and why; words of people stay theirs. */
function commentOf({ id, evidence }: Bead): string {
  const note = inert(evidence?.note ?? '').slice(0, PULL_CLOSE_NOTE_CHARS_MAX);
  const by = evidence?.by === undefined ? '' : ` by ${evidence.by}`;
  return `${id} was cancelled in its town${by}${note === '' ? '.' : `: ${note}`}`;
}

/** It goes on being asked for; after a day a person is asked instead. */
function unanswered(pull: Pull, closing: Closing): RigVerdicts {
  const untilMs = closing.askedAtMs + PULL_CLOSE_PATIENCE_MS;
  if (pull.nowMs < untilMs) return wakeAt(untilMs);
  return tellOnce(pull, { ...closing, state: 'refused', error: 'its forge has not answered for a day' });
}

function tellOnce(pull: Pull, closing: Closing): RigVerdicts {
  const { review } = pull;
  const { sourceBeadId: source, beadId: mergeRequest, targetBranch } = review;
  const name = closing.number === null ? 'its pull request' : `pull request #${String(closing.number)}`;
  const message =
    closing.state === 'merged'
      ? `${source} was cancelled, and people merged ${name} all the same, as ${closing.mergeSha ?? 'an unknown commit'}: its work is in ${targetBranch}. If it should not be there, revert that commit there.`
      : `${source} was cancelled, and ${name} can't be closed: ${closing.error ?? 'it is refused'}. Close it there; its branch is ${review.branch}.`;
  return decidePull(pull, message, [
    { type: 'pull_note', mergeRequest, change: { closing: { ...closing, isTold: true } } },
    {
      type: 'raise_escalation',
      causeKey: `pull:${mergeRequest}`,
      severity: 'medium',
      category: 'merge',
      subject: beadRef(source),
      message,
    },
  ]);
}
