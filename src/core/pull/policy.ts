/**
 * When a pull request is merged, and what it waits for until then: a pure function of what was seen, the settings and the
 * time. What is unknown waits; it is never taken for green, merged or failed.
 */
import {
  FORGE_SILENT_MAX_MS,
  PULL_BEHIND_MAX,
  PULL_FEEDBACK_SETTLE_MS,
  PULL_HEAD_SETTLE_MS,
  PULL_NO_CHECKS_SETTLE_MS,
} from '../limits.ts';
import type { PullPolicy } from '../commands.ts';
import type { Proposal, WaitsFor } from '../model/proposal.ts';
import type { PullRequest } from '../model/pull-request.ts';
import type { Review } from '../model/review.ts';
import { counted, duration } from '../text.ts';
import { feedbackOf, isWordless, wordlessChange, type Feedback } from './feedback.ts';

export interface Wait {
  readonly kind: 'wait';
  readonly for: WaitsFor;
  readonly reason: string;
  /** When to judge again without any news. */
  readonly untilMs: number | null;
  /** `yes`: a person must do something that nobody expects of a pull request. `keep`: what was told stays as it is. */
  readonly tell: 'yes' | 'no' | 'keep';
  /** Only the delay is in the way. */
  readonly isReady: boolean;
}

export type PullVerdict =
  | Wait
  /** Git is asked whether the target has it. */
  | { readonly kind: 'merged' }
  /** Somebody else pushed to its branch. */
  | { readonly kind: 'adopt'; readonly head: string }
  /** Git is asked where it conflicts. */
  | { readonly kind: 'conflict' }
  /** Work for an agent. `behind`: its forge only wants the target in the branch first; the work itself is well. */
  | { readonly kind: 'feedback' | 'behind'; readonly items: readonly Feedback[] }
  | { readonly kind: 'merge' };

export interface PullCase {
  readonly seen: PullRequest;
  readonly proposal: Proposal;
  readonly review: Pick<Review, 'sourceBeadId' | 'branch' | 'headSha' | 'targetBranch'>;
  readonly policy: PullPolicy;
  /** The rig has gates of its own, which run before the merge. */
  readonly hasGates: boolean;
  /** What is seen as the head is an earlier one of ours. */
  readonly isEarlierHead: boolean;
  /** Why the train of the target merges nothing now. */
  readonly paused: string | null;
  readonly nowMs: number;
}

type Check = (one: PullCase) => PullVerdict | null;

const wait = (
  waitsFor: WaitsFor,
  reason: string,
  more: { readonly untilMs?: number; readonly tell?: Wait['tell']; readonly isReady?: boolean } = {},
): Wait => ({
  kind: 'wait',
  for: waitsFor,
  reason,
  untilMs: more.untilMs ?? null,
  tell: more.tell ?? 'no',
  isReady: more.isReady ?? false,
});

/** A number may have another owner: a project that was made anew counts from one again. */
const isAnothers: Check = ({ seen, review }) =>
  seen.branch === review.branch
    ? null
    : wait(
        'people',
        `${nameOf(seen)} is for ${seen.branch === null ? 'a branch of another project' : `the branch ${seen.branch}`}, and its work is on ${review.branch}: "gt mq retry ${review.sourceBeadId}" finds or opens its own`,
        { tell: 'yes' },
      );

/** What people are asked when git does not find what its forge calls merged. */
export const missingText = (
  seen: PullRequest,
  { sourceBeadId, targetBranch }: Pick<Review, 'sourceBeadId' | 'targetBranch'>,
): string =>
  `${nameOf(seen)} was merged into ${seen.base} as ${seen.mergeSha?.slice(0, 12) ?? 'an unknown commit'}, and ${targetBranch} does not have that: "gt mq retry ${sourceBeadId}" opens a new one, or "gt bead close ${sourceBeadId}" gives it up`;

/** Merged elsewhere, or taken back in the target: known for now. Git is asked again at `retryAtMs`. */
export const isMissing = ({
  proposal,
  review,
  nowMs,
}: Pick<PullCase, 'proposal' | 'nowMs'> & {
  readonly review: Pick<Review, 'sourceBeadId' | 'targetBranch'>;
}): boolean =>
  proposal.seen?.state === 'merged' &&
  proposal.waitReason === missingText(proposal.seen, review) &&
  nowMs < proposal.retryAtMs;

const isOver: Check = ({ seen, review, proposal, nowMs }) => {
  if (seen.state === 'merged')
    return isMissing({ proposal, review, nowMs })
      ? wait('people', missingText(seen, review), { untilMs: proposal.retryAtMs, tell: 'yes' })
      : { kind: 'merged' };
  if (seen.state !== 'closed') return null;
  const source = review.sourceBeadId;
  return wait(
    'people',
    `${nameOf(seen)} was closed without a merge: reopen it there, or "gt mq retry ${source}" opens a new one, or "gt bead close ${source}" gives it up`,
    { tell: 'yes' },
  );
};

