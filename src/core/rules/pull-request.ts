import type { RigAction } from '../actions.ts';
import {
  FORGE_SILENT_MAX_MS,
  MERGE_STEP_DEADLINE_MS,
  PULL_GATES_FRESH_MS,
  PULL_GIVEN_MAX,
  PULL_WAIT_TOLD_MS,
} from '../limits.ts';
import { isTerminal } from '../model/bead.ts';
import { trusted, type Sha } from '../model/ids.ts';
import type { ProposalChange } from '../model/proposal.ts';
import type { PullRequest } from '../model/pull-request.ts';
import type { MergeStep } from '../model/review.ts';
import { tellFeedback, type Feedback } from '../pull/feedback.ts';
import { isMissing, judgePull, nameOf, type PullVerdict, type Wait } from '../pull/policy.ts';
import { asSentence } from '../sentence.ts';
import { duration } from '../text.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { pauseOf } from '../why-train.ts';
import { cancelledSource } from './merge-end.ts';
import { retryBackoffMs } from './outcome.ts';
import { whileCancelled } from './pull-cancel.ts';
import { afterCheck, afterConfirm, afterTest } from './pull-check.ts';
import { afterEnd } from './pull-close.ts';
import { afterAccept, afterOpen } from './pull-open.ts';
import {
  decidePull,
  forgotten,
  isElsewhere,
  isOurs,
  keyOf,
  policyOf,
  tell,
  tellAnew,
  toCheck,
  toConfirm,
  toOpening,
  toStep,
  untell,
  type Pull,
} from './pull-step.ts';
import { rework } from './rework.ts';
import { act, NOTHING, wakeAt, type RigRule, type RigVerdicts } from './rule.ts';

/**
 * Takes a merge request with the strategy `pr` from its branch to a merged pull request. It takes part in no round and
 * holds no train: while people and checks look at it, nothing of the rig waits for it. What is seen of it comes with looks
 * (`Forge.look`), which decide nothing themselves.
 */
export const pullRequest: RigRule = (view, id, nowMs) => {
  const review = view.review(trusted.bead(id));
  if (review === null || review.strategy !== 'pr') return NOTHING;
  const proposal = view.proposal(review.beadId);
  if (proposal === null) return NOTHING;
  const pull: Pull = { view, review, proposal, nowMs };
  return movedAway(pull) ?? byStep(pull);
};

/** Steps whose answer is under way, or that ask for a pull request anyway: what they find is judged first. */
const ANSWERED_FIRST: ReadonlySet<MergeStep> = new Set(['opening', 'accepting', 'confirming', 'ended']);

/** Its branch gets a pull request where the settings say now; the one at the former place is left alone. */
function movedAway(pull: Pull): RigVerdicts | null {
  const { review, proposal } = pull;
  if (!isElsewhere(pull) || ANSWERED_FIRST.has(review.step)) return null;
  const reason = `the rig's forge is another one now than that of ${nameOf({ number: proposal.number ?? 0 })}`;
  const change: ProposalChange = { ...forgotten(null), waitsFor: null, waitReason: null, readyAtMs: null };
  const noted: RigAction = { type: 'pull_note', mergeRequest: review.beadId, change };
  const actions = review.step === 'proposed' ? toStep(pull, 'queued', { heldReason: reason, pull: change }) : [noted];
  return decidePull(pull, reason, [...actions, ...untell(pull)]);
}

/** Steps in which nothing is settled that a cancel could not end; in the others the answer under way comes first. */
const CANCELLABLE: ReadonlySet<MergeStep> = new Set(['queued', 'reworking', 'checking', 'testing', 'proposed']);

function byStep(pull: Pull): RigVerdicts {
  const source = cancelledSource(pull.view, pull.review);
  const isThere = pull.review.result?.result === 'already_merged';
  const verdicts =
    source?.status === 'in_review' && CANCELLABLE.has(pull.review.step) && !isThere
      ? whileCancelled(pull, source)
      : null;
  return verdicts ?? onItsWay(pull);
}

