import { MERGE_STEP_DEADLINE_MS, PULL_MERGE_ASKS_MAX, PULL_MERGE_RETRY_MS, PULL_REFUSED_RETRY_MS } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { ForgeSaid, ProposalChange } from '../model/proposal.ts';
import { nameOf } from '../pull/policy.ts';
import { isSameSight } from '../pull/sight.ts';
import { asSentence } from '../sentence.ts';
import {
  decidePull,
  isOurs,
  refusalText,
  tell,
  toBranch,
  toCheck,
  toConfirm,
  toOpening,
  toStep,
  untell,
  type Pull,
} from './pull-step.ts';
import { NOTHING, wakeAt, type RigVerdicts } from './rule.ts';

type Shown = Extract<ForgeSaid, { readonly state: 'ok' }>;
type Refused = Extract<ForgeSaid, { readonly state: 'refused' }>;

/** What the forge shows, for the record. */
const shown = ({ pullRequest, site }: Shown): ProposalChange => ({
  number: pullRequest.number,
  site,
  url: pullRequest.url,
  seen: pullRequest,
  lookError: null,
  silentSinceMs: null,
});

/** Opened or found. Whose base is another branch is not taken as ours (T25): nobody meant to merge there. */
export function afterOpen(pull: Pull): RigVerdicts {
  const { review, proposal, nowMs } = pull;
  const { said } = proposal;
  if (said === null) return unanswered(pull, []);
  if (said.state === 'refused') return openRefused(pull, said);
  const { pullRequest } = said;
  if (pullRequest.state === 'open' && pullRequest.base !== review.targetBranch)
    return openRefused(pull, {
      code: 'wrong_base',
      error: `${nameOf(pullRequest)} of this branch is for ${pullRequest.base}, not for ${review.targetBranch}. Set its base there, or close it.`,
    });
  return decidePull(pull, `${nameOf(pullRequest)} carries it: ${pullRequest.url}`, [
    ...toStep(pull, 'proposed', { heldReason: null, pull: { ...shown(said), retryAtMs: nowMs } }),
    ...untell(pull),
  ]);
}

/** It is asked for again, ever and again: somebody may give the right, or make the branch. */
function openRefused(pull: Pull, said: Pick<Refused, 'code' | 'error'>): RigVerdicts {
  const { proposal, nowMs } = pull;
  if (proposal.waitReason === said.error) {
    if (nowMs >= proposal.retryAtMs)
      return decidePull(pull, 'it may be possible now', toOpening(pull, { pull: { waitReason: null } }));
    return stillRefused(pull, said);
  }
  const noted: ProposalChange = {
    waitsFor: 'people',
    waitReason: said.error,
    // Asked again it is refused since the first time.
    waitSinceMs: proposal.waitsFor === 'people' && proposal.waitReason === null ? proposal.waitSinceMs : nowMs,
    retryAtMs: nowMs + PULL_REFUSED_RETRY_MS,
    silentSinceMs: null,
  };
  // Nothing that the target lacks: it may be merged already, and git knows.
  if (said.code === 'no_commits')
    return decidePull(pull, 'its forge finds nothing to merge; git is asked', toCheck(pull, { pull: noted }));
  if (said.code === 'invalid')
    return decidePull(pull, 'its branch may be gone, and is made again then', toBranch(pull, { pull: noted }));
  return decidePull(pull, `a pull request is refused: ${said.code}`, [
    { type: 'pull_note', mergeRequest: pull.review.beadId, change: noted },
    ...tell(pull, refusalText(pull, 'A pull request', said.error)),
  ]);
}

/** Git was asked after the first refusal, or made the branch again, and that was not it: people hear of it. */
function stillRefused(pull: Pull, { code, error }: Pick<Refused, 'code' | 'error'>): RigVerdicts {
  const { branch, headSha } = pull.review;
  const told = (what: string): readonly RigAction[] => tell(pull, refusalText(pull, 'A pull request', what));
  const [reason, actions] =
    code === 'no_commits'
      ? [
          'git finds work where its forge finds none',
          told(`${asSentence(error)} Git finds its work at ${headSha}: look whether ${branch} is still there.`),
        ]
      : ['its branch is there, and it is still refused', code === 'invalid' ? told(error) : []];
  return actions.length === 0 ? wakeAt(pull.proposal.retryAtMs) : decidePull(pull, reason, actions);
}

