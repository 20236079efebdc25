import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exitRecord } from '../../../test/support/rig-view-builder.ts';
import type { ExitRecord } from '../facts.ts';
import { INFRA_BACKOFF_MAX_MS, INFRA_BACKOFF_MIN_MS } from '../limits.ts';
import { COUNTED_OUTCOMES, OUTCOMES } from '../model/agent.ts';
import { classifyExit, failureSignature, infraBackoffMs, retryBackoffMs } from './outcome.ts';

describe('classifyExit', () => {
  it.each([
    ['exited', 0, 'no_progress'],
    ['exited', 1, 'agent_error'],
    ['exited', null, 'agent_error'],
    ['wall_clock', null, 'no_progress'],
    ['memory', null, 'agent_error'],
    ['disk', null, 'agent_error'],
    ['stopped', null, 'evicted'],
    ['refused', null, 'superseded'],
    ['runner_lost', null, 'infra'],
    ['spawn_failed', null, 'infra'],
  ] as const)('%s with exit code %s is %s', (cause, exitCode, outcome) => {
    const ending = classifyExit(exitRecord({ cause, exitCode }));
    expect(ending.outcome).toBe(outcome);
    if (cause === 'memory' || cause === 'disk') expect(ending.signature).toBe(`agent_error/${cause}`);
    expect(ending.signature === null).toBe(!COUNTED_OUTCOMES.has(outcome));
  });

  it.each<[Partial<ExitRecord>, string]>([
    [{ exitCode: 0 }, 'The agent ended without an accepted "gt done". Last line: boom'],
    [{ exitCode: 0, lastLine: '' }, 'The agent ended without an accepted "gt done".'],
    [{ exitCode: 3 }, 'The agent ended with exit code 3: boom'],
    [{ exitCode: null, signal: 'SIGSEGV' }, 'The agent ended with signal SIGSEGV: boom'],
    [{ exitCode: 3, lastLine: '{"error":{"message":"Overloaded"}}' }, 'The agent ended with exit code 3: Overloaded'],
    [{ cause: 'wall_clock' }, 'The agent reached its wall clock limit.'],
    [{ exitCode: 125, failed: 'isolation' }, 'Its sandbox could not be made: boom'],
    [{ exitCode: 1, failed: 'machine' }, 'Its former session could not be taken up: boom'],
    [{ cause: 'memory' }, 'The agent reached its memory limit: boom'],
    [{ cause: 'disk' }, 'The agent reached its disk limit: boom'],
    [{ cause: 'stopped' }, 'The agent was stopped.'],
    [{ cause: 'drained' }, 'Its runner was drained; the work goes on elsewhere.'],
    [{ cause: 'refused' }, 'The runner was told that this attempt is not live.'],
    [{ cause: 'runner_lost' }, 'The runner ended under the agent.'],
    [{ cause: 'spawn_failed' }, 'No process could be started: boom'],
  ])('of %j says what happened', (over, reason) => {
    expect(classifyExit(exitRecord(over)).reason).toBe(reason);
  });

  it.each([0, 3])(
    'knows a failure with exit code %i again by its last line, whatever number stands in it',
    (exitCode) => {
      const signature = (lastLine: string) => classifyExit(exitRecord({ exitCode, lastLine })).signature;
      expect(signature('2 tests failed')).toBe(signature('3 tests failed'));
      expect(signature('2 tests failed')).not.toBe(signature('out of disk'));
    },
  );

  it('blames the infrastructure, never the bead, for a cause it does not know', () => {
    const exit = JSON.parse(JSON.stringify(exitRecord()).replace('"exited"', '"eaten"'));
    expect(classifyExit(exit)).toEqual({
      outcome: 'infra',
      reason: 'The runner reported an unknown cause.',
      signature: null,
    });
  });

  it('charges nobody for a sandbox or a session that its machine could not make', () => {
    for (const failed of ['isolation', 'machine'] as const)
      expect(classifyExit(exitRecord({ exitCode: 1, failed }))).toMatchObject({ outcome: 'infra', signature: null });
  });

  it("takes a drained runner for nobody's failure", () => {
    expect(classifyExit(exitRecord({ cause: 'drained' }))).toMatchObject({ outcome: 'evicted', signature: null });
  });
});

