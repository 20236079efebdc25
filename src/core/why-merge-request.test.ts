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
} from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import type { Bead } from './model/bead.ts';
import { newTrain } from './model/train.ts';
import type { Why } from './queries.ts';
import type { ReviewFacts } from './view.ts';
import { whyBead } from './why.ts';

const CHANGED = NOW - 5_000;
const source = bead({ status: 'in_review', updatedAtMs: CHANGED });
const request = (over: Partial<Bead> = {}): Bead => mergeRequest(source, { updatedAtMs: NOW - 4_000, ...over });

/** What is not said: of the merge request, no command, no moment to look again. */
function check({ of, world, says }: { of: Bead; world: Partial<World>; says: Partial<Why> }): void {
  expect(whyBead(rigView({ beads: [of], ...world }), of, [], NOW)).toEqual({
    id: of.id,
    rule: 'merge-step',
    command: null,
    sinceMs: CHANGED,
    wakeAtMs: null,
    ...says,
  });
}

describe('what a bead in review waits for', () => {
  it('its merge request, in its own name', () => {
    check({
      of: source,
      world: { beads: [source, mergeRequest(source)], reviews: [review(source)] },
      says: {
        state: 'in_review',
        sentence: 'In line for main since 1 min.',
        rule: 'merge-train',
        next: 'The train takes it.',
        sinceMs: NOW - 60_000,
      },
    });
  });

  it('the verdict of git, when a cancel waits for that', () => {
    const asked = { ...source, cancelRequestedAtMs: NOW - 1 };
    const world = { beads: [asked, mergeRequest(source, { status: 'in_progress' })] };
    const pushing = review(source, { step: 'pushing', deadlineAtMs: NOW + 9 });
    check({
      of: asked,
      world: { ...world, reviews: [pushing] },
      says: {
        state: 'in_review',
        sentence:
          'Its cancel waits until git says whether its push arrived. gt/api-task1 is being pushed to the target (main).',
        next: 'The result of this step.',
        sinceMs: NOW - 60_000,
        wakeAtMs: NOW + 9,
      },
    });
  });

  it('a person, when its merge request does', () => {
    const held = mergeRequest(source, { hold: 'needs_human', holdReason: 'Gate test is red twice.', updatedAtMs: 7 });
    check({
      of: source,
      world: { beads: [source, held], reviews: [review(source)] },
      says: {
        state: 'needs_human',
        sentence: 'Gate test is red twice.',
        rule: 'merge-step',
        next: 'A person has it tried again when it can go on, or cancels it.',
        command: 'gt bead retry api-task1',
        sinceMs: 7,
      },
    });
  });

  it.each([
    ['no review', []],
    ['a review without its bead', [review(source)]],
  ])('says that its merge request is missing: %s', (_case, reviews) => {
    check({
      of: source,
      world: { reviews },
      says: {
        state: 'in_review',
        sentence: 'In review without a merge request.',
        rule: 'invariant I5',
        next: 'Run "gt doctor".',
      },
    });
  });
});

