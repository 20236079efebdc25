import { describe, expect, it } from 'vitest';
import { emptyTally, programTally, tally, tallyLine, withStep } from '../scripts/tally.ts';

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
      failures: [],
      skipped: ['case 1', 'case 2'],
    });
  });

  it('counts a crash as one failure, with or without a report', () => {
    expect(tally(report('passed'), 1)).toMatchObject({ passed: 1, failed: 1, skipped: [] });
    expect(tally(null, 137)).toMatchObject({ passed: 0, failed: 1, failures: [expect.stringContaining('137')] });
    expect(programTally(3)).toMatchObject({ passed: 0, failed: 1, failures: ['ended with exit code 3'] });
    expect(programTally(0)).toMatchObject({ passed: 1, failed: 0, failures: [] });
    expect(tally(report('failed', 'failed'), 1).failed).toBe(2);
  });

  it('counts a file that could not be loaded beside the failed cases of others', () => {
    const files = [
      { name: 'a.test.ts', status: 'failed', message: 'no such module\n  at line 1', assertionResults: [] },
      {
        status: 'failed',
        assertionResults: [
          { status: 'failed', fullName: 'adds', failureMessages: ['expected 1 to be 2\n  at line 7'] },
          { status: 'passed' },
        ],
      },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ];
    expect(tally({ testResults: files }, 1)).toEqual({
      passed: 2,
      failed: 2,
      failures: ['a.test.ts: no such module', 'adds: expected 1 to be 2'],
      skipped: [],
    });
  });
});