/** T25: people may change the base; what was meant for one branch is never merged into another. */
const hasWrongBase: Check = ({ seen, review }) =>
  seen.base === review.targetBranch
    ? null
    : wait(
        'people',
        `${nameOf(seen)} is for ${seen.base}, and its work is meant for ${review.targetBranch}: set its base back there. If ${review.targetBranch} is gone or renamed, "gt bead close ${review.sourceBeadId}" gives it up here; its branch stays`,
        { tell: 'yes' },
      );

/**
 * The host may show the former head for a while; what stays is what somebody else pushed. That it stayed only a look can
 * say: a machine that slept for a night has seen nothing meanwhile (seed 348 took the reworked head back so).
 */
const hasOtherHead: Check = ({ seen, review, proposal, isEarlierHead }) => {
  if (seen.headSha === review.headSha) return null;
  if (seen.headSha === null)
    return wait('people', `the branch of ${nameOf(seen)} is gone: restore it there, or close it`, { tell: 'yes' });
  const settledAtMs = proposal.changedAtMs + (isEarlierHead ? FORGE_SILENT_MAX_MS : PULL_HEAD_SETTLE_MS);
  if (proposal.lookedAtMs !== null && proposal.lookedAtMs >= settledAtMs) return { kind: 'adopt', head: seen.headSha };
  return isEarlierHead
    ? wait('forge', `${nameOf(seen)} shows an earlier commit of its branch than ${short(review.headSha)}`)
    : wait('forge', `somebody else may have pushed ${short(seen.headSha)} to its branch`);
};

/** One that only the forge sees may be the host being late; what stays so for long only people can settle. */
const hasConflict: Check = ({ seen, proposal, review, nowMs }) => {
  if (seen.mergeable !== 'conflict') return null;
  const untilMs = proposal.retryAtMs;
  if (nowMs >= untilMs) return { kind: 'conflict' };
  const text = `${nameOf(seen)} conflicts, says its forge; git found no conflict with ${review.targetBranch}`;
  return nowMs < proposal.changedAtMs + FORGE_SILENT_MAX_MS
    ? wait('forge', text, { untilMs })
    : wait('people', `${text}: merge it there, or push to its branch`, { untilMs, tell: 'yes' });
};

const hasFeedback: Check = ({ seen, policy, proposal, nowMs }) => {
  const items = feedbackOf(seen, policy).filter(({ id }) => !proposal.given.includes(id));
  if (items.every(isWordless)) return null;
  const untilMs = proposal.changedAtMs + PULL_FEEDBACK_SETTLE_MS;
  return nowMs >= untilMs
    ? { kind: 'feedback', items }
    : wait('people', `${nameOf(seen)} was commented on; more may follow`, { untilMs });
};

/** What was asked for was worked on already, and only who asked can say whether it is well now. */
const isAnswered: Check = ({ seen, policy, proposal }) => {
  const wordless = wordlessChange(seen, proposal.given);
  if (wordless !== undefined)
    return wait(
      'people',
      `changes of ${nameOf(seen)} are asked for by ${wordless.by} without a word: say what there, in a review or a talk`,
      { tell: 'yes' },
    );
  const [first] = seen.changesRequested;
  if (first !== undefined) return wait('people', `${nameOf(seen)} was reworked; ${first.by} has to look at it again`);
  const open = policy.threads ? seen.threads.length : 0;
  return open === 0
    ? null
    : wait(
        'people',
        `${nameOf(seen)} has ${counted(open, 'open thread')}, answered by rework: resolve what is settled`,
      );
};

const isDraft: Check = ({ seen }) =>
  seen.isDraft ? wait('people', `${nameOf(seen)} is a draft: somebody has to say that it is ready`) : null;

const lacksApproval: Check = ({ seen, policy }) =>
  seen.approvals >= policy.approvals
    ? null
    : wait('people', `${nameOf(seen)} has ${String(seen.approvals)} of ${counted(policy.approvals, 'approval')}`);

const lacksChecks: Check = ({ seen, policy, proposal, hasGates, nowMs }) => {
  switch (seen.checks.state) {
    case 'green':
      return null;
    case 'running':
      return wait('checks', `the checks of ${nameOf(seen)} run`);
    case 'red':
      return redChecks(seen);
    case 'none':
      return withoutChecks({ seen, policy, proposal, hasGates, nowMs });
    default:
      return wait('forge', `the checks of ${nameOf(seen)} can't be read now`);
  }
};

