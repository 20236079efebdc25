import { describe, expect, it } from 'vitest';
import { TAKEOVER_AFTER_MS } from '../limits.ts';
import type { RunnerLoad } from '../view.ts';
import { bead, NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../../test/support/virtual-town.ts';
import { chooseJobRunner, chooseRunner, isElsewhere, isRemoved, jobRunners, noRunnerReason } from './choose-runner.ts';

const runner = (id: string, over: Partial<RunnerLoad> = {}): RunnerLoad => ({
  id,
  instance: `rn-${id}`,
  state: 'healthy',
  capacity: null,
  labels: [],
  used: 0,
  ...over,
});
const choose = (
  runners: readonly RunnerLoad[],
  over: Parameters<typeof rigView>[0] = {},
  given = new Map<string, number>(),
) => chooseRunner(rigView({ runners, ...over }), bead(), { given, probed: new Set(), nowMs: NOW });

describe('a runner for a process', () => {
  it('is the one beside the daemon before any was met', () => {
    expect(choose([])).toBe('local');
  });

  it('is the one where the files of the lineage are, while it takes work', () => {
    const runners = [runner('a'), runner('b', { used: 3 })];
    expect(choose(runners, { lastRunner: 'b' })).toBe('b');
    expect(choose([runner('a'), runner('b', { state: 'draining' })], { lastRunner: 'b' })).toBe('a');
  });

  it('is the least loaded by its capacity, counting what was given in the same pass', () => {
    const runners = [runner('a', { used: 2, capacity: 4 }), runner('b', { used: 2, capacity: 10 })];
    expect(choose(runners)).toBe('b');
    expect(choose(runners, {}, new Map([['b', 6]]))).toBe('a');
  });

  it('is never one that is full, away, or without the labels', () => {
    expect(choose([runner('a', { used: 2, capacity: 2 })])).toBeNull();
    expect(choose([runner('a', { state: 'suspect' }), runner('b', { state: 'down' })])).toBeNull();
    const config = { ...rigConfig('api'), runnerLabels: ['gpu'] };
    expect(choose([runner('local'), runner('a', { labels: ['gpu', 'big'] })], { config })).toBe('a');
    expect(choose([runner('local')], { config })).toBeNull();
  });

  it('that is missing has a reason', () => {
    const config = { ...rigConfig('api'), runnerLabels: ['gpu'] };
    expect(noRunnerReason(rigView({ runners: [runner('local')], config }))).toBe('no runner has the labels gpu');
    expect(noRunnerReason(rigView({ runners: [runner('a', { state: 'down' })] }))).toContain('a is down');
    expect(noRunnerReason(rigView({ runners: [runner('a', { used: 1, capacity: 1 })] }))).toBe('every runner is full');
    expect(noRunnerReason(rigView({ runners: [runner('a')] }))).toBeNull();
  });
});

describe('the words for a missing runner', () => {
  const reason = (...runners: readonly RunnerLoad[]): string | null => noRunnerReason(rigView({ runners }));

  it('name every label and every runner', () => {
    const config = { ...rigConfig('api'), runnerLabels: ['gpu', 'big'] };
    expect(noRunnerReason(rigView({ runners: [runner('a')], config }))).toBe('no runner has the labels gpu, big');
    expect(reason(runner('a', { state: 'down' }), runner('b', { state: 'suspect' }))).toBe(
      'no runner takes work: a is down, b is suspect',
    );
  });

  it('are for all runners: one with room is enough', () => {
    expect(reason(runner('a', { used: 1, capacity: 1 }), runner('b', { used: 1, capacity: 2 }))).toBeNull();
    expect(reason(runner('a', { used: 9 }))).toBeNull();
  });
});

describe('runners of equal load', () => {
  it('are taken by name', () => {
    expect(choose([runner('b'), runner('a'), runner('c')])).toBe('a');
  });
});

describe('a runner whose rights were taken', () => {
  it('is not among those that are known; the local one can not be', () => {
    const view = rigView({ runners: [runner('a'), runner('b')] });
    expect(['a', 'b', 'c', 'local'].map((id) => isRemoved(view.runners(), id))).toEqual([false, false, true, false]);
  });
});

describe('all runners for git work', () => {
  it('are those that answer, by name; the local one before any was met', () => {
    const all = [runner('b', { state: 'draining' }), runner('a'), runner('c', { state: 'down' })];
    expect(jobRunners(rigView({ runners: all }))).toEqual(['a', 'b']);
    expect(jobRunners(rigView({ runners: [runner('c', { state: 'down' })] }))).toEqual([]);
    expect(jobRunners(rigView())).toEqual(['local']);
  });
});

describe('a runner for git work', () => {
  it('is where the work is, else always the same, and moves when that one is away', () => {
    const job = (runners: readonly RunnerLoad[], preferred: string | null = null) =>
      chooseJobRunner(rigView({ runners }), preferred);
    expect(job([runner('a'), runner('local')])).toBe('local');
    expect(job([runner('a'), runner('local')], 'a')).toBe('a');
    expect(job([runner('a', { state: 'suspect' }), runner('b')], 'a')).toBe('b');
    expect(job([runner('a', { state: 'draining' })])).toBe('a');
    expect(job([])).toBe('local');
  });
});

describe('work that is looked for elsewhere', () => {
  const claim = { runner: 'a', claimedAtMs: NOW };
  const isIt = (runners: readonly RunnerLoad[], runner: string, afterMs = 0): boolean =>
    isElsewhere(rigView({ runners }), claim, { runner, nowMs: NOW + afterMs });
  const both = [runner('a', { state: 'suspect' }), runner('b')];

  it('may still come while its runner is away, until the takeover deadline', () => {
    expect(isIt(both, 'b')).toBe(true);
    expect(isIt(both, 'b', TAKEOVER_AFTER_MS - 1)).toBe(true);
    expect(isIt(both, 'b', TAKEOVER_AFTER_MS)).toBe(false);
  });

  it('is judged for good by its own runner, and by any when that one was removed', () => {
    expect(isIt(both, 'a')).toBe(false);
    expect(isIt([runner('b')], 'b')).toBe(false);
  });
});
