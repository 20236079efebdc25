import { describe, expect, it } from 'vitest';
import type { RunnerFacts, RunnerState } from '../model/runner.ts';
import { chooseMayorRunner, noMayorRunnerReason } from './choose-mayor-runner.ts';

const at = (id: string, state: RunnerState = 'healthy'): RunnerFacts => ({
  id,
  state,
  instance: `rn-${id}`,
  capacity: null,
  labels: [],
});
const town = (hasLocalRunner: boolean, lastRunner: string | null, ...runners: readonly RunnerFacts[]) => ({
  runners,
  hasLocalRunner,
  lastRunner,
});

describe('a session of the mayor beside a daemon', () => {
  it('runs there, before it was met and while it does not answer', () => {
    expect(chooseMayorRunner(town(true, null))).toBe('local');
    expect(chooseMayorRunner(town(true, 'a', at('a'), at('local')))).toBe('local');
    expect(chooseMayorRunner(town(true, null, at('a'), at('local', 'down')))).toBe('local');
  });

  it('runs elsewhere once a person drained it', () => {
    expect(chooseMayorRunner(town(true, null, at('a'), at('local', 'draining')))).toBe('a');
    const alone = town(true, null, at('local', 'draining'));
    expect(chooseMayorRunner(alone)).toBeNull();
    expect(noMayorRunnerReason(alone)).toBe('no runner takes work: local is draining');
  });
});

describe('a session of the mayor of a town without a runner beside it', () => {
  it('stays where the last one was while that takes work, else goes to the first', () => {
    expect(chooseMayorRunner(town(false, 'b', at('b'), at('a')))).toBe('b');
    expect(chooseMayorRunner(town(false, 'b', at('b', 'suspect'), at('c'), at('a')))).toBe('a');
    expect(chooseMayorRunner(town(false, null, at('c'), at('a')))).toBe('a');
  });

  it('waits while nobody takes work, and says why', () => {
    const before = town(false, null);
    expect(chooseMayorRunner(before)).toBeNull();
    expect(noMayorRunnerReason(before)).toBe('no runner is registered');
    const away = town(false, 'a', at('a', 'suspect'), at('b', 'draining'));
    expect(chooseMayorRunner(away)).toBeNull();
    expect(noMayorRunnerReason(away)).toBe('no runner takes work: a is suspect, b is draining');
  });

  it('does not wait for the machine that the town was moved from', () => {
    const moved = town(false, 'local', at('local', 'down'));
    expect(chooseMayorRunner(moved)).toBeNull();
    expect(noMayorRunnerReason(moved)).toBe('no runner is registered');
    expect(noMayorRunnerReason(town(false, 'local', at('local', 'down'), at('a')))).toBeNull();
  });
});
