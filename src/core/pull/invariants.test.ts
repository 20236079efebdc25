import { describe, expect, it } from 'vitest';
import { MERGE_STEPS, PULL_STEPS, ROUND_STEPS } from '../model/review.ts';
import { checkPulls, type PullRecord } from './invariants.ts';

const record = (over: Partial<PullRecord> = {}): PullRecord => ({
  beadId: 'api-merge',
  branch: 'gt/api-task1',
  strategy: 'pr',
  step: 'proposed',
  hasProposal: true,
  number: 1,
  lookAtMs: 1,
  ...over,
});
const codes = (...records: readonly PullRecord[]): readonly string[] => checkPulls(records).map(({ code }) => code);

describe('of pull requests', () => {
  it.each(MERGE_STEPS)('a merge request takes the way of its strategy (I34): %s', (step) => {
    expect(codes(record({ step })).includes('I34')).toBe(ROUND_STEPS.includes(step));
    const direct = record({ step, strategy: 'direct', hasProposal: false, number: null, lookAtMs: null });
    expect(codes(direct).includes('I34')).toBe(PULL_STEPS.includes(step));
  });

  it('a merge request takes the way of its strategy (I34)', () => {
    expect(codes(record())).toEqual([]);
    expect(codes(record({ hasProposal: false }))).toEqual(['I34']);
    expect(codes(record({ step: 'queued', strategy: 'direct', number: null }))).toEqual(['I34']);
    expect(codes(record({ number: null, lookAtMs: null }))).toEqual(['I34']);
    expect(codes(record({ number: null, lookAtMs: null, step: 'opening' }))).toEqual([]);
    expect(codes(record(), record({ beadId: 'api-other' }))).toEqual(['I34']);
    expect(codes(record(), record({ beadId: 'api-other', number: 2 }))).toEqual([]);
  });

  it('what is open is looked at again (I35)', () => {
    expect(codes(record({ lookAtMs: null }))).toEqual(['I35']);
    expect(codes(record({ lookAtMs: null, number: null, step: 'queued' }))).toEqual([]);
  });
});
