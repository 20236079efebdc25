import { describe, expect, it } from 'vitest';
import { attentionOf, heldUp, rig, town, type TownWorld } from '../../test/support/attention-builder.ts';
import { bead, beadId, mergeRequest, NOW, review } from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import { escalation } from '../../test/support/town-builder.ts';
import { attentionSentence, beadOfCause, rigFindings } from './attention.ts';
import type { AttentionItem } from './attention-item.ts';
import { trusted } from './model/ids.ts';

const task = bead({ updatedAtMs: 500 });
const items = (view: TownWorld): readonly AttentionItem[] => attentionOf(view, NOW);

describe('escalations in what needs a person', () => {
  const told = escalation({ severity: 'high', message: 'The disk is full.', subject: 'rig:api', createdAtMs: 300 });

  it('speak for themselves when nothing else does', () => {
    expect(items(town({ escalations: () => [told] }))).toEqual([
      {
        kind: 'escalation',
        severity: 'high',
        subject: 'hq-esc-00000',
        title: 'api',
        sentence: 'The disk is full.',
        sinceMs: 300,
        command: 'gt escalation ack hq-esc-00000',
        escalation: 'hq-esc-00000',
        acknowledgedBy: null,
      },
    ]);
  });

  it('have no title without a subject', () => {
    expect(items(town({ escalations: () => [{ ...told, subject: '' }] }))[0]?.title).toBeNull();
  });

  it('join the bead that they are about: it says why, they say how badly and since when', () => {
    const held = { ...task, hold: 'needs_human' as const, holdReason: 'Twice the same' };
    const about = escalation({
      severity: 'critical',
      causeKey: 'bead:api-task1',
      createdAtMs: 450,
      acknowledgedBy: 'human/ada',
      acknowledgedAtMs: 460,
    });
    const view = heldUp([held]);
    expect(items({ ...view, escalations: () => [about] })).toEqual([
      {
        kind: 'bead',
        severity: 'critical',
        subject: 'api-task1',
        title: 'Add a thing',
        sentence: 'Twice the same.',
        sinceMs: 450,
        command: 'gt bead retry api-task1',
        escalation: 'hq-esc-00000',
        acknowledgedBy: 'human/ada',
      },
    ]);
    expect(items({ ...view, escalations: () => [{ ...about, severity: 'low', createdAtMs: 550 }] })).toEqual([
      expect.objectContaining({ severity: 'medium', sinceMs: 500 }),
    ]);
  });

  it('about a merge request join its bead', () => {
    const source = bead({ status: 'in_review' });
    const held = mergeRequest(source, { hold: 'needs_human', holdReason: 'Five rounds' });
    const about = escalation({ causeKey: 'bead:api-merge' });
    const view = heldUp([source, held], [held], { reviews: [review(source)] });
    expect(items({ ...view, escalations: () => [about] })).toEqual([
      expect.objectContaining({ kind: 'merge_request', subject: 'api-task1', escalation: 'hq-esc-00000' }),
    ]);
    const orphan = { ...held, parentId: null };
    const alone = heldUp([orphan], [orphan], { reviews: [review(source)] });
    expect(items({ ...alone, escalations: () => [about] })).toEqual([
      expect.objectContaining({ kind: 'merge_request', subject: 'api-merge', escalation: 'hq-esc-00000' }),
    ]);
  });

  it('about a bead that ended show its end, with what can be done', () => {
    const ended = { ...task, status: 'failed' as const, closeReason: 'attempts_exhausted' as const, closedAtMs: 480 };
    const about = escalation({ severity: 'low', causeKey: 'bead:api-task1' });
    const view = town({ rigs: [rig({ beads: [ended] })] });
    expect(items({ ...view, escalations: () => [about] })).toEqual([
      {
        kind: 'bead',
        severity: 'low',
        subject: 'api-task1',
        title: 'Add a thing',
        sentence: 'Failed: its attempts are used up.',
        sinceMs: 480,
        command: 'gt escalation ack hq-esc-00000',
        escalation: 'hq-esc-00000',
        acknowledgedBy: null,
      },
    ]);
    const resolved = { ...about, status: 'resolved' as const, resolvedAtMs: 490 };
    expect(items({ ...view, escalations: () => [resolved] })[0]?.command).toBe('gt why api-task1');
  });

  it.each([
    ['a bead that still runs', 'bead:api-task1'],
    ['a bead that is gone', 'bead:api-gone1'],
    ['what only looks like a bead', 'bead:Not A Bead'],
    ['a rig', 'breaker:api-task1'],
  ])('about %s speak with their own words', (_case, causeKey) => {
    const about = escalation({ causeKey, subject: 'bead:api-task1' });
    const view = town({ rigs: [rig({ beads: [{ ...task, status: 'in_progress' }] })], escalations: () => [about] });
    expect(items(view)).toEqual([
      expect.objectContaining({ kind: 'escalation', subject: 'hq-esc-00000', title: 'api-task1' }),
    ]);
  });

  it('two of them about two causes are two items', () => {
    const other = escalation({ id: trusted.escalation('hq-esc-00001'), causeKey: 'breaker:web:dispatch' });
    expect(items(town({ escalations: () => [told, other] }))).toHaveLength(2);
  });
});

