import { expect, it } from 'vitest';
import { silentLog } from '../../ports/log.ts';
import type { RunnerHealth } from '../contract/runner-health.ts';
import { RunnerTroubles, troublesOf } from './runner-troubles.ts';

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const health = (over: Partial<RunnerHealth> = {}): RunnerHealth => ({
  instance: 'i1',
  pid: 1,
  town: 't',
  startedAtMs: 1,
  draining: false,
  live: [],
  jobsRunning: 0,
  freeDiskBytes: null,
  freeMemoryBytes: 1,
  versions: {},
  protocol: 1,
  capacity: null,
  labels: [],
  nowMs: NOW,
  refusedFacts: null,
  ...over,
});

it('a clock that is apart is said with how far and which way; an older runner says nothing of it', () => {
  const clockAt = (nowMs: number | null) => troublesOf('box', health({ nowMs }), NOW).clock;
  expect(clockAt(NOW - 20 * MINUTE)).toContain('"box" is 20 min behind the town');
  expect(clockAt(NOW + 31_000)).toContain("31 s ahead of the town's");
  for (const near of [NOW, NOW + 30_000, NOW - 30_000, null]) expect(clockAt(near)).toBeUndefined();
});

it('reports that were refused are said with their number and the first reason', () => {
  const refusedFacts = { count: 3, reason: '400 bad_field' };
  expect(troublesOf('box', health({ refusedFacts }), NOW).facts).toMatch(
    /3 reports of the runner "box".*400 bad_field/,
  );
});

it('what changes between two meetings is told once, and its end', async () => {
  const told: string[] = [];
  const gateway = {
    troubled: (id: string, trouble: string, text: string | null) => {
      told.push(`${id} ${trouble} ${text === null ? 'over' : 'begins'}`);
      return Promise.resolve();
    },
  };
  const troubles = new RunnerTroubles(() => gateway, { clock: { now: () => NOW }, log: silentLog });
  const behind = health({ nowMs: NOW - 20 * MINUTE });
  troubles.heard('box', health());
  for (const said of [behind, behind, health({ nowMs: NOW - 25 * MINUTE }), health(), health()])
    troubles.heard('box', said);
  expect(told).toEqual(['box clock begins', 'box clock over']);
  // At a meeting it goes with the greeting.
  expect(troubles.met('other', behind).clock).toContain('"other"');
  troubles.heard('other', behind);
  expect(told).toHaveLength(2);
});
