import { describe, expect, it } from 'vitest';

import type { Fact, StartAgent } from '../../api/contract/runner.ts';
import { AttemptStore } from './attempts.ts';
import { RunnerDb } from './db.ts';
import { FactStore } from './facts.ts';
import { JobStore } from './jobs.ts';

const event = (attempt: string, atMs: number): Fact => ({
  type: 'agent_event',
  key: `event:${attempt}:${String(atMs)}`,
  rig: 'app',
  attempt,
  epoch: 1,
  eventType: 'output',
  atMs,
  activeTools: [],
  statusMessage: null,
});
const done = (key: string, rig = 'app'): Fact => ({
  type: 'agent_no_change',
  key,
  rig,
  attempt: 'at-1',
  epoch: 1,
  reason: 'r',
  atMs: 1,
});
const start = (attempt: string, epoch: number, part: Partial<StartAgent> = {}): StartAgent => ({
  attempt,
  epoch,
  agent: 'app/polecats/a',
  rig: 'app',
  bead: 'app-1',
  sourceBead: 'app-1',
  kind: 'task',
  round: 0,
  runtime: 'script',
  model: null,
  title: '',
  body: '',
  recipeBody: '',
  recipeAllowed: true,
  prompt: '',
  checkpoint: null,
  repo: { rig: 'app', url: '/x', targetBranch: 'main' },
  fixedHead: null,
  claimBase: null,
  restoreFrom: null,
  branch: 'gt/app-1',
  author: { name: 'a', email: 'e' },
  capability: `cap-${attempt}`,
  env: {},
  startDeadlineMs: 1,
  wallClockMs: 1,
  ...part,
});
const exit = (attempt: string) => ({
  attempt,
  epoch: 1,
  exitCode: 0,
  signal: null,
  cause: 'exited' as const,
  lastLine: '',
  startedAtMs: 1,
  endedAtMs: 2,
  head: null,
  base: null,
  ahead: null,
  dirty: false,
  rescueRef: null,
  doneIntent: false,
});

describe('facts', () => {
  it('keep their order per rig, one per key, and only the newest watermark', async () => {
    const facts = new FactStore(new RunnerDb(':memory:'));
    facts.record(event('at-1', 1));
    facts.record(done('k1'));
    facts.record(done('k1'));
    facts.record(done('k2', 'other'));
    facts.record(event('at-1', 2));
    facts.record(event('at-2', 3));
    expect(facts.oldest('app').map((fact) => fact.key)).toEqual(['k1', 'event:at-1:2', 'event:at-2:3']);
    expect([...facts.rigsWaiting()].toSorted()).toEqual(['app', 'other']);
    const told = facts.delivered('k1');
    facts.forget(['k1', 'event:at-1:2', 'never']);
    await told;
    await facts.delivered('long ago');
    facts.reject('event:at-2:3', 'no');
    expect(facts.oldest('app')).toEqual([]);
    expect(facts.counts()).toEqual({ waiting: 1, rejected: 1 });
  });
});

describe('a fact that is none', () => {
  it('is set aside and said, and stops no other, however many there are', () => {
    const facts = new FactStore(new RunnerDb(':memory:'));
    const aside: string[] = [];
    facts.onSetAside = (key) => {
      aside.push(key);
    };
    for (let n = 0; n < 60; n += 1) {
      const key = `odd-${String(n)}`;
      facts.record({
        type: 'quota_limited',
        key,
        rig: 'app',
        attempt: 'at-1',
        epoch: 1,
        resetsAtMs: 1.5,
        reason: '',
        atMs: 1,
      });
    }
    facts.record(done('good'));
    expect(facts.oldest('app').map((fact) => fact.key)).toEqual(['good']);
    expect(aside.length).toBe(60);
    expect(facts.counts()).toEqual({ waiting: 1, rejected: 60 });
  });

  it('moves with its town when that refused it, and is counted when nobody here can read it', () => {
    const facts = new FactStore(new RunnerDb(':memory:'));
    facts.record(done('k1'));
    facts.record({
      type: 'quota_limited',
      key: 'odd',
      rig: 'app',
      attempt: 'at-1',
      epoch: 1,
      resetsAtMs: 1.5,
      reason: '',
      atMs: 1,
    });
    facts.record(done('k2', 'other'));
    facts.reject('k1', 'a town of before did not know it');
    const { facts: all, unread } = facts.all();
    expect([all.map(({ key }) => key), unread]).toEqual([['k1', 'k2'], 1]);
  });
});

describe('attempts', () => {
  it('are fenced by epoch, agent and lineage', () => {
    const attempts = new AttemptStore(new RunnerDb(':memory:'));
    expect(attempts.accept(start('at-1', 5), 1)).toBe('new');
    expect(attempts.accept(start('at-1', 5), 1)).toBe('repeat');
    expect(attempts.accept(start('at-2', 5), 1)).toBe('stale_epoch');
    expect(attempts.accept(start('at-2', 6), 1)).toBe('busy');
    expect(attempts.accept(start('at-2', 6, { agent: 'app/polecats/b', bead: 'app-2', sourceBead: 'app-2' }), 1)).toBe(
      'new',
    );
    expect(attempts.accept(start('at-3', 4, { bead: 'app-3', sourceBead: 'app-3' }), 1)).toBe('stale_epoch');
    attempts.exited(exit('at-1'), null);
    expect(attempts.accept(start('at-3', 7), 1)).toBe('new');
    attempts.tombstone('at-9', 9, { mode: 'now', nowMs: 1 });
    expect(attempts.accept(start('at-9', 9), 1)).toBe('stopped');
    expect(
      attempts
        .unfinished()
        .map((row) => row.attempt)
        .toSorted(),
    ).toEqual(['at-2', 'at-3']);
  });

  it('keep the first exit record and forget the capability with it', () => {
    const attempts = new AttemptStore(new RunnerDb(':memory:'));
    attempts.accept(start('at-1', 1), 1);
    expect(attempts.request('at-1')?.capability).toBe('cap-at-1');
    attempts.exited(exit('at-1'), 7);
    attempts.exited({ ...exit('at-1'), exitCode: 1 }, 8);
    expect(attempts.get('at-1')).toMatchObject({ state: 'exited', lastOutputAtMs: 7, exit: { exitCode: 0 } });
    expect(attempts.request('at-1')).toBeNull();
    expect(attempts.byCapability('cap-at-1')?.attempt).toBe('at-1');
    expect(attempts.byCapability('cap')).toBeNull();
  });
});

describe('jobs', () => {
  it('keep a result, but never an error', () => {
    const jobs = new JobStore(new RunnerDb(':memory:'));
    const job = { kind: 'repo', key: 'k', repo: { rig: 'app', url: '/x', targetBranch: 'main' } } as const;
    expect(jobs.begin(job, 1)).toBe(1);
    jobs.finish('k', { result: 'error', message: 'x' });
    expect(jobs.result('k')).toBeNull();
    expect(jobs.begin(job, 2)).toBe(2);
    jobs.finish('k', { result: 'repo_ready', targetSha: 'a'.repeat(40) });
    expect(jobs.result('k')).toEqual({ result: 'repo_ready', targetSha: 'a'.repeat(40) });
  });
});
