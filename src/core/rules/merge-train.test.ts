import { describe, expect, it } from 'vitest';
import {
  bead,
  beadId,
  commit,
  mergeRequest,
  NOW,
  review,
  rigView,
  type World,
} from '../../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../../test/support/rig-config.ts';
import { MERGE_STEP_DEADLINE_MS } from '../limits.ts';
import type { Feature } from '../model/feature.ts';
import { trusted } from '../model/ids.ts';
import { newTrain } from '../model/train.ts';
import { MERGE_STEPS } from '../model/review.ts';
import type { ReviewFacts } from '../view.ts';
import { mergeTrain, messageOf } from './merge-train.ts';

const source = bead({ status: 'in_review', title: 'Add a thing\nwith a second line' });
const queued = review(source, { version: 4, candidateSha: commit(8) });
/** The target as a branch that the town keeps. */
const FEATURE: Feature = {
  branch: 'main',
  convoyId: trusted.convoy('hq-cv-00000'),
  state: 'ready',
  headSha: null,
  stepKey: null,
  reason: null,
  retryAtMs: null,
  escalated: false,
  version: 1,
};

describe('mergeTrain', () => {
  it('starts the head of the line and names everything that makes a repeat the same commit', () => {
    const view = rigView({ beads: [source, mergeRequest(source)], reviews: [queued], line: [queued] });
    expect(mergeTrain(view, 'main', NOW).decisions).toEqual([
      expect.objectContaining({
        entity: 'train:main',
        actions: [
          {
            type: 'start_merge',
            mergeRequest: queued.beadId,
            fromStep: 'queued',
            toStep: 'preparing',
            deadlineAtMs: NOW + MERGE_STEP_DEADLINE_MS,
            heldReason: null,
            position: 0,
            job: {
              kind: 'merge',
              key: `merge:${queued.beadId}:${queued.headSha}:4`,
              repo: { rig: 'api', url: '/remotes/api.git', targetBranch: 'main' },
              mergeRequest: queued.beadId,
              head: queued.headSha,
              earlierCandidate: commit(8),
              message: `Merge ${queued.branch}: Add a thing\n\nGt-Bead: ${source.id}\nGt-Merge-Request: ${queued.beadId}\n`,
              author: { name: 'api/refinery', email: 'owner@example.org' },
              dateMs: NOW,
            },
          },
          { type: 'transition_bead', bead: queued.beadId, from: 'open', to: 'in_progress' },
        ],
      }),
    ]);
  });

  it.each(['squash', 'rebase'] as const)('with the style %s gives a commit the words of its bead', (style) => {
    const second = bead({ id: beadId('task2'), status: 'in_review', title: 'Two', body: '' });
    const row = review(second, { beadId: beadId('mr2') });
    const view = rigView({
      config: rigConfig('api', { merging: { batch: 8, lanes: 1, style } }),
      beads: [{ ...source, body: `Because.\n${'x'.repeat(9_000)}` }, second],
      reviews: [queued, row],
      line: [queued, row],
    });
    const job = mergeTrain(view, 'main', NOW).decisions[0]?.actions.flatMap((action) =>
      action.type === 'start_merge' ? [action.job] : [],
    )[0];
    const trailers = (of: typeof queued): string => `\n\nGt-Bead: ${of.sourceBeadId}\nGt-Merge-Request: ${of.beadId}\n`;
    expect(job).toMatchObject({
      style,
      message: expect.stringMatching(/^Add a thing\n\nBecause\.\nx{3991}\n\nGt-Bead: /),
      riders: [{ message: `Two${trailers(row)}` }],
    });
  });

  it('without gates pushes apart what was refused together, and the rest without it', () => {
    const line = ['push:a', null, 'push:a', null].map((suspect, place) => {
      const of = bead({ id: beadId(`task${String(place)}`), status: 'in_review' });
      return { of, row: review(of, { beadId: beadId(`mr${String(place)}`), suspect }) };
    });
    const started = (from: number): readonly string[] => {
      const reviews = line.slice(from).map(({ row }) => row);
      const view = rigView({
        config: rigConfig('api', { gates: [] }),
        beads: line.map(({ of }) => of),
        reviews,
        line: reviews,
      });
      return mergeTrain(view, 'main', NOW).decisions.flatMap(({ actions }) =>
        actions.flatMap((action) => (action.type === 'start_merge' ? [action.mergeRequest] : [])),
      );
    };
    expect(started(0)).toEqual(['api-mr0']);
    expect(started(1)).toEqual(['api-mr1', 'api-mr3']);
    expect(started(2)).toEqual(['api-mr2']);
  });

  it('without gates lands all that waits with one push, however many were bad before', () => {
    const line = [0, 1, 2].map((place) => {
      const of = bead({ id: beadId(`task${String(place)}`), status: 'in_review' });
      return { of, row: review(of, { beadId: beadId(`mr${String(place)}`) }) };
    });
    const stats = { entries: 90_000, bad: 80_000, runs: 90_000, flakes: 0 };
    const reviews = line.map(({ row }) => row);
    const begun = (gated: boolean): number =>
      mergeTrain(
        rigView({
          config: rigConfig('api', gated ? {} : { gates: [] }),
          beads: line.map(({ of }) => of),
          reviews,
          line: reviews,
          trains: [{ ...newTrain('main'), stats }],
        }),
        'main',
        NOW,
      ).decisions[0]?.actions.filter(({ type }) => type === 'start_merge').length ?? 0;
    expect([begun(true), begun(false)]).toEqual([1, 3]);
  });

  it('gives a commit the words of its bead without the space around them, also where they are cut', () => {
    const trailers = `\n\nGt-Bead: ${source.id}\nGt-Merge-Request: ${queued.beadId}\n`;
    const of = (body: string): string => messageOf(queued, { ...source, body }, 'squash');
    expect(of('  \n Because. \n')).toBe(`Add a thing\n\nBecause.${trailers}`);
    const cut = `${'x'.repeat(3_990)}${' '.repeat(100)}end`;
    expect(of(cut)).toBe(`Add a thing\n\n${'x'.repeat(3_990)}${trailers}`);
    expect(messageOf(queued, null, 'squash')).toBe(trailers);
    expect(messageOf(queued, null, 'merge')).toBe(`Merge ${queued.branch}: ${trailers}`);
  });

  it.each(MERGE_STEPS)('starts the next one only if no other merge request is active: %s', (step) => {
    const other = review(bead({ id: beadId('other') }), { beadId: beadId('othermr'), step });
    const view = rigView({ beads: [source], reviews: [other, queued], line: [queued] });
    const active = step === 'preparing' || step === 'gating' || step === 'pushing';
    expect(mergeTrain(view, 'main', NOW).decisions).toHaveLength(active ? 0 : 1);
  });

  it('begins nothing while it is paused, however long, and looks at nothing by itself', () => {
    const world = { beads: [source, mergeRequest(source)], reviews: [queued], line: [queued] };
    const train = { ...newTrain('main'), changedBy: 'human/ada', reason: 'a freeze' };
    const paused = rigView({ ...world, trains: [{ ...train, state: 'paused' }] });
    expect(mergeTrain(paused, 'main', NOW + 1e9)).toEqual({ decisions: [], wakeAtMs: null });
    const resumed = rigView({ ...world, trains: [{ ...train, state: 'running' }] });
    expect(mergeTrain(resumed, 'main', NOW).decisions).toHaveLength(1);
  });

  it('lets another target branch go on', () => {
    const other = review(bead({ id: beadId('other') }), { step: 'gating', targetBranch: 'next' });
    const view = rigView({ beads: [source], reviews: [other, queued], line: [queued] });
    expect(mergeTrain(view, 'main', NOW).decisions).toHaveLength(1);
    expect(mergeTrain(view, 'next', NOW).decisions).toHaveLength(0);
  });

  it.each(['staged', 'wanted', 'checking', 'lost'] as const)('merges nothing into a branch that is %s', (state) => {
    const feature: Feature = { ...FEATURE, state };
    const at = (features: readonly Feature[]): number =>
      mergeTrain(rigView({ beads: [source], reviews: [queued], line: [queued], features }), 'main', NOW).decisions
        .length;
    expect(at([feature])).toBe(0);
    expect(at([{ ...feature, state: 'ready' }])).toBe(1);
  });

  it('does nothing with an empty line, or without the source', () => {
    expect(mergeTrain(rigView(), 'main', NOW).decisions).toEqual([]);
    expect(mergeTrain(rigView({ reviews: [queued], line: [queued] }), 'main', NOW).decisions).toEqual([]);
  });
});

