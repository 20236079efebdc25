import type { RigAction } from '../../core/actions.ts';
import { must } from '../../core/assert.ts';
import type { Job } from '../../core/facts.ts';
import { trusted, type BeadId, type Sha } from '../../core/model/ids.ts';
import { ROUND_STEPS } from '../../core/model/review.ts';
import { beadRef, trainRef } from '../../core/refs.ts';
import { queueKey } from '../../core/queue-key.ts';
import { gatesDigest } from '../../core/train/gates-digest.ts';
import type { ReviewFacts } from '../../core/view.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { callOff } from './call-off.ts';
import type { Change } from './change.ts';
import type { RigContext } from './rig-context.ts';
import { pullStep } from './pull-steps.ts';
import { stepColumns } from './step-columns.ts';

export type RoundAction = Extract<
  RigAction,
  {
    readonly type:
      | 'order_probes'
      | 'repeat_probe'
      | 'dissolve_round'
      | 'change_suspicion'
      | 'train_state'
      | 'train_learn';
  }
>;

type StepAction = Extract<RigAction, { readonly type: 'start_merge' | 'merge_step' }>;

const ROUND_ACTIONS: ReadonlySet<string> = new Set([
  'order_probes',
  'repeat_probe',
  'dissolve_round',
  'change_suspicion',
  'train_state',
  'train_learn',
] satisfies readonly RoundAction['type'][]);
export const isRound = (action: RigAction): action is RoundAction => ROUND_ACTIONS.has(action.type);

export function roundAction(rig: RigContext, turn: Turn, writer: RigWriter, action: RoundAction): Change {
  switch (action.type) {
    case 'order_probes':
      writer.trains.order(action.leader, gatesDigest(rig.view.config().gates), action.probes);
      for (const { job } of action.probes) if (job !== null) orderProbe(turn, job);
      return { entity: beadRef(action.leader), to: saidOf(action.probes) };
    case 'repeat_probe':
      writer.trains.repeat(action.key, action.job.key);
      orderProbe(turn, action.job);
      return { entity: `job:${action.job.key}` };
    case 'dissolve_round':
      dissolveRound(rig, turn, writer, action);
      return { entity: trainRef(action.target) };
    case 'change_suspicion':
      writer.trains.changeSuspicion(action.target, action);
      return { entity: trainRef(action.target), from: action.mark, ...(action.to === null ? {} : { to: action.to }) };
    case 'train_learn':
      writer.trains.learn(action.target, action.seen);
      return {
        entity: trainRef(action.target),
        to: `${String(action.seen.landed)} landed, ${String(action.seen.bad)} bad, ${String(action.seen.flakes)} flaky`,
      };
    default: {
      const { state: from } = rig.view.train(action.target);
      writer.trains.set(action.target, { ...action, by: 'system' });
      return {
        entity: trainRef(action.target),
        from,
        to: action.state,
        ...(action.reason === null ? {} : { reason: action.reason }),
      };
    }
  }
}

/** Each run has a lane of its own: they go on beside each other. */
const orderProbe = (turn: Turn, job: Job): void => {
  turn.effect({ key: `job:${job.key}`, kind: 'job', lane: `gates:${job.key}`, payload: { job } });
};

function saidOf(probes: Extract<RoundAction, { readonly type: 'order_probes' }>['probes']): string {
  const of = (entries: readonly unknown[]): string => (entries.length === 0 ? 'the target' : String(entries.length));
  return probes.map(({ entries, job }) => `${of(entries)}${job === null ? ' known' : ''}`).join(', ');
}

/** Nobody waits for the runs of this round any more. */
function dropProbes(turn: Turn, writer: RigWriter, leader: BeadId): void {
  for (const key of writer.trains.drop(leader)) callOff(turn, key, 'not needed any more');
}

/** All but `except` go back in line; what was known of them stays. */
export function dissolveRound(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  { target, except, reason }: { readonly target: string; readonly except: BeadId | null; readonly reason: string },
): void {
  const round = rig.view.round(target);
  const [leader] = round;
  if (leader === undefined) throw new GuardFailed(`no round of ${target} is under way`);
  if (leader.step === 'pushing') throw new GuardFailed(`the round of ${target} is being pushed`);
  dropProbes(turn, writer, leader.beadId);
  if (leader.stepKey !== null && leader.beadId !== except) callOff(turn, leader.stepKey, reason);
  for (const member of round) if (member.beadId !== except) backInLine(rig, writer, member);
}

function backInLine(rig: RigContext, writer: RigWriter, member: ReviewFacts): void {
  // What was only tested was never pushed.
  const columns = { position: null, ...(member.step === 'gating' ? { candidate_sha: null } : {}) };
  writer.stepReview(member.beadId, { from: member.step, to: 'queued', stepKey: null, columns });
  const bead = must(rig.view.bead(member.beadId), 'a merge request has its bead');
  writer.transitionBead(bead, 'open', { closeReason: null, evidence: null });
}

/** Before one is taken out of a round by hand: the candidates of the others were made with it among them. */
export function leaveRound(rig: RigContext, turn: Turn, writer: RigWriter, review: ReviewFacts): void {
  const { targetBranch: target, beadId: except, step } = review;
  if (ROUND_STEPS.includes(step))
    dissolveRound(rig, turn, writer, { target, except, reason: `${except} leaves the round` });
}

/** Of what the step sets going; its answer carries it. */
const keyOf = ({ job, forge }: StepAction): string | null => job?.key ?? forge?.key ?? null;

/** One step of a merge request, with what it sets going and what nobody waits for any more. */
export function mergeStep(rig: RigContext, turn: Turn, writer: RigWriter, action: StepAction): Change {
  const review = must(rig.view.review(action.mergeRequest), 'a merging merge request exists');
  const columns = stepColumns(action);
  // The runs of a round end with the step of its leader.
  const leaves = action.fromStep === 'gating' && action.toStep !== 'gating';
  if (leaves && review.position === 0) dropProbes(turn, writer, review.beadId);
  if (action.requeueAtMs !== undefined)
    columns['queue_key'] = queueKey(
      must(rig.view.bead(review.sourceBeadId), 'a merge request has its source').priority,
      action.requeueAtMs,
    );
  writer.stepReview(action.mergeRequest, {
    from: action.fromStep,
    to: action.toStep,
    stepKey: keyOf(action),
    columns,
  });
  pullStep(rig, turn, writer, { action, before: review });
  const kept = action.mergeSha === undefined ? null : targetHead(review);
  if (kept !== null) writer.features.advanced(review.targetBranch, kept);
  if (action.job !== null) orderJob(turn, review.sourceBeadId, action.job);
  else if (review.stepKey !== null) callOff(turn, review.stepKey, 'not needed any more');
  return {
    entity: beadRef(action.mergeRequest),
    from: action.fromStep,
    to: action.toStep,
    ...(action.heldReason ? { reason: action.heldReason } : {}),
  };
}

/** What the target was seen to hold when the merge was found there. */
const targetHead = (review: ReviewFacts): Sha | null =>
  review.result?.result === 'pushed' || review.result?.result === 'already_merged'
    ? trusted.sha(review.result.targetSha)
    : null;

/** Lane of the git work of one lineage. */
const workLane = (source: BeadId): string => `work:${source}`;

export function orderJob(turn: Turn, source: BeadId, job: Job): void {
  turn.effect({ key: `job:${job.key}`, kind: 'job', lane: workLane(source), payload: { job } });
}
