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
    const unopened = { number: null, lookAtMs: null, step: 'opening' } as const;
    expect(codes(record(unopened), record({ ...unopened, beadId: 'api-other' }))).toEqual([]);
    expect(codes(record({ ...unopened, step: 'accepting' }))).toEqual(['I34']);
    expect(codes(record({ ...unopened, step: 'confirming' }))).toEqual([]);
  });

  it('what is open is looked at again (I35)', () => {
    expect(codes(record({ lookAtMs: null }))).toEqual(['I35']);
    expect(codes(record({ lookAtMs: null, number: null, step: 'queued' }))).toEqual([]);
  });

  it('what is wrong is said with the names of those whom it is about', () => {
    const texts = (...records: readonly PullRecord[]): readonly string[] => checkPulls(records).map(({ text }) => text);
    expect([
      ...texts(record({ step: 'pushing' })),
      ...texts(record({ hasProposal: false })),
      ...texts(record({ step: 'queued', strategy: 'direct' })),
      ...texts(record({ number: null })),
      ...texts(record({ lookAtMs: null })),
      ...texts(record(), record({ beadId: 'api-other' })),
    ]).toEqual([
      'api-merge is at step pushing with the strategy pr',
      'api-merge has the strategy pr and no proposal',
      'api-merge has the strategy direct and a proposal',
      'api-merge is at step proposed without a pull request',
      'nobody looks at the pull request #1 of api-merge',
      'the pull request #1 carries more than api-other',
    ]);
  });
});