describe('what the runner is told of a target that may be rewritten', () => {
  const keys = ['formerTips', 'mayRevive', 'mayReviveAlso'] as const;
  const world = (rows: readonly ReviewFacts[], over: Partial<World> = {}): Partial<World> => {
    const beads = rows.map((row) => bead({ id: row.sourceBeadId, status: 'in_review' }));
    return { beads, reviews: rows, line: rows, ...over };
  };
  /** What of it is in the order of the merge; a field that is there without a value counts too. */
  const ordered = (of: Partial<World>): object => {
    const [start] = mergeTrain(rigView(of), 'main', NOW).decisions[0]?.actions ?? [];
    const job = start?.type === 'start_merge' ? start.job : null;
    if (job?.kind !== 'merge') throw new Error('no merge was ordered');
    const told = (from: object): object =>
      Object.fromEntries(Object.entries(from).filter(([key]) => keys.some((known) => known === key)));
    return { ...told(job), ...(job.riders === undefined ? {} : { riders: job.riders.map(told) }) };
  };

  it('nothing, as long as nothing was seen of it and nobody allowed anything', () => {
    expect(ordered(world([queued]))).toStrictEqual({});
  });

  it('where it was seen, so that a rewrite is noticed', () => {
    const formerTips = [commit(3), commit(2)];
    expect(ordered(world([queued], { formerTips }))).toStrictEqual({ formerTips });
  });

  it('not where it was seen, when it is a branch that the town keeps: that one is put back', () => {
    expect(ordered(world([queued], { formerTips: [commit(3)], features: [FEATURE] }))).toStrictEqual({});
  });

  it('what a person lets come back: the first by itself, the rest for runners that know of more', () => {
    const one = { ...queued, mayRevive: [commit(3)] };
    expect(ordered(world([one]))).toStrictEqual({ mayRevive: commit(3) });
    const three = { ...queued, mayRevive: [commit(3), commit(2), commit(1)] };
    expect(ordered(world([three]))).toStrictEqual({ mayRevive: commit(3), mayReviveAlso: [commit(2), commit(1)] });
  });

  it('of each that is merged together, what that one may bring back', () => {
    const rider = (name: string, mayRevive: ReviewFacts['mayRevive']): ReviewFacts =>
      review(bead({ id: beadId(`task${name}`) }), { beadId: beadId(`mr${name}`), mayRevive });
    const rows = [queued, rider('b', [commit(3), commit(2)]), rider('c', [])];
    expect(ordered(world(rows, { formerTips: [commit(4)] }))).toStrictEqual({
      formerTips: [commit(4)],
      riders: [{ mayRevive: commit(3), mayReviveAlso: [commit(2)] }, {}],
    });
  });
});