function onItsWay(pull: Pull): RigVerdicts {
  switch (pull.review.step) {
    case 'queued':
      return inLine(pull);
    case 'reworking':
      return mergedOutside(pull) ?? (isMissing(pull) ? wakeAt(pull.proposal.retryAtMs) : NOTHING);
    case 'checking':
      return afterCheck(pull);
    case 'testing':
      return afterTest(pull);
    case 'opening':
      return afterOpen(pull);
    case 'proposed':
      return whileProposed(pull);
    case 'accepting':
      return afterAccept(pull);
    case 'confirming':
      return afterConfirm(pull);
    case 'ended':
      return afterEnd(pull);
    default:
      return NOTHING;
  }
}

/** People may merge it whenever they like, also while an agent still reworks it. Null: nobody did. */
function mergedOutside(pull: Pull): RigVerdicts | null {
  const { view, review, proposal } = pull;
  if (proposal.seen?.state !== 'merged' || view.bead(review.beadId)?.status !== 'open') return null;
  if (proposal.seenHead !== review.headSha || !isOurs(pull, proposal.seen) || isMissing(pull)) return null;
  return decidePull(pull, `somebody merged ${nameOf(proposal.seen)}; git is asked`, toConfirm(pull, proposal.seen));
}

/** A new head, or one that a person wants looked at anew: its own gates first, then its pull request, opened or found. */
function inLine(pull: Pull): RigVerdicts {
  const { view, review, proposal, nowMs } = pull;
  const outside = mergedOutside(pull);
  if (outside !== null) return outside;
  if (!isFree(view, review)) return NOTHING;
  if (nowMs < proposal.retryAtMs) return wakeAt(proposal.retryAtMs);
  if (!isTested(pull)) return decidePull(pull, 'its own gates come before its pull request', toCheck(pull));
  // The one that there is takes the new head. Closed meanwhile it is a question for people: another one is theirs to ask for.
  return proposal.number === null
    ? decidePull(pull, 'its pull request is opened or found', toOpening(pull))
    : decidePull(pull, `${nameOf({ number: proposal.number })} takes the new head`, toStep(pull, 'proposed'));
}

function isFree(view: RigView, review: ReviewFacts): boolean {
  const bead = view.bead(review.beadId);
  const source = view.bead(review.sourceBeadId);
  return (
    bead?.status === 'open' &&
    bead.hold === null &&
    bead.openBlockers === 0 &&
    bead.failedBlockers === 0 &&
    source !== null &&
    !isTerminal(source.status)
  );
}

/** Without gates nothing is to be tested; what passed a while ago may not pass on the target as it is now. */
const isTested = ({ view, review, proposal, nowMs }: Pull): boolean =>
  view.config().gates.length === 0 ||
  (proposal.testedHead === review.headSha &&
    proposal.testedAtMs !== null &&
    nowMs < proposal.testedAtMs + PULL_GATES_FRESH_MS);

function whileProposed(pull: Pull): RigVerdicts {
  const { view, review, proposal, nowMs } = pull;
  const { seen } = proposal;
  if (seen === null) return NOTHING;
  if (proposal.lookError !== null) return lookRefused(pull, proposal.lookError);
  const verdict = judgePull({
    seen,
    proposal,
    review,
    policy: policyOf(view),
    hasGates: view.config().gates.length > 0,
    isEarlierHead: seen.headSha !== null && view.isOwnHead(review.sourceBeadId, seen.headSha),
    paused: pausedText(pull),
    nowMs,
  });
  return carryOut(pull, seen, verdict);
}

/** A train that is red holds nobody up here: its own gates and the forge's checks say what is red. */
function pausedText({ view, review }: Pull): string | null {
  const train = view.train(review.targetBranch);
  return train.state === 'paused' ? `the merge train of ${pauseOf(train)}` : null;
}

