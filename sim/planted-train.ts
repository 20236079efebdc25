/** One bug that somebody could write, as a replacement of text in one source. The simulator has to find each of them. */
export interface Planted {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** Bugs of the merge train's rounds. */
export const PLANTED_TRAIN: readonly Planted[] = [
  {
    name: 'train: a push that arrived ends only the leader',
    file: 'core/rules/merge-step.ts',
    find: 'round.flatMap((member) => (member.candidateSha === null',
    put: 'round.slice(0, 1).flatMap((member) => (member.candidateSha === null',
  },
  {
    name: 'train: who leaves a round leaves its candidates behind',
    file: 'core/rules/bead-ended.ts',
    find: 'ROUND_STEPS.includes(review.step) && view.round(target).length > 1;',
    put: 'false;',
  },
  {
    name: 'train: a tree is known to pass whatever it was',
    file: 'store/train-store.ts',
    find: 'WHERE tree = ? AND gates = ?',
    put: 'WHERE (tree = ? OR 1 = 1) AND gates = ?',
  },
  {
    name: 'train: a push without a verdict counts as not landed',
    file: 'core/model/review.ts',
    find: "  (strategy === 'direct' && (step === 'queued' || step === 'preparing') && candidateSha !== null)",
    put: "  (strategy === 'direct' && step === 'ended' && candidateSha !== null)",
  },
  {
    name: 'train: what a review agent has to look at is not waited for',
    file: 'core/rules/merge-train.ts',
    find: ' && !awaitsReview(view, review)',
    put: '',
  },
  {
    name: 'train: a paused train goes on',
    file: 'core/rules/merge-train.ts',
    find: "if (train.state === 'paused') return NOTHING;",
    put: '',
  },
  {
    name: 'train: the answer of a run is dropped',
    file: 'actors/rig/rig-events.ts',
    find: 'writer.trains.answered(jobKey, result)',
    put: 'true',
  },
];