/** The forge does not answer: neither done nor failed. From the deadline on that is known, and people hear of it in time. */
function unanswered(pull: Pull, atDeadline: readonly RigAction[]): RigVerdicts {
  const { review, proposal, nowMs } = pull;
  if (review.deadlineAtMs === null) return NOTHING;
  if (nowMs < review.deadlineAtMs) return wakeAt(review.deadlineAtMs);
  const sinceMs = review.deadlineAtMs - MERGE_STEP_DEADLINE_MS;
  const silent: readonly RigAction[] =
    proposal.silentSinceMs === null
      ? [{ type: 'pull_note', mergeRequest: review.beadId, change: { silentSinceMs: sinceMs } }]
      : [];
  return decidePull(pull, 'its forge does not answer', [...silent, ...atDeadline]);
}

/** Merged is only what the forge says and git then finds; all else goes back to being looked at. */
export function afterAccept(pull: Pull): RigVerdicts {
  const { proposal } = pull;
  const { said } = proposal;
  if (said === null)
    return unanswered(
      pull,
      toStep(pull, 'proposed', { heldReason: 'its forge did not answer', pull: askedOnce(pull) }),
    );
  if (said.state === 'refused') return acceptRefused(pull, said);
  const { pullRequest } = said;
  if (pullRequest.state === 'merged' && isOurs(pull, pullRequest))
    return decidePull(
      pull,
      `its forge says merged${pullRequest.mergeSha === null ? '' : ` as ${pullRequest.mergeSha}`}; git is asked`,
      toConfirm(pull, pullRequest, { heldReason: null, pull: shown(said) }),
    );
  // The last look before the merge found news: it was not asked for.
  const isNews = !pullRequest.inQueue && !isSameSight(pullRequest, proposal.seen);
  const reason = pullRequest.inQueue
    ? `${nameOf(pullRequest)} is in the queue of its forge`
    : `${nameOf(pullRequest)} ${isNews ? 'changed in the last moment' : 'is not merged yet'}`;
  return decidePull(pull, reason, [
    ...toStep(pull, 'proposed', {
      heldReason: null,
      pull: { ...shown(said), ...(isNews ? { askedAtMs: pull.nowMs, readyAtMs: null } : askedOnce(pull)) },
    }),
  ]);
}

const askedOnce = ({ proposal, nowMs }: Pull): ProposalChange => ({
  asks: proposal.asks + 1,
  retryAtMs: nowMs + waitOf(proposal.asks),
  askedAtMs: nowMs,
});

const waitOf = (asks: number): number => PULL_MERGE_RETRY_MS[asks] ?? PULL_MERGE_RETRY_MS.at(-1) ?? 0;

/** It may be merged after all, and no other answer says so: the next look tells. */
const MOVED: ReadonlySet<string> = new Set(['head_moved', 'closed', 'wrong_base', 'not_mergeable']);

function acceptRefused(pull: Pull, said: Refused): RigVerdicts {
  const { proposal, nowMs } = pull;
  const isOften = proposal.asks + 1 >= PULL_MERGE_ASKS_MAX;
  const isTold = isOften || !MOVED.has(said.code);
  const retryAtMs = nowMs + (MOVED.has(said.code) ? waitOf(proposal.asks) : PULL_REFUSED_RETRY_MS);
  return decidePull(pull, `the merge is refused: ${said.error}`, [
    ...toStep(pull, 'proposed', {
      heldReason: said.error,
      pull: { asks: proposal.asks + 1, retryAtMs, askedAtMs: nowMs, silentSinceMs: null },
    }),
    ...(isTold ? tell(pull, refusalText(pull, 'The merge', said.error)) : []),
  ]);
}