describe('what a merge request waits for', () => {
  const QUEUED = NOW - 60_000;
  const at = (step: ReviewFacts['step'], over: Partial<ReviewFacts> = {}): Partial<World> => ({
    reviews: [review(source, { step, ...over })],
  });

  it.each([
    ['preparing', 'gt/api-task1 is being merged in the object database (main).'],
    ['gating', 'gt/api-task1 runs its gates on the combined tree (main).'],
    ['pushing', 'gt/api-task1 is being pushed to the target (main).'],
  ] as const)('the result of its step: %s', (step, sentence) => {
    check({
      of: request({ status: 'in_progress' }),
      world: at(step, { deadlineAtMs: NOW + 400 }),
      says: { state: 'merging', sentence, next: 'The result of this step.', sinceMs: QUEUED, wakeAtMs: NOW + 400 },
    });
  });

  it('the rework that blocks it', () => {
    const rework = bead({ id: beadId('fix'), kind: 'rework', branchOf: source.id, title: 'Rework of it' });
    const of = request({ openBlockers: 1 });
    const waits = { state: 'reworking', next: 'api-fix is done.', sinceMs: QUEUED };
    check({
      of,
      world: { beads: [of, rework], ...at('reworking', { heldReason: 'gate test is red' }) },
      says: { ...waits, sentence: 'Waits for the rework api-fix: gate test is red.' },
    });
    check({
      of,
      world: { beads: [of, rework], ...at('reworking') },
      says: { ...waits, sentence: 'Waits for the rework api-fix: Rework of it.' },
    });
  });

  it('the rework that blocks it, with what keeps that from being worked on', () => {
    const rework = (over: Partial<Bead>): Bead =>
      bead({ id: beadId('fix'), kind: 'rework', branchOf: source.id, title: 'Rework of it', ...over });
    const of = request({ openBlockers: 1 });
    const waits = { state: 'reworking', next: 'api-fix is done.', sinceMs: QUEUED };
    const sentence = 'Waits for the rework api-fix: Rework of it.';
    const world = (fix: Bead): Partial<World> => ({ beads: [of, fix], ...at('reworking') });
    const runs = world(rework({ status: 'in_progress' }));
    check({ of, world: runs, says: { ...waits, sentence } });
    // What keeps open beads from being started keeps nobody from working.
    check({ of, world: { ...runs, config: rigConfig('api', { parked: true }) }, says: { ...waits, sentence } });
    const parked = { ...world(rework({})), config: rigConfig('api', { parked: true }) };
    const unpark = { sentence: `${sentence} Ready, but the rig api is parked.`, command: 'gt rig unpark api' };
    check({ of, world: parked, says: { ...waits, ...unpark } });
    const held = rework({ hold: 'held', holdReason: 'not now' });
    check({
      of,
      world: world(held),
      says: { ...waits, sentence: `${sentence} Held by a person: not now.`, command: 'gt bead release api-fix' },
    });
    const backsOff = rework({ notBeforeMs: NOW + 30_000, failures: 1 });
    const said = whyBead(rigView(world(backsOff)), of, [], NOW);
    expect(said).toMatchObject({ command: 'gt bead retry api-fix', wakeAtMs: NOW + 30_000 });
    expect(said.sentence).toContain(`${sentence} `);
  });

  it('the review that its agent makes, under that name', () => {
    const look = bead({ id: beadId('look'), kind: 'review', branchOf: source.id, title: 'Review it' });
    const of = request({ openBlockers: 1 });
    check({
      of,
      world: { beads: [of, look], ...at('reworking') },
      says: {
        state: 'reworking',
        next: 'api-look is done.',
        sinceMs: QUEUED,
        sentence: 'Waits for the review api-look: Review it.',
      },
    });
  });

  it('a person, when it is held', () => {
    const held = {
      state: 'needs_human',
      next: 'A person has it tried again when it can go on, or cancels it.',
      command: 'gt bead retry api-task1',
      sinceMs: NOW - 4_000,
    };
    check({
      of: request({ hold: 'needs_human', holdReason: 'Five rounds of rework' }),
      world: at('reworking'),
      says: { ...held, sentence: 'Five rounds of rework.' },
    });
    check({ of: request({ hold: 'needs_human' }), world: at('queued'), says: { ...held, sentence: 'Held.' } });
  });

  it('its turn in the line of its target', () => {
    check({
      of: request(),
      world: at('queued', { targetBranch: 'release' }),
      says: {
        state: 'queued',
        sentence: 'In line for release since 1 min.',
        rule: 'merge-train',
        next: 'The train takes it.',
        sinceMs: QUEUED,
      },
    });
  });

  it('the merge request before it', () => {
    const before = review(bead({ id: beadId('first') }), { beadId: beadId('merge0'), step: 'gating' });
    const line = {
      state: 'queued',
      sentence: 'In line for main; api-merge0 is being merged.',
      rule: 'merge-train',
      next: 'api-merge0 is merged or leaves the train.',
      sinceMs: QUEUED,
    };
    check({ of: request(), world: { reviews: [review(source), before] }, says: line });
  });

  const red = {
    ...newTrain('main'),
    state: 'red',
    reason: 'gate test is red on main itself',
    changedBy: 'system',
    changedAtMs: NOW - 1_000,
    redTree: 'a',
    retryAtMs: NOW + 7_000,
  } as const;

  it('a red target, which blames nobody, and is told when it is tried again', () => {
    const sentence = `In line for main, which is red itself: gate test is red on main itself. Nobody's work is blamed.`;
    const next = 'main is mended; it is tried again by itself, and at once when new work is in line.';
    const says = { state: 'queued', sentence, rule: 'merge-train', next, sinceMs: QUEUED, wakeAtMs: NOW + 7_000 };
    check({ of: request(), world: { reviews: [review(source)], trains: [red] }, says });
  });

  it.each([
    ['main', 'gt mq resume api'],
    ['next', 'gt mq resume api --target next'],
  ])('a person who paused the train of %s, also while another is merged', (target, command) => {
    const mine = review(source, { targetBranch: target });
    const before = review(bead({ id: beadId('first') }), {
      beadId: beadId('merge0'),
      step: 'gating',
      targetBranch: target,
    });
    const train = {
      ...red,
      target,
      state: 'paused',
      reason: 'a freeze',
      changedBy: 'human/ada',
      retryAtMs: null,
    } as const;
    const says = {
      state: 'queued',
      sentence: `In line; the merge train of ${target} is paused by human/ada since 1 s: a freeze.`,
      rule: 'merge-train',
      next: 'A person lets it go on.',
      command,
      sinceMs: NOW - 1_000,
    };
    check({ of: request(), world: { reviews: [mine, before], trains: [train] }, says });
  });

  it('a pause and a red target that nobody gave a reason for', () => {
    const sentence = (train: Partial<typeof red>): string =>
      whyBead(
        rigView({ beads: [request()], reviews: [review(source)], trains: [{ ...red, ...train, reason: null }] }),
        request(),
        [],
        NOW,
      ).sentence;
    expect(sentence({})).toBe("In line for main, which is red itself: its gates fail. Nobody's work is blamed.");
    expect(sentence({ state: 'paused', changedBy: 'human/ada' } as never)).toBe(
      'In line; the merge train of main is paused by human/ada since 1 s: no reason is known.',
    );
  });

  it('its turn as the first in line, without a number, and without a reason where nothing is suspected', () => {
    const sentence = (over: Partial<ReviewFacts>): string => {
      const mine = review(source, over);
      return whyBead(rigView({ beads: [request()], reviews: [mine], line: [mine] }), request(), [], NOW).sentence;
    };
    expect(sentence({})).toBe('In line for main since 1 min.');
    expect(sentence({ heldReason: 'lost a race' })).toBe('In line for main since 1 min.');
    expect(sentence({ suspect: 'x' })).toBe('In line for main since 1 min.');
  });

  it('those before it in line, and says what an earlier round showed', () => {
    const before = review(bead({ id: beadId('first') }), { beadId: beadId('merge0') });
    const mine = review(source, { suspect: 'x', heldReason: 'was red together with others; they are tested apart' });
    const sentence = 'In line for main since 1 min, behind 1. It was red together with others; they are tested apart.';
    const says = { state: 'queued', sentence, rule: 'merge-train', next: 'The train takes it.', sinceMs: QUEUED };
    check({ of: request(), world: { reviews: [mine], line: [before, mine] }, says });
  });

  it('nothing once it ended', () => {
    check({
      of: request({
        status: 'closed',
        closeReason: 'merged',
        closedAtMs: NOW - 3_000,
        evidence: { target: 'main', mergeSha: commit(5) },
      }),
      world: at('ended'),
      says: { state: 'merged', sentence: `Merged into main as ${commit(5)}.`, next: null, sinceMs: NOW - 3_000 },
    });
  });

  it('says that its record is missing', () => {
    check({
      of: request(),
      world: {},
      says: {
        state: 'queued',
        sentence: 'A merge request without its record.',
        rule: 'invariant I5',
        next: 'Run "gt doctor".',
        sinceMs: NOW - 4_000,
      },
    });
  });
});
