import { describe, expect, it } from 'vitest';
import type { GateRun } from '../facts.ts';
import { GATE_LOG_CHARS_MAX } from '../limits.ts';
import { redGate } from './gate-verdict.ts';

const run = (over: Partial<GateRun> = {}): GateRun => ({
  name: 'test',
  exitCode: 1,
  timedOut: false,
  durationMs: 1,
  tail: 'expected 2, got 3',
  ...over,
});

describe('a red gate', () => {
  it('shows how it ended and the end of its output', () => {
    expect(redGate(run())).toMatchObject({
      name: 'test',
      log: 'It ended with exit code 1. The end of its output:\n\nexpected 2, got 3',
      killedBy: null,
    });
  });

  it('that reached its time limit says so', () => {
    expect(redGate(run({ timedOut: true, exitCode: null }))).toEqual({
      name: 'test',
      log: 'It was stopped at its time limit. The end of its output:\n\nexpected 2, got 3',
      signature: 'test/null/time limit',
      killedBy: null,
    });
  });

  it('that something else ended names the signal', () => {
    expect(redGate(run({ exitCode: null, killedBy: 'SIGKILL' })).killedBy).toBe('SIGKILL');
  });

  it('that nobody ran is unknown', () => {
    expect(redGate(undefined)).toEqual({
      name: 'unknown',
      log: 'No gate reported a result.',
      signature: 'none',
      killedBy: null,
    });
  });

  it('keeps the last characters of its output, not more', () => {
    const tail = `x${'y'.repeat(GATE_LOG_CHARS_MAX)}`;
    expect(redGate(run({ tail })).log.endsWith(`:\n\n${'y'.repeat(GATE_LOG_CHARS_MAX)}`)).toBe(true);
  });

  describe('has a signature', () => {
    const signature = (over: Partial<GateRun> = {}): string => redGate(run(over)).signature;

    it('that is the same for what differs in numbers only', () => {
      expect(signature({ tail: 'expected 4, got 5' })).toBe(signature());
      expect(signature()).toMatch(/^test\/1\/[0-9a-f]{16}$/);
    });

    it('that tells gates, exit codes and outputs apart', () => {
      const all = [{}, { name: 'lint' }, { exitCode: 2 }, { tail: 'unexpected' }].map(signature);
      expect(new Set(all).size).toBe(4);
    });
  });
});
