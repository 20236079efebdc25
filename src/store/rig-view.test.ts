import { beforeEach, describe, expect, it } from 'vitest';
import { beadId, NOW } from '../../test/support/rig-view-builder.ts';
import { RigStore } from '../../test/support/rig-store.ts';
import { AGEING_STEP_MS } from '../core/limits.ts';
import type { Bead } from '../core/model/bead.ts';

const NO_END = { closeReason: null, evidence: null };
let store: RigStore;
beforeEach(() => {
  store = new RigStore();
});
const ready = (nowMs = NOW): readonly string[] => store.view.readyBeads(nowMs, 100).map((row) => row.title);

describe('ready beads', () => {
  it.each([
    ['open', () => undefined, true],
    ['held', (row: Bead) => store.writer().updateBead(row.id, { hold: 'held' }), false],
    ['backing off', (row: Bead) => store.writer().updateBead(row.id, { not_before: NOW + 1 }), false],
    ['just through with backing off', (row: Bead) => store.writer().updateBead(row.id, { not_before: NOW }), true],
    ['blocked', (row: Bead) => store.writer().blockers.add(row.id, 'api-aaaaa', 'local', 'open'), false],
    ['blocked by a failure', (row: Bead) => store.writer().blockers.add(row.id, 'x', 'local', 'failed'), false],
    ['unblocked', (row: Bead) => store.writer().blockers.add(row.id, 'x', 'local', 'cleared'), true],
    ['closed', (row: Bead) => store.writer().transitionBead(row, 'closed', NO_END), false],
    ['in progress', (row: Bead) => store.writer().transitionBead(row, 'in_progress', NO_END), false],
  ] as const)('one that is %s', (_what, change, expected) => {
    change(store.bead('task1'));
    expect(ready()).toEqual(expected ? ['task1'] : []);
  });

  it('are no merge requests', () => {
    store.review(store.bead('task1'), 'mr001');
    expect(ready()).toEqual(['task1']);
  });

  it('wait until the last process of their branch is proven gone', () => {
    const source = store.bead('task1');
    const attempt = store.attempt(source, store.agent('nux'));
    store.writer().endAttempt(attempt, 'done', '', null);
    store.bead('rewrk', { kind: 'rework', branchOf: source.id });
    expect(ready()).toEqual([]);
    store.writer().updateAttempt(attempt, { process_gone: 1 });
    expect(ready()).toEqual(['rewrk', 'task1']);
  });

  it('come by priority, then age, and an old one overtakes after the ageing step', () => {
    store.bead('old01', { priority: 'medium' }, NOW);
    store.bead('young', { priority: 'high' }, NOW + AGEING_STEP_MS - 1);
    store.bead('later', { priority: 'high' }, NOW + AGEING_STEP_MS + 1);
    store.bead('first', { priority: 'critical' }, NOW);
    expect(ready()).toEqual(['first', 'young', 'old01', 'later']);
  });

  it('at the same key, the one that more beads wait for goes first', () => {
    store.bead('aaaaa');
    const wanted = store.bead('bbbbb');
    store.writer().blockers.add(store.bead('ccccc').id, wanted.id, 'local', 'open');
    expect(ready()).toEqual(['bbbbb', 'aaaaa']);
  });

  it('tell when the next back-off ends', () => {
    for (const [suffix, atMs] of [
      ['one01', 50],
      ['two02', 20],
      ['thr03', -5],
    ] as const)
      store.writer().updateBead(store.bead(suffix).id, { not_before: NOW + atMs });
    store.writer().updateBead(store.bead('held1').id, { not_before: NOW + 1, hold: 'held' });
    expect(store.view.nextBackoffEnd(NOW)).toBe(NOW + 20);
  });
});