/** What an agent can mend was given to it already (`hasFeedback`). */
function redChecks(seen: PullRequest): Wait {
  const stopped = seen.checks.failing.filter((check) => check.isForPeople === true).map(({ name }) => name);
  const reason =
    stopped.length > 0
      ? `checks of ${nameOf(seen)} were stopped or wait for somebody (${stopped.slice(0, 3).join(', ')}): let them run again there`
      : seen.checks.failing.length > 0
        ? `checks of ${nameOf(seen)} are red at a commit whose agent has had them: look there, and run them again or push to its branch`
        : `checks of ${nameOf(seen)} are red, and its forge does not list which: look there`;
  return wait('people', reason, { tell: 'yes' });
}

function withoutChecks(one: Pick<PullCase, 'seen' | 'policy' | 'proposal' | 'hasGates' | 'nowMs'>): Wait | null {
  const untilMs = one.proposal.changedAtMs + PULL_NO_CHECKS_SETTLE_MS;
  if (one.nowMs < untilMs) return wait('checks', `checks of ${nameOf(one.seen)} may still begin`, { untilMs });
  return one.policy.checks === 'optional' || one.hasGates
    ? null
    : wait(
        'people',
        `${nameOf(one.seen)} has no checks, and the rig has no gates: nothing has tested it. Add some, or set pr_checks = "optional"`,
        { tell: 'yes' },
      );
}

const isHeldThere: Check = ({ seen }) => {
  if (seen.inQueue) return wait('forge', `${nameOf(seen)} is in the queue of its forge`);
  switch (seen.mergeable) {
    case 'unknown':
      return wait('forge', `its forge has not said yet whether ${nameOf(seen)} can be merged`);
    case 'blocked':
      return wait('people', `a rule of its forge blocks ${nameOf(seen)}: look there at what is missing`);
    default:
      return null;
  }
};

const BEHIND = 'behind:';
const isBehindId = (id: string): boolean => id.startsWith(BEHIND);

/** The forge wants the target in the branch first. Asked for last: while people look, the target moves on anyway. */
const isBehind: Check = ({ seen, review, proposal }) => {
  if (seen.mergeable !== 'behind') return null;
  const id = `${BEHIND}${review.headSha}`;
  if (proposal.given.includes(id) || proposal.given.filter(isBehindId).length >= PULL_BEHIND_MAX)
    return wait(
      'people',
      `${nameOf(seen)} has to contain the newest ${review.targetBranch}, says its forge: update its branch there`,
      { tell: 'yes' },
    );
  const item: Feedback = {
    id,
    from: 'checks',
    head: `Its forge merges only what contains the newest ${review.targetBranch}:`,
    text: `Merge ${review.targetBranch} into the branch and keep both changes.`,
    origin: 'forge:rule',
  };
  return { kind: 'behind', items: [item] };
};

const isDelayed: Check = ({ seen, policy, proposal, nowMs }) => {
  const untilMs = (proposal.readyAtMs ?? nowMs) + policy.delayMs;
  return nowMs >= untilMs
    ? null
    : wait('delay', `${nameOf(seen)} is ready; people have ${duration(policy.delayMs)} to object`, {
        untilMs,
        isReady: true,
      });
};

const isForPeople: Check = ({ seen, policy }) =>
  policy.merge === 'auto'
    ? null
    : wait('people', `${nameOf(seen)} is ready: merge it there (pr_merge is "people")`, { isReady: true });

const isPaused: Check = ({ paused }) => (paused === null ? null : wait('target', paused, { isReady: true }));

const wasRefused: Check = ({ seen, proposal, nowMs }) =>
  nowMs >= proposal.retryAtMs
    ? null
    : wait('forge', `its forge did not merge ${nameOf(seen)} when it was asked; it is asked again`, {
        untilMs: proposal.retryAtMs,
        tell: 'keep',
        isReady: true,
      });

/** In this order: whether it is ours, what ends it, what makes it another one, what asks for work, what is missing. */
const CHECKS: readonly Check[] = [
  isAnothers,
  isOver,
  hasWrongBase,
  hasOtherHead,
  hasConflict,
  hasFeedback,
  isAnswered,
  isDraft,
  lacksApproval,
  lacksChecks,
  isHeldThere,
  isBehind,
  isDelayed,
  isForPeople,
  isPaused,
  wasRefused,
];

export function judgePull(one: PullCase): PullVerdict {
  for (const check of CHECKS) {
    const verdict = check(one);
    if (verdict !== null) return verdict;
  }
  return { kind: 'merge' };
}

export const nameOf = ({ number }: { readonly number: number }): string => `pull request #${String(number)}`;
const short = (sha: string): string => sha.slice(0, 12);