function carryOut(pull: Pull, seen: PullRequest, verdict: PullVerdict): RigVerdicts {
  switch (verdict.kind) {
    case 'wait':
      return waits(pull, verdict);
    case 'merged':
      return decidePull(pull, `somebody merged ${nameOf(seen)}; git is asked`, toConfirm(pull, seen));
    case 'adopt':
      return adopt(pull, trusted.sha(verdict.head));
    case 'conflict':
      return decidePull(pull, `${nameOf(seen)} conflicts, says its forge; git is asked where`, toCheck(pull));
    case 'feedback':
    case 'behind':
      return giveBack(pull, seen, verdict);
    default:
      return merge(pull, seen);
  }
}

/** What it waits for is noted once, when it changes; people hear only of what nobody expects. */
function waits(pull: Pull, wait: Omit<Wait, 'kind'>, message = asSentence(wait.reason)): RigVerdicts {
  const { review, proposal, nowMs } = pull;
  const readyAtMs = wait.isReady ? (proposal.readyAtMs ?? nowMs) : null;
  const isKnown = proposal.waitsFor === wait.for && proposal.waitReason === wait.reason;
  if (isKnown && readyAtMs === proposal.readyAtMs) return long(pull, wait);
  const change: ProposalChange = {
    waitsFor: wait.for,
    waitReason: wait.reason,
    waitSinceMs: isKnown ? proposal.waitSinceMs : nowMs,
    readyAtMs,
  };
  return decidePull(pull, wait.reason, [
    { type: 'pull_note', mergeRequest: review.beadId, change },
    ...(wait.tell === 'yes' && !isKnown ? tellAnew(pull, `${review.sourceBeadId}: ${message}`) : []),
    ...(wait.tell === 'no' ? untell(pull) : []),
  ]);
}

/** Checks and forges that never come to an end are told too, once; the wait goes on. */
function long(pull: Pull, wait: Omit<Wait, 'kind'>): RigVerdicts {
  const { proposal, review, nowMs } = pull;
  const isOthers = wait.for === 'checks' || wait.for === 'forge';
  if (!isOthers || wait.tell !== 'no' || proposal.waitSinceMs === null)
    return { decisions: [], wakeAtMs: wait.untilMs };
  const tellAtMs = proposal.waitSinceMs + PULL_WAIT_TOLD_MS;
  if (nowMs < tellAtMs) return { decisions: [], wakeAtMs: Math.min(tellAtMs, wait.untilMs ?? tellAtMs) };
  const message = `${review.sourceBeadId} has waited for ${duration(PULL_WAIT_TOLD_MS)}: ${asSentence(wait.reason)} It waits on; look there, and end or repeat what hangs.`;
  const told = tell(pull, message);
  return told.length === 0
    ? { decisions: [], wakeAtMs: wait.untilMs }
    : decidePull(pull, 'it has waited for long', told);
}

function lookRefused(pull: Pull, error: string): RigVerdicts {
  const reason = `its forge refuses to show its pull request: ${error}`;
  const message = `${asSentence(reason)} It is looked at again by itself, and at once with "gt mq retry ${pull.review.sourceBeadId}".`;
  return waits(pull, { for: 'people', reason, untilMs: null, tell: 'yes', isReady: false }, message);
}

/** It is proposed as it is on the branch now; the forge says whether approvals of before still count. */
function adopt(pull: Pull, head: Sha): RigVerdicts {
  const { review } = pull;
  return decidePull(pull, `somebody else pushed ${head} to ${review.branch}; that is proposed now`, [
    { type: 'adopt_head', mergeRequest: review.beadId, from: review.headSha, head },
    ...untell(pull),
  ]);
}

