import type { RigAction } from '../actions.ts';
import type { Job } from '../facts.ts';
import { DEFAULT_PULL, type PullPolicy } from '../commands.ts';
import { MERGE_STEP_DEADLINE_MS, PULL_REFUSED_RETRY_MS } from '../limits.ts';
import type { Sha } from '../model/ids.ts';
import type { ForgeAsk, Proposal, ProposalChange } from '../model/proposal.ts';
import { siteKey, type PullRequest } from '../model/pull-request.ts';
import type { MergeStep } from '../model/review.ts';
import { beadRef } from '../refs.ts';
import { asSentence } from '../sentence.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { repoFor } from './feature-branch.ts';
import { messageOf } from './merge-train.ts';
import { backToLine } from './back-in-line.ts';
import { act, NOTHING, type RigVerdicts } from './rule.ts';

/** One merge request with its pull request, as the rules look at it. */
export interface Pull {
  readonly view: RigView;
  readonly review: ReviewFacts;
  readonly proposal: Proposal;
  readonly nowMs: number;
}

export const policyOf = (view: RigView): PullPolicy => view.config().merging?.pull ?? DEFAULT_PULL;

export const decidePull = ({ review }: Pull, reason: string, actions: readonly RigAction[]): RigVerdicts =>
  actions.length === 0 ? NOTHING : act({ rule: 'pull-request', entity: beadRef(review.beadId), reason, actions });

interface More {
  readonly job?: Job | null;
  readonly forge?: ForgeAsk;
  readonly pull?: ProposalChange;
  readonly heldReason?: string | null;
  readonly deadlineAtMs?: number;
  readonly candidate?: { readonly sha: Sha; readonly tree: string; readonly targetSha: Sha };
  readonly gateKills?: number;
  readonly gateLog?: string;
  readonly suspect?: string | null;
  readonly passed?: string;
}

/** The next step, with its bead's status where that follows. */
export function toStep({ review }: Pull, to: MergeStep, more: More = {}): readonly RigAction[] {
  const { job = null, ...rest } = more;
  const step: RigAction = {
    type: 'merge_step',
    mergeRequest: review.beadId,
    fromStep: review.step,
    toStep: to,
    job,
    ...rest,
  };
  if (review.step === 'queued' || review.step === 'reworking')
    return [step, { type: 'transition_bead', bead: review.beadId, from: 'open', to: 'in_progress' }];
  return to === 'queued' || to === 'reworking' ? [step, backToLine(review)] : [step];
}

/** Asks git: is it merged already, does it conflict with the target, and what is the tree of both together. */
export const toCheck = (pull: Pull, more: More = {}): readonly RigAction[] => toGit(pull, 'checking', null, more);

/**
 * The forge says merged: does the target have that? What was merged is searched for by its commit only when it is the head
 * that is proposed now; a newer head has to be there itself.
 */
export function toConfirm(pull: Pull, seen: PullRequest, more: More = {}): readonly RigAction[] {
  // Also by what the forge says now: the branch may have been changed since the last look.
  const isAsProposed = isWhole(pull) && (seen.headSha === null || seen.headSha === pull.review.headSha);
  return toGit(pull, 'confirming', isAsProposed ? seen.mergeSha : null, more);
}

/** The commit that the forge had last is the one that is on the branch now. */
export const isWhole = ({ review, proposal }: Pull): boolean =>
  proposal.seenHead === null || proposal.seenHead === review.headSha;

function toGit(pull: Pull, kind: 'checking' | 'confirming', mergeSha: string | null, more: More): readonly RigAction[] {
  const { view, review, nowMs } = pull;
  const config = view.config();
  const job: Job = {
    kind: 'merge',
    key: `merge:${review.beadId}:${kind}:${String(review.version)}`,
    repo: repoFor(view, review.targetBranch),
    mergeRequest: review.beadId,
    head: review.headSha,
    earlierCandidate: mergeSha,
    message: messageOf(review, view.bead(review.sourceBeadId), 'merge'),
    author: { name: `${config.name}/refinery`, email: config.ownerEmail },
    dateMs: nowMs,
  };
  const deadlineAtMs = more.deadlineAtMs ?? nowMs + MERGE_STEP_DEADLINE_MS;
  return toStep(pull, kind, { ...more, job, deadlineAtMs });
}

/**
 * The branch is deleted where hosts tidy up after a merge, or people do: then no host opens anything. It is made again where
 * it is missing, and left alone where somebody put other work on it (seed 1157).
 */
export function toBranch(pull: Pull, more: More = {}): readonly RigAction[] {
  const { view, review, nowMs } = pull;
  const job: Job = {
    kind: 'promote',
    key: `again:${review.beadId}:${String(review.version)}`,
    repo: repoFor(view, review.targetBranch),
    branch: review.branch,
    head: review.headSha,
    expectedOld: null,
  };
  return toStep(pull, 'checking', { ...more, job, deadlineAtMs: nowMs + MERGE_STEP_DEADLINE_MS });
}

export function toOpening(pull: Pull, more: More = {}): readonly RigAction[] {
  const forge: ForgeAsk = { kind: 'open', key: keyOf('open', pull) };
  return toStep(pull, 'opening', { ...more, forge, deadlineAtMs: pull.nowMs + MERGE_STEP_DEADLINE_MS });
}

export const keyOf = (kind: ForgeAsk['kind'], { review }: Pull): string =>
  `${kind}:${review.beadId}:${String(review.version)}`;

/** Its number counts no more; `over` is what is not adopted again. Another one is opened or found for its branch. */
export const forgotten = (over: number | null): ProposalChange => ({
  over,
  number: null,
  url: null,
  site: null,
  seen: null,
  seenHead: null,
  lookError: null,
  silentSinceMs: null,
  retryAtMs: 0,
  asks: 0,
});

/** The settings name another forge or project than the one that has its number: there the number is somebody else's. */
export function isElsewhere({ view, proposal }: Pull): boolean {
  const { forge } = view.config();
  return proposal.site !== null && forge !== undefined && proposal.site !== siteKey(forge);
}

/** It comes from our branch: what stands under the number of before may be another one by now. */
export const isOurs = ({ review }: Pull, seen: PullRequest): boolean => seen.branch === review.branch;

const causeOfPull = ({ review }: Pull): string => `bead:${review.beadId}`;

/** A person is told once; what is told again after it was resolved is a new cause. */
export function tell(pull: Pull, message: string): readonly RigAction[] {
  const { view, review } = pull;
  return view.bead(review.beadId)?.escalated === false ? [raised(pull, message)] : [];
}

/** What a person was told before is over: this is another thing to do. */
export const tellAnew = (pull: Pull, message: string): readonly RigAction[] => [...untell(pull), raised(pull, message)];

const raised = (pull: Pull, message: string): RigAction => ({
  type: 'raise_escalation',
  causeKey: causeOfPull(pull),
  severity: 'medium',
  category: 'merge',
  subject: beadRef(pull.review.sourceBeadId),
  message,
});

/** What was told is over. */
export const untell = (pull: Pull): readonly RigAction[] =>
  pull.view.bead(pull.review.beadId)?.escalated === true
    ? [{ type: 'resolve_escalation', causeKey: causeOfPull(pull), bead: pull.review.beadId }]
    : [];

/** What a person can do about a refusal. */
export const refusalText = (pull: Pull, what: string, error: string): string =>
  `${what} is refused for ${pull.review.sourceBeadId}: ${asSentence(error)} It is tried again every ${String(PULL_REFUSED_RETRY_MS / 60_000)} min, when the settings change, and at once with "gt mq retry ${pull.review.sourceBeadId}".`;
