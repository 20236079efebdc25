import { describe, expect, it } from 'vitest';
import { bead, beadId, NOW, probesOf, review, rigView, type World } from '../../test/support/rig-view-builder.ts';
import { PUSH_GRACE_MS } from './limits.ts';
import type { JobTrouble } from './model/job-trouble.ts';
import type { ReviewFacts } from './view.ts';
import { stepText } from './why-train.ts';

const KEY = 'merge:api-first:1';
const first = bead({ id: beadId('task1'), status: 'in_review' });
const leader = (over: Partial<ReviewFacts> = {}): ReviewFacts =>
  review(first, { beadId: beadId('first'), step: 'preparing', position: 0, stepKey: KEY, ...over });
const second = review(bead({ id: beadId('task2'), status: 'in_review' }), {
  beadId: beadId('second'),
  step: 'preparing',
  position: 1,
});

const trouble = (over: Partial<JobTrouble> = {}): JobTrouble => ({
  tries: 2,
  error: 'no route to host',
  nextAtMs: NOW + 30_000,
  ...over,
});
const FAILED = 'The last try at /remotes/api.git failed: no route to host (asked 2 times, again within 30 s).';

const said = (of: ReviewFacts, world: Partial<World> = {}): ReturnType<typeof stepText> =>
  stepText(rigView({ reviews: [of], ...world }), of, NOW);

/** What is not said: of the leader's merge, no command, no moment to look again. */
const text = (over: Partial<ReturnType<typeof stepText>>): ReturnType<typeof stepText> => ({
  sentence: 'gt/api-task1 is being merged in the object database (main).',
  rule: 'merge-step',
  next: 'The result of this step.',
  wakeAtMs: null,
  ...over,
});

describe('what a merge request waits for that is in a round', () => {
  it.each([
    ['preparing', 'gt/api-task1 is being merged in the object database (main).'],
    ['gating', 'gt/api-task1 runs its gates on the combined tree (main).'],
    ['pushing', 'gt/api-task1 is being pushed to the target (main).'],
  ] as const)('the result of its order: %s', (step, sentence) => {
    expect(said(leader({ step }))).toEqual(text({ sentence }));
    const deadlineAtMs = NOW + 400;
    expect(said(leader({ step, deadlineAtMs }))).toEqual(text({ sentence, wakeAtMs: deadlineAtMs }));
  });

  it('the next try of an order that failed, which a person can have at once', () => {
    const world = { troubles: { [KEY]: trouble(), 'merge:another': trouble({ nextAtMs: NOW + 1 }) } };
    expect(said(leader({ deadlineAtMs: NOW + 90_000 }), world)).toEqual(
      text({
        sentence: `gt/api-task1 is being merged in the object database (main). ${FAILED}`,
        command: 'gt mq retry api-task1',
        wakeAtMs: NOW + 30_000,
      }),
    );
  });

  it('the order of its leader, when it is not the first of the round', () => {
    const reviews = [leader(), second];
    expect(said(second, { reviews, troubles: { [KEY]: trouble() } })).toEqual(
      text({
        sentence: `gt/api-task2 is being merged in the object database (main). ${FAILED}`,
        command: 'gt mq retry api-task2',
        wakeAtMs: NOW + 30_000,
      }),
    );
    expect(said(second, { reviews })).toEqual(
      text({ sentence: 'gt/api-task2 is being merged in the object database (main).' }),
    );
  });

  it('the runs of the gates that its leader ordered: the first that failed is told, and the next try is of any', () => {
    const gating = leader({ step: 'gating', stepKey: null });
    const member = { ...second, step: 'gating' } as const;
    const [probe] = probesOf(gating, null);
    if (probe === undefined) throw new Error('A round that runs its gates has a run.');
    const probes = ['gates:a', 'gates:b', 'gates:c'].map((key) => ({ ...probe, key }));
    const foreign = { ...probe, key: 'gates:other', leader: beadId('other') };
    const world = {
      reviews: [gating, member],
      probes: [foreign, ...probes],
      troubles: {
        'gates:other': trouble({ error: 'not ours', nextAtMs: NOW + 1 }),
        'gates:b': trouble(),
        'gates:c': trouble({ error: 'no space left', nextAtMs: NOW + 20_000 }),
      },
    };
    const says = { command: 'gt mq retry api-task1', wakeAtMs: NOW + 20_000 };
    const sentence = `gt/api-task1 runs its gates on the combined tree (main). ${FAILED}`;
    expect(said(gating, world)).toEqual(text({ ...says, sentence }));
    expect(said(member, world)).toEqual(
      text({ ...says, sentence: sentence.replace('task1', 'task2'), command: 'gt mq retry api-task2' }),
    );
  });
});

describe('what a push past its deadline waits for', () => {
  const sentence = 'gt/api-task1 is being pushed to the target (main).';
  const pushing = (deadlineAtMs: number | null): ReviewFacts => leader({ step: 'pushing', deadlineAtMs });
  const back = 'It goes back in line and is merged again.';

  it.each([
    ['from the deadline on', NOW, NOW + PUSH_GRACE_MS],
    ['later', NOW - 60_000, NOW - 60_000 + PUSH_GRACE_MS],
    ['when no runner can be at it any more, at once', NOW - PUSH_GRACE_MS, null],
  ])('its place in line: %s', (_when, deadlineAtMs, wakeAtMs) => {
    expect(said(pushing(deadlineAtMs))).toEqual(text({ sentence, next: back, wakeAtMs }));
  });

  it('its place in line, which no command brings nearer; what its tries met is told', () => {
    expect(said(pushing(NOW), { troubles: { [KEY]: trouble() } })).toEqual(
      text({ sentence: `${sentence} ${FAILED}`, next: back, wakeAtMs: NOW + 30_000 }),
    );
  });

  it.each([
    ['before the deadline', NOW + 1, NOW + 1],
    ['when it has none', null, null],
  ])('still its result: %s', (_when, deadlineAtMs, wakeAtMs) => {
    expect(said(pushing(deadlineAtMs))).toEqual(text({ sentence, wakeAtMs }));
  });

  it.each(['preparing', 'gating'] as const)('does not go for a step that can not have landed: %s', (step) => {
    expect(said(leader({ step, deadlineAtMs: NOW - 1 }), { troubles: { [KEY]: trouble() } })).toMatchObject({
      next: 'The result of this step.',
      command: 'gt mq retry api-task1',
      wakeAtMs: NOW + 30_000,
    });
  });
});
