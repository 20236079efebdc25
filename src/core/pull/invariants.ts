import { PULL_STEPS, ROUND_STEPS, type MergeStrategy, type MergeStep } from '../model/review.ts';

interface Violation {
  readonly code: string;
  readonly text: string;
}

/** What is recorded of merge requests that have not ended, as far as pull requests go. */
export interface PullRecord {
  readonly beadId: string;
  readonly branch: string;
  readonly strategy: MergeStrategy;
  readonly step: MergeStep;
  readonly hasProposal: boolean;
  readonly number: number | null;
  /** When it is looked at next. */
  readonly lookAtMs: number | null;
}

/**
 * I34: a merge request takes the way of its strategy, and a pull request carries one merge request. I35: what is open at
 * the forge is looked at again.
 */
export function checkPulls(records: readonly PullRecord[]): readonly Violation[] {
  return records.flatMap((one) => [...way(one), ...watch(one), ...shared(one, records)]);
}

function way({ beadId, strategy, step, hasProposal, number }: PullRecord): Violation[] {
  const foreign = strategy === 'pr' ? ROUND_STEPS : PULL_STEPS;
  if (foreign.includes(step))
    return [{ code: 'I34', text: `${beadId} is at step ${step} with the strategy ${strategy}` }];
  if (hasProposal !== (strategy === 'pr'))
    return [{ code: 'I34', text: `${beadId} has the strategy ${strategy} and ${hasProposal ? 'a' : 'no'} proposal` }];
  return number === null && (step === 'proposed' || step === 'accepting')
    ? [{ code: 'I34', text: `${beadId} is at step ${step} without a pull request` }]
    : [];
}

const watch = ({ beadId, number, lookAtMs }: PullRecord): Violation[] =>
  number === null || lookAtMs !== null
    ? []
    : [{ code: 'I35', text: `nobody looks at the pull request #${String(number)} of ${beadId}` }];

const shared = (one: PullRecord, records: readonly PullRecord[]): Violation[] =>
  one.number !== null && records.some((other) => other.beadId < one.beadId && other.number === one.number)
    ? [{ code: 'I34', text: `the pull request #${String(one.number)} carries more than ${one.beadId}` }]
    : [];