describe('a round of several', () => {
  const line = ['a', 'b', 'c'].map((name, place) => {
    const of = bead({ id: beadId(`task${name}`), status: 'in_review', title: `Task ${name}` });
    return { of, row: review(of, { beadId: beadId(`mr${name}`), headSha: commit(10 + place), queuedAtMs: NOW - 10 }) };
  });
  const started = (world: Partial<World> = {}, nowMs = NOW) => {
    const rows = world.line ?? line.map(({ row }) => row);
    const view = rigView({ beads: line.map(({ of }) => of), reviews: rows, line: rows, ...world });
    const { decisions, wakeAtMs } = mergeTrain(view, 'main', nowMs);
    const steps = decisions.flatMap(({ actions }) =>
      actions.flatMap((action) => (action.type === 'start_merge' ? [action] : [])),
    );
    const [job] = steps.flatMap((step) => step.job ?? []);
    if (job !== undefined && job.kind !== 'merge') throw new Error('another job than a merge was ordered');
    return { reason: decisions[0]?.reason, entries: steps.map((step) => step.mergeRequest), steps, job, wakeAtMs };
  };

  it('is one job of its leader, which names the riders and the lists', () => {
    const { reason, steps, job } = started();
    expect(reason).toBe('api-mra and 2 behind it are tested together for main');
    expect(steps.map(({ position, job: own }) => [position, own === null])).toEqual([
      [0, false],
      [1, true],
      [2, true],
    ]);
    expect(job).toMatchObject({
      mergeRequest: 'api-mra',
      riders: ['b', 'c'].map((name, place) => ({
        mergeRequest: `api-mr${name}`,
        head: commit(11 + place),
        earlierCandidate: null,
        message: `Merge gt/api-task${name}: Task ${name}\n\nGt-Bead: api-task${name}\nGt-Merge-Request: api-mr${name}\n`,
      })),
      lists: [[0, 1, 2]],
    });
  });

  it('of one alone names neither, unless the target is tested beside it', () => {
    const [first] = line.map(({ row }) => row);
    if (first === undefined) throw new Error('nobody is in line');
    const one = started({ line: [first] });
    expect([one.reason, Object.keys(one.job ?? {})]).toEqual([
      'api-mra is first in line for main',
      expect.not.arrayContaining(['riders']),
    ]);
    expect(started({ line: [{ ...first, suspect: 'alone:x' }] }).job).toMatchObject({ riders: [], lists: [[], [0]] });
  });

  it('passes over one whose bead is gone', () => {
    expect(started({ beads: line.slice(1).map(({ of }) => of) }).entries).toEqual(['api-mrb', 'api-mrc']);
  });

  describe('while the target is red', () => {
    const red = { ...newTrain('main'), state: 'red', changedAtMs: NOW - 10, retryAtMs: NOW + 5 } as const;

    it('rests until it is time, unless something came after it was found', () => {
      expect(started({ trains: [red] })).toMatchObject({ entries: [], wakeAtMs: NOW + 5 });
      expect(started({ trains: [{ ...red, changedAtMs: NOW - 11 }] })).toMatchObject({
        entries: ['api-mra'],
        job: { lists: [[0], []] },
      });
    });

    it('tries the target and those in line in turn when it is time, or when no time is set', () => {
      const at = (version: number) => started({ trains: [{ ...red, version }] }, NOW + 5).job;
      expect([0, 1, 2].map((version) => [at(version)?.mergeRequest, at(version)?.lists])).toEqual([
        ['api-mra', [[], [0]]],
        ['api-mra', [[0], []]],
        ['api-mrb', [[], [0]]],
      ]);
      expect(started({ trains: [{ ...red, retryAtMs: null }] }).entries).toEqual(['api-mra']);
    });

    it('has no time set, and something new: that is tried', () => {
      const rows = line.map(({ row }, place) => ({ ...row, queuedAtMs: NOW - 9 + place }));
      const unset = { ...red, retryAtMs: null };
      expect(started({ line: rows, trains: [unset] }).job?.mergeRequest).toBe('api-mra');
      expect(started({ line: rows, trains: [unset] }).entries).toEqual(['api-mra', 'api-mrc']);
    });

    it('tries one new one though all the others were there before', () => {
      const rows = line.map(({ row }, place) => ({ ...row, queuedAtMs: place === 1 ? NOW - 9 : NOW - 20 }));
      expect(started({ line: rows, trains: [red] }).entries).toEqual(['api-mra', 'api-mrb']);
    });

    it('rests no longer once it runs', () => {
      expect(started({ trains: [{ ...red, state: 'running' }] }).entries).toHaveLength(3);
    });

    it('tests nobody but the newest when it was not time yet', () => {
      const rows = line.map(({ row }, place) => ({ ...row, queuedAtMs: NOW - 9 + place }));
      expect(started({ line: rows, trains: [red] }).entries).toEqual(['api-mra', 'api-mrc']);
      expect(started({ line: rows, trains: [{ ...red, version: 1 }] }, NOW + 5).entries).toEqual(['api-mra']);
    });
  });

  it('ends a long body between two characters, never inside of one', () => {
    const long = bead({ title: 'Add a thing', body: '\u{1f600}'.repeat(5_000) });
    const text = messageOf(queued, long, 'squash');
    expect(Array.from(text).filter((char) => char === '\u{1f600}')).toHaveLength(4_000);
    expect(new TextDecoder().decode(new TextEncoder().encode(text))).toBe(text);
  });
});
