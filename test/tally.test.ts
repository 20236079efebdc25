import { describe, expect, it } from 'vitest';
import { emptyTally, tally, tallyLine, withStep } from '../scripts/tally.ts';

const report = (...statuses: readonly string[]): unknown => ({
  testResults: [{ assertionResults: statuses.map((status, at) => ({ status, fullName: `case ${at}` })) }],
});

describe('the summary line', () => {
  it('counts cases over all steps', () => {
    const total = withStep(
      withStep(emptyTally, tally(report('passed', 'failed'), 1)),
      tally(report('passed', 'passed'), 0),
    );
    expect(tallyLine(total)).toBe('3 passed, 1 failed');
  });

  it('names what did not run', () => {
    expect(tally(report('passed', 'skipped', 'todo'), 0)).toEqual({
      passed: 1,
      failed: 0,
      skipped: ['case 1', 'case 2'],
    });
  });

  it('counts a crash as one failure, with or without a report', () => {
    expect(tally(report('passed'), 1)).toEqual({ passed: 1, failed: 1, skipped: [] });
    expect(tally(null, 137)).toEqual({ passed: 0, failed: 1, skipped: [] });
    expect(tally(report('failed', 'failed'), 1).failed).toBe(2);
  });

  it('counts a file that could not be loaded beside the failed cases of others', () => {
    const files = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ];
    expect(tally({ testResults: files }, 1)).toEqual({ passed: 2, failed: 2, skipped: [] });
  });
});