describe('an unknown value in a row (R5)', () => {
  it.each(['type', 'kind', 'origin', 'priority', 'status', 'hold'])('of a bead: %s', (column) => {
    const { id } = store.bead('task1');
    store.sql.all(`UPDATE beads SET ${column} = 'weird' WHERE id = ?`, id);
    expect(() => store.view.bead(id)).toThrow(expect.objectContaining({ name: 'UnknownValueError' }));
    expect(() => store.view.bead(id)).toThrow(`beads.${column} has the unknown value "weird"`);
  });

  it.each(['role', 'status'])('of an agent: %s', (column) => {
    const id = store.agent('nux');
    store.sql.all(`UPDATE agents SET ${column} = 'weird' WHERE id = ?`, id);
    expect(() => store.view.agent(id)).toThrow(`agents.${column} has the unknown value`);
  });

  it('of a merge request: step', () => {
    const id = store.review(store.bead('task1'), 'mr001');
    store.sql.all(`UPDATE reviews SET step = 'weird'`);
    expect(() => store.view.review(id)).toThrow('reviews.step has the unknown value');
  });

  it('hides no other row: lists pass over what they cannot read', () => {
    const { id } = store.bead('weird');
    store.bead('fine1');
    store.sql.all(`UPDATE beads SET kind = 'weird' WHERE id = ?`, id);
    store.agent('nux');
    store.agent('slit');
    store.sql.all(`UPDATE agents SET role = 'weird' WHERE name = 'nux'`);
    expect(ready()).toEqual(['fine1']);
    expect(store.view.idleAgents().map((row) => row.name)).toEqual(['slit']);
  });
});

describe('the view', () => {
  it('answers null for what does not exist', () => {
    const id = beadId('ghost');
    expect([store.view.bead(id), store.view.review(id), store.view.reviewOf(id), store.view.liveAttempt(id)]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect([store.view.lastAgentOf(id), store.view.openReworks(id)[0], store.view.line('main', 1)[0] ?? null]).toEqual([
      null,
      undefined,
      null,
    ]);
    expect(store.view.breaker('dispatch')).toMatchObject({ failures: 0, escalated: false });
    expect([store.view.isWatched(id), store.view.endReported(id)]).toEqual([false, false]);
  });

  it('finds the open rework of a merge request, the oldest first, not an ended one', () => {
    const source = store.bead('task1');
    const id = store.review(source, 'mr001');
    const rework = store.bead('rewrk', { kind: 'rework', branchOf: source.id });
    const next = store.bead('rewrl', { kind: 'rework', branchOf: source.id });
    expect(store.view.openReworks(id).map((one) => one.id)).toEqual([rework.id, next.id]);
    store.writer().transitionBead(rework, 'closed', { closeReason: 'source_ended', evidence: null });
    expect(store.view.openReworks(id).map((one) => one.id)).toEqual([next.id]);
  });

  it('lets the head of the train wait for rework without blocking the next', () => {
    const first = store.review(store.bead('one01'), 'mr001', NOW);
    const second = store.review(store.bead('two02'), 'mr002', NOW + 1);
    expect(store.view.line('main', 9)[0]?.beadId).toBe(first);
    store.writer().blockers.add(first, 'api-aaaaa', 'local', 'open');
    expect(store.view.line('main', 9)[0]?.beadId).toBe(second);
    store.writer().updateBead(second, { hold: 'needs_human' });
    expect(store.view.line('main', 9)).toEqual([]);
  });

  it('knows whether others started since, anywhere or at one runner', () => {
    const failing = store.bead('task1');
    const other = store.bead('task2');
    store.attempt(failing, store.agent('nux'));
    const id = store.attempt(other, store.agent('slit'));
    const asked = (): readonly boolean[] =>
      [null, 'local', 'far'].map((runner) => store.view.othersStarted(failing.id, 1, runner));
    expect(asked()).toEqual([false, false, false]);
    store.writer().updateAttempt(id, { running_at: NOW });
    expect(asked()).toEqual([true, true, false]);
  });

  it('keeps the opening moment of the breaker while failures grow', () => {
    store.writer(NOW).setBreaker('dispatch', 1, NOW + 5, 'first');
    store.writer(NOW + 9).setBreaker('dispatch', 2, NOW + 19, 'second');
    expect(store.view.breaker('dispatch')).toMatchObject({ failures: 2, openedAtMs: NOW, reason: 'second' });
    store.writer(NOW).setBreaker('runtime:command', 4, NOW + 7, 'no such program');
    store.writer().markBreakerEscalated('runtime:command');
    expect(store.view.breakers()).toMatchObject([
      { scope: 'dispatch', failures: 2, escalated: false },
      { scope: 'runtime:command', failures: 4, retryAtMs: NOW + 7, escalated: true },
    ]);
    expect([store.writer().resetBreaker('dispatch'), store.writer().resetBreaker('dispatch')]).toEqual([true, false]);
    expect(store.view.breakers().map(({ scope }) => scope)).toEqual(['runtime:command']);
    expect(store.view.breaker('dispatch')).toEqual({
      scope: 'dispatch',
      failures: 0,
      retryAtMs: 0,
      openedAtMs: null,
      reason: null,
      escalated: false,
    });
  });
});