describe('failureSignature', () => {
  it.each([
    ['boom at line 3', 'boom at line 4'],
    ['fatal: /tmp/a1/x.ts:10', 'fatal: /home/me/y/z.ts:99'],
    ['commit 0123abcd missing', 'commit fedcba9876543210 missing'],
    ['took 12ms', 'took 99ms'],
  ])('is the same for %j and %j', (a, b) => {
    expect(failureSignature('agent_error', 1, a)).toBe(failureSignature('agent_error', 1, b));
  });

  it.each([
    ['/usr/lib/x.ts:10: boom', 'agent_error/1/<path>:<n>: boom'],
    ['Error in 0123abcd: 12 of 13', 'agent_error/1/Error in <hex>: <n> of <n>'],
    ['0123ABCDEF 0123456', 'agent_error/1/<hex> <hex>'],
    ['012345 is too short for a commit', 'agent_error/1/<n> is too short for a commit'],
    ['  blanks around  ', 'agent_error/1/blanks around'],
  ])('of %j is %s', (line, signature) => {
    expect(failureSignature('agent_error', 1, line)).toBe(signature);
  });

  it('keeps the first characters, not more', () => {
    expect(failureSignature('agent_error', 1, 'x'.repeat(300))).toBe(`agent_error/1/${'x'.repeat(186)}`);
  });

  it('tells outcomes, exit codes and texts apart', () => {
    const all = [
      failureSignature('agent_error', 1, 'x'),
      failureSignature('agent_error', 2, 'x'),
      failureSignature('no_progress', 1, 'x'),
      failureSignature('agent_error', 1, 'y'),
      failureSignature('agent_error', null, 'x'),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  const lines = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'/ab09. -:<>fe'.split('')) }));
  const normal = (line: string): string =>
    failureSignature('agent_error', null, line).slice('agent_error/null/'.length);

  it('has no digit of the line left, is short, and normalising twice is normalising once', () => {
    fc.assert(
      fc.property(lines, (line) => {
        const once = normal(line);
        expect(once).not.toMatch(/[0-9]/);
        expect(failureSignature('agent_error', null, line).length).toBeLessThanOrEqual(200);
        expect(normal(once)).toBe(once);
      }),
    );
  });
});

describe('back-off', () => {
  it('of counted failures is 30 s, 1, 2, 5 min and stays there', () => {
    expect([1, 2, 3, 4, 5, 99].map(retryBackoffMs)).toEqual([30_000, 60_000, 120_000, 300_000, 300_000, 300_000]);
  });

  it('of infrastructure doubles from 5 s and is capped at 10 min', () => {
    expect([0, 1, 2, 3, 7, 8, 9].map(infraBackoffMs)).toEqual([
      5_000, 5_000, 10_000, 20_000, 320_000, 600_000, 600_000,
    ]);
    fc.assert(
      fc.property(fc.nat(10_000), (failures) => {
        expect(infraBackoffMs(failures)).toBeGreaterThanOrEqual(INFRA_BACKOFF_MIN_MS);
        expect(infraBackoffMs(failures)).toBeLessThanOrEqual(INFRA_BACKOFF_MAX_MS);
        expect(infraBackoffMs(failures + 1)).toBeGreaterThanOrEqual(infraBackoffMs(failures));
      }),
    );
  });

  it('counts exactly three outcomes against the bead', () => {
    expect(OUTCOMES.filter((outcome) => COUNTED_OUTCOMES.has(outcome))).toEqual([
      'rejected',
      'no_progress',
      'agent_error',
    ]);
  });
});
