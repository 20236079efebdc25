import type { RigAction } from '../../core/actions.ts';
import { must } from '../../core/assert.ts';
import type { BeadId, Sha } from '../../core/model/ids.ts';
import type { ForgeAsk, Proposal, ProposalChange } from '../../core/model/proposal.ts';
import type { Bead } from '../../core/model/bead.ts';
import type { MergeStep } from '../../core/model/review.ts';
import { pollAfterMs } from '../../core/pull/poll.ts';
import { beadRef } from '../../core/refs.ts';
import { forgotten } from '../../core/rules/pull-step.ts';
import { gatesDigest } from '../../core/train/gates-digest.ts';
import type { ReviewFacts } from '../../core/view.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import { proposedFor } from '../../store/proposal-store.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { callOff } from './call-off.ts';
import type { Change } from './change.ts';
import type { RigContext } from './rig-context.ts';

type StepAction = Extract<RigAction, { readonly type: 'start_merge' | 'merge_step' }>;
export type PullAction = Extract<RigAction, { readonly type: 'pull_note' | 'adopt_head' | 'close_pull' }>;

export const isPull = (action: RigAction): action is PullAction =>
  action.type === 'pull_note' || action.type === 'adopt_head' || action.type === 'close_pull';

/** An order to the forge, as the outbox keeps it. */
export interface ForgeOrder extends ForgeAsk {
  readonly mergeRequest: string;
  /** What is said at a pull request that is closed. */
  readonly comment?: string;
  /** Only of a merge: since when the pull request has been as it was judged. */
  readonly judgedSinceMs?: number;
}

export const closeKey = (mergeRequest: string, asks: number): string => `close:${mergeRequest}:${String(asks)}`;

/** What a step of a merge request with a pull request brings beside the step itself. */
export function pullStep(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  { action, before }: { readonly action: StepAction; readonly before: ReviewFacts },
): void {
  const { mergeRequest, forge, toStep } = action;
  if (before.strategy !== 'pr') return;
  // Who waits is found by what waits: what has ended is not among them.
  const over: ProposalChange = toStep === 'ended' ? { waitsFor: null, waitReason: null, silentSinceMs: null } : {};
  writer.proposals.change(mergeRequest, { ...action.pull, ...openAsked(action), ...over, said: null });
  if (action.passed !== undefined) writer.trains.passed(action.passed, gatesDigest(rig.view.config().gates));
  if (forge !== undefined) {
    const payload: ForgeOrder = {
      ...forge,
      mergeRequest,
      ...(forge.kind === 'merge' ? judgedSince(rig, mergeRequest) : {}),
    };
    turn.effect({ key: `forge:${forge.key}`, kind: 'forge', lane: `forge:${mergeRequest}`, payload });
  }
  const ref = beadRef(mergeRequest);
  if (toStep === 'ended') turn.kernel.setTimer(ref, 'observe', null);
  else if (toStep === 'proposed') turn.kernel.setTimer(ref, 'observe', nextLook(turn, before));
  // Whatever has a number is looked at, come what may: people merge and close it whenever they like.
  else if (isNumbered(rig, mergeRequest) && turn.kernel.timer(ref, 'observe') === null)
    turn.kernel.setTimer(ref, 'observe', nextLook(turn, before));
}

function judgedSince(rig: RigContext, mergeRequest: BeadId): Pick<ForgeOrder, 'judgedSinceMs'> {
  const { changedAtMs } = must(rig.view.proposal(mergeRequest), 'what is merged was proposed');
  return { judgedSinceMs: changedAtMs };
}

const isNumbered = (rig: RigContext, mergeRequest: BeadId): boolean =>
  (rig.view.proposal(mergeRequest)?.number ?? null) !== null;

/** From the question until an answer that names it there may be one that nobody knows of. */
function openAsked({ forge, pull }: StepAction): ProposalChange {
  if (forge?.kind === 'open') return { isOpenAsked: true };
  return typeof pull?.number === 'number' ? { isOpenAsked: false } : {};
}

/** Steps after which something has changed there by our own doing: opened, asked to merge, a new head. */
const SEEN_SOON: ReadonlySet<MergeStep> = new Set(['opening', 'accepting', 'queued']);

/**
 * Just opened it was just seen; after a merge that did not happen, and with a new head, the next look is due soon. What is
 * overdue is being looked at, perhaps still without its number: that look's answer, that there is nothing to look at, must
 * not count for the new one, so the moment is another one (seed 5068).
 */
function nextLook(turn: Turn, before: ReviewFacts): number {
  const soonMs = turn.nowMs + pollAfterMs({ changedAtMs: turn.nowMs }, turn.nowMs);
  const setMs = turn.kernel.timer(beadRef(before.beadId), 'observe') ?? soonMs;
  const dueMs = setMs <= turn.nowMs ? soonMs : setMs;
  return SEEN_SOON.has(before.step) ? Math.min(dueMs, soonMs) : dueMs;
}