describe('the order of what needs a person', () => {
  const one = (n: number, over: Partial<Parameters<typeof escalation>[0]> = {}) =>
    escalation({ id: trusted.escalation(`hq-esc-0000${String(n)}`), causeKey: `x:${String(n)}`, ...over });
  const order = (...all: ReturnType<typeof escalation>[]): readonly string[] =>
    items(town({ escalations: () => all })).map((item) => item.subject.slice(-1));

  it('worst first', () => {
    expect(
      order(
        one(1, { severity: 'low' }),
        one(2, { severity: 'critical' }),
        one(3, { severity: 'medium' }),
        one(4, { severity: 'high' }),
      ),
    ).toEqual(['2', '4', '3', '1']);
  });

  it('then oldest first', () => {
    expect(order(one(1, { createdAtMs: 30 }), one(2, { createdAtMs: 10 }), one(3, { createdAtMs: 20 }))).toEqual([
      '2',
      '3',
      '1',
    ]);
  });

  it('then by id', () => {
    expect(order(one(3), one(1), one(2))).toEqual(['1', '2', '3']);
  });

  it('what somebody takes care of comes last, however bad and old', () => {
    const ada = { acknowledgedBy: 'human/ada', acknowledgedAtMs: 1 };
    expect(
      order(one(1, { severity: 'critical', ...ada }), one(2, { severity: 'low', createdAtMs: 90 }), one(3, ada)),
    ).toEqual(['2', '1', '3']);
  });

  it('what has no time comes after what has one', () => {
    const parked = rig({ config: rigConfig('api', { parked: true }) }, { waiting: () => 1 });
    const view = town({ rigs: [parked], escalations: () => [one(1, { severity: 'low', createdAtMs: 5 })] });
    expect(items(view).map((item) => item.kind)).toEqual(['escalation', 'rig']);
    const before = one(2, { severity: 'low', causeKey: 'parked:api', createdAtMs: 9 });
    expect(items({ ...view, escalations: () => [before] })).toEqual([
      expect.objectContaining({ kind: 'rig', sinceMs: 9, escalation: 'hq-esc-00002' }),
    ]);
  });
});

describe('how the town stands, in one line', () => {
  const item = (over: Partial<AttentionItem>): AttentionItem => ({
    kind: 'bead',
    severity: 'medium',
    subject: 'api-task1',
    title: null,
    sentence: 'Twice the same.',
    sinceMs: null,
    command: 'gt why api-task1',
    escalation: null,
    acknowledgedBy: null,
    ...over,
  });
  const cared = item({ acknowledgedBy: 'human/ada' });

  it.each<[string, readonly AttentionItem[]]>([
    ['Nothing needs you.', []],
    ['All that needs a person is taken care of.', [cared]],
    ['One thing needs you; it is api-task1: Twice the same.', [item({}), cared]],
    ['2 things need you; the worst is api-task1: Twice the same.', [item({}), item({ subject: 'api-other' })]],
  ])('%s', (sentence, all) => {
    expect(attentionSentence(all)).toBe(sentence);
  });
});

describe('the bead that an escalation is about', () => {
  it('is known by its cause, and nothing else is', () => {
    expect(['bead:api-task1', 'breaker:api-task1', 'bead:Not A Bead'].map(beadOfCause)).toEqual([
      'api-task1',
      null,
      null,
    ]);
  });

  it('may be gone, and be a part of another', () => {
    const part = bead({ parentId: beadId('whole'), status: 'in_progress' });
    const asked = [part.id, beadId('gone1')];
    expect(rigFindings(rig({ beads: [part] }), asked, NOW).about).toEqual({
      'api-task1': { cause: 'bead:api-task1', ended: null },
    });
  });

  it('is found in whichever rig has it', () => {
    const ended = { ...bead(), status: 'failed' as const, closeReason: 'merge_failed' as const, closedAtMs: 4 };
    const world = town({
      rigs: [rig(), rig({ beads: [ended] })],
      escalations: () => [escalation({ causeKey: 'bead:api-task1' })],
    });
    expect(attentionOf(world, NOW)[0]).toMatchObject({ kind: 'bead', sentence: 'Failed: it could not be merged.' });
  });

  it('an alarm about the runner joins it', () => {
    const down = { subject: 'runner', state: 'down', missed: 3, answeredAtMs: 1, askedAtMs: 2, detail: null } as const;
    const world = town({ health: () => [down], escalations: () => [escalation({ causeKey: 'health:runner' })] });
    expect(attentionOf(world, NOW)).toEqual([expect.objectContaining({ kind: 'runner', escalation: 'hq-esc-00000' })]);
  });
});