/** One bead for all that was said since the last one. What an agent was given once is not given again. */
function giveBack(
  pull: Pull,
  seen: PullRequest,
  { kind, items }: Extract<PullVerdict, { readonly items: readonly Feedback[] }>,
): RigVerdicts {
  const { view, review, proposal, nowMs } = pull;
  const isByPeople = items.some((item) => item.from === 'people');
  const isNoRound = kind === 'behind';
  const title = isNoRound
    ? `Merge ${review.targetBranch} into ${nameOf(seen)}`
    : isByPeople
      ? `Answer the review of ${nameOf(seen)}`
      : `Make ${nameOf(seen)} pass what its forge checks`;
  const what = isNoRound
    ? `lacks the newest ${review.targetBranch}`
    : isByPeople
      ? 'changes are asked for'
      : 'checks are red';
  const reason = `${nameOf(seen)}: ${what}`;
  const told = tellFeedback(seen, items);
  const verdict = rework(view, review, 'feedback', {
    reason,
    title,
    body: told.text,
    isNoRound,
    notBeforeMs: isByPeople || review.rounds === 0 ? 0 : nowMs + retryBackoffMs(review.rounds),
  });
  // Given is what an agent gets: after the last round a person is asked, and nobody was given anything.
  const isGiven = verdict.actions.some(({ type }) => type === 'create_rework');
  const given = isGiven
    ? [...proposal.given, ...told.items.map(({ id }) => id)].slice(-PULL_GIVEN_MAX)
    : proposal.given;
  return decidePull(pull, verdict.reason, [
    ...verdict.actions,
    {
      type: 'pull_note',
      mergeRequest: review.beadId,
      change: { given, waitsFor: null, waitReason: null, readyAtMs: null },
    },
    ...untell(pull),
  ]);
}

/** All holds: its own gates on the target as it is now, then the forge is asked to merge exactly this head. */
function merge(pull: Pull, seen: PullRequest): RigVerdicts {
  if (!isTested(pull)) return decidePull(pull, 'its own gates come before the merge', toCheck(pull));
  return decidePull(pull, `${nameOf(seen)} is as it has to be; its forge is asked to merge it`, [
    ...toStep(pull, 'accepting', {
      forge: { kind: 'merge', key: keyOf('merge', pull) },
      deadlineAtMs: pull.nowMs + MERGE_STEP_DEADLINE_MS,
      heldReason: null,
      pull: { waitsFor: 'forge', waitReason: 'its forge is asked to merge it', waitSinceMs: pull.nowMs },
    }),
    ...(pull.proposal.asks === 0 ? untell(pull) : []),
  ]);
}

/** Cause of the escalation about a forge that does not answer; one for all pull requests of the rig. */
export const forgeCause = (rig: string): string => `forge:${rig}`;

/**
 * A forge that answered nothing about some pull request until the deadline is told to a person, once for the rig; the first
 * answers about all of them end it.
 */
export const forgeSilent: RigRule = (view, _id, nowMs) => {
  const { sinceMs, told } = view.forgeSilence();
  const causeKey = forgeCause(view.config().name);
  const raised: RigAction = {
    type: 'raise_escalation',
    causeKey,
    severity: 'high',
    category: 'merge',
    subject: 'schedule:',
    message: `The forge of ${view.config().name} has not answered for ${duration(FORGE_SILENT_MAX_MS)}. Its pull requests wait; nothing is merged or given up meanwhile. Look at its status, the network and the token; it is asked again by itself.`,
  };
  const say = (reason: string, action: RigAction): RigVerdicts =>
    act({ rule: 'forge-silent', entity: 'schedule:', reason, actions: [action] });
  if (sinceMs === null)
    return told ? say('the forge answers again', { type: 'resolve_escalation', causeKey, bead: null }) : NOTHING;
  const dueMs = sinceMs + FORGE_SILENT_MAX_MS;
  if (nowMs < dueMs) return wakeAt(dueMs);
  return told ? NOTHING : say('the forge does not answer', raised);
};