/** Rework moved the head of a merge request: what was seen and asked before was about another commit. */
export function startAnew(writer: RigWriter, review: ReviewFacts, head: Sha): void {
  if (review.strategy !== 'pr' || head === review.headSha) return;
  writer.proposals.startAnew(review.beadId);
  writer.proposals.change(review.beadId, { isAdopted: false, asks: 0 });
}

/** The head moves while git is asked whether the former one was merged: that question is over, and comes again by itself. */
export function backToRework(
  turn: Turn,
  writer: RigWriter,
  { review, mergeRequest }: { readonly review: ReviewFacts; readonly mergeRequest: Bead },
): void {
  if (review.stepKey !== null) callOff(turn, review.stepKey, 'its rework is done');
  writer.stepReview(review.beadId, { from: 'confirming', to: 'reworking', stepKey: null, columns: {} });
  writer.transitionBead(mergeRequest, 'open', { closeReason: null, evidence: null });
}

export function pullAction(rig: RigContext, turn: Turn, writer: RigWriter, action: PullAction): Change {
  const entity = beadRef(action.mergeRequest);
  if (action.type === 'close_pull') return closePull(rig, turn, writer, action);
  if (action.type === 'pull_note') {
    writer.proposals.change(action.mergeRequest, action.change);
    const { waitsFor } = action.change;
    return waitsFor === undefined || waitsFor === null ? { entity } : { entity, to: `waits for ${waitsFor}` };
  }
  const review = must(rig.view.review(action.mergeRequest), 'a proposed merge request exists');
  if (review.step !== 'proposed') throw new GuardFailed(`${review.beadId} is no longer proposed`);
  writer.proposals.moveHead(action.mergeRequest, action.from, action.head);
  writer.proposals.startAnew(action.mergeRequest);
  writer.proposals.change(action.mergeRequest, { isAdopted: true, asks: 0, retryAtMs: 0, readyAtMs: null });
  return { entity, from: action.from, to: action.head };
}

/** Once the cancel is done: nothing waits for the forge. */
function closePull(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  { mergeRequest, asks, comment }: Extract<PullAction, { readonly type: 'close_pull' }>,
): Change {
  const known = rig.view.proposal(mergeRequest);
  const number = known?.number ?? null;
  const toldMergeSha =
    known?.closing?.isTold === true ? known.closing.mergeSha : (known?.closing?.toldMergeSha ?? null);
  const before = { number, mergeSha: null, error: null, isTold: false, toldMergeSha };
  writer.proposals.change(mergeRequest, { closing: { ...before, state: 'asked', asks, askedAtMs: turn.nowMs } });
  const key = closeKey(mergeRequest, asks);
  const order: ForgeOrder = { kind: 'close', key, mergeRequest, comment };
  turn.effect({ key: `forge:${key}`, kind: 'forge', lane: `forge:${mergeRequest}`, payload: order });
  return { entity: beadRef(mergeRequest), to: number === null ? 'by its branch' : `#${String(number)}` };
}

/** A person has it tried again now, or its settings changed: what was refused may be possible. */
export function tryPullNow(rig: RigContext, turn: Turn, writer: RigWriter, review: ReviewFacts): void {
  const proposal = review.strategy === 'pr' ? rig.view.proposal(review.beadId) : null;
  if (proposal === null || review.step === 'ended') return;
  const { isOver, isLost } = standingOf(proposal, review);
  if (review.step !== 'proposed' || !isLost) {
    writer.proposals.change(review.beadId, { retryAtMs: 0, asks: 0 });
    if (proposal.number !== null) turn.kernel.setTimer(beadRef(review.beadId), 'observe', turn.nowMs);
    return;
  }
  writer.stepReview(review.beadId, { from: 'proposed', to: 'queued', stepKey: null, columns: {} });
  const bead = must(rig.view.bead(review.beadId), 'a merge request has its bead');
  writer.transitionBead(bead, 'open', { closeReason: null, evidence: null });
  writer.proposals.change(review.beadId, {
    // Only what is known to be over is not taken up again: it may be that the token alone was wrong.
    ...forgotten(isOver ? proposal.number : proposal.over),
    waitsFor: null,
    waitReason: null,
  });
}

/** Whether its pull request is over, or can't be looked at as its own any more. */
function standingOf(
  { seen, lookError }: Proposal,
  { branch }: ReviewFacts,
): { readonly isOver: boolean; readonly isLost: boolean } {
  const isAnothers = seen !== null && seen.branch !== branch;
  // Merged and still proposed: git did not find it in the target, and a person wants another one.
  const isOver = seen !== null && seen.state !== 'open' && !isAnothers;
  return { isOver, isLost: isOver || isAnothers || lookError !== null };
}

/** Settings changed: a token, a base or a policy may be another one. */
export function settingsChanged(rig: RigContext, turn: Turn, writer: RigWriter): void {
  for (const mergeRequest of proposedFor(rig.sql, null)) {
    writer.proposals.change(mergeRequest, { retryAtMs: 0 });
    if (isNumbered(rig, mergeRequest)) turn.kernel.setTimer(beadRef(mergeRequest), 'observe', turn.nowMs);
  }
}
