import { describe, expect, it } from 'vitest';
import { bead, beadId, commit, mergeRequest, NOW, review, rigView } from '../../../test/support/rig-view-builder.ts';
import type { RigAction } from '../actions.ts';
import { GATE_KILLS_MAX } from '../limits.ts';
import type { Probe } from '../model/train.ts';
import type { ReviewFacts } from '../view.ts';
import { mergeStep } from './merge-step.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const run = { name: 'test', exitCode: null, timedOut: false, durationMs: 1, tail: '', killedBy: 'SIGKILL' };

/** A list of entries by their names; none is the target. */
const probe = (of: string, state: Probe['state']): Probe => ({
  key: `gates:${of}`,
  leader: beadId('mra'),
  entries: of.split('').map((name) => ({
    mergeRequest: beadId(`mr${name}`),
    candidate: commit(20 + NAMES.indexOf(name)),
    tree: of,
  })),
  targetSha: commit(1),
  commit: commit(30 + of.length),
  tree: of,
  state,
  run: state === 'killed' ? run : null,
  cached: false,
});

function actions(gateKills: number, probes: readonly Probe[]): readonly RigAction[] {
  const sources = NAMES.map((name) => bead({ id: beadId(`task${name}`), status: 'in_review' }));
  const rows = sources.map((source, position) =>
    review(source, {
      beadId: beadId(`mr${NAMES[position] ?? ''}`),
      step: 'gating',
      position,
      gateKills: position === 0 ? gateKills : 0,
    }),
  );
  const requests = sources.map((source, place) =>
    mergeRequest(source, { id: (rows[place] as ReviewFacts).beadId, status: 'in_progress' }),
  );
  const view = rigView({ beads: [...sources, ...requests], reviews: rows, probes });
  return mergeStep(view, beadId('mra'), NOW).decisions.flatMap((decision) => decision.actions);
}

const steps = (of: readonly RigAction[]) =>
  of.flatMap((one) =>
    one.type === 'merge_step' ? [[one.mergeRequest, one.toStep, one.suspect ?? null, one.gateKills ?? null]] : [],
  );
const reasons = (of: readonly RigAction[]) => of.flatMap((one) => (one.type === 'merge_step' ? [one.heldReason] : []));
const held = (of: readonly RigAction[]) => of.flatMap((one) => (one.type === 'hold_bead' ? [one.bead] : []));
const LAST = GATE_KILLS_MAX - 1;

describe('gates of a round that something else ended', () => {
  it('count once, when all answers are in, and all run again', () => {
    expect(actions(0, [probe('a', 'killed'), probe('bc', 'running')])).toEqual([]);
    const again = actions(0, [probe('a', 'killed'), probe('bc', 'killed')]);
    expect(steps(again)).toEqual([['api-mra', 'gating', null, 1]]);
    expect(again.filter(({ type }) => type === 'repeat_probe')).toHaveLength(2);
  });

  it('of several too often are tested apart: nobody waits for a person', () => {
    const apart = actions(LAST, [probe('abcd', 'killed')]);
    expect(held(apart)).toEqual([]);
    expect(steps(apart)).toEqual(NAMES.map((name) => [`api-mr${name}`, 'queued', expect.stringMatching(/^kill:/), 0]));
    expect(new Set(steps(apart).map(([, , mark]) => mark)).size).toBe(1);
    expect(reasons(apart)[0]).toBe('gate test was ended by SIGKILL on it and others; they are tested apart');
  });

  it('of two lists are told apart by their lists, and of one in several the shortest counts', () => {
    const marks = (probes: readonly Probe[]): readonly unknown[] =>
      steps(actions(LAST, probes)).map(([, , mark]) => mark);
    const [left, right] = ['kill:api-mra:1:api-mra', 'kill:api-mra:1:api-mrc'];
    expect(marks([probe('ab', 'killed'), probe('cd', 'killed')])).toEqual([left, left, right, right]);
    for (const probes of [
      [probe('abc', 'killed'), probe('c', 'killed')],
      [probe('c', 'killed'), probe('abc', 'killed')],
    ])
      expect(held(actions(LAST, probes))).toEqual(['api-mrc']);
  });

  it('by nobody knows what are told as that', () => {
    const unknown = actions(LAST, [{ ...probe('a', 'killed'), run: null }]);
    expect(reasons(unknown)[0]).toContain('was ended by a signal');
  });

  it('of one too often hold that one, whoever leads the round', () => {
    const one = actions(LAST, [probe('ab', 'red'), probe('c', 'killed')]);
    expect(held(one)).toEqual(['api-mrc']);
    expect(steps(one).map(([id, step, mark]) => [id, step, mark])).toEqual(
      NAMES.map((name) => [`api-mr${name}`, 'queued', null]),
    );
  });

  it('of the target alone ask somebody to look at the machine', () => {
    expect(held(actions(LAST, [probe('', 'killed'), probe('a', 'red')]))).toEqual(['api-mra']);
    expect(held(actions(LAST, [probe('', 'killed'), probe('ab', 'killed')]))).toEqual([]);
  });

  it('say nothing when a longer list passed', () => {
    const landed = actions(LAST, [probe('abcd', 'green'), probe('a', 'killed')]);
    expect(steps(landed).map(([, step]) => step)).toEqual(NAMES.map(() => 'pushing'));
  });
});
