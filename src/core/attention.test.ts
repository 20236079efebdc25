import { describe, expect, it } from 'vitest';
import { convoy, convoyBead } from '../../test/support/convoy-builder.ts';
import {
  attempt,
  bead,
  beadId,
  CLOSED_BREAKER,
  mergeRequest,
  NOW,
  review,
  type World,
} from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import { attentionOf, heldUp, rig, town, type TownWorld } from '../../test/support/attention-builder.ts';
import { mail } from '../../test/support/town-builder.ts';
import type { AttentionItem } from './attention-item.ts';
import { BREAKER_TOLD_AFTER_MS, INFRA_FAILURES_TO_OPEN } from './limits.ts';
import type { Bead } from './model/bead.ts';
import type { Health } from './model/health.ts';
import { trusted } from './model/ids.ts';
import type { StoppedTrain } from './model/train.ts';
import { PAUSE_TOLD_AFTER_MS } from './limits.ts';

const task = bead({ updatedAtMs: 500 });

const items = (view: TownWorld): readonly AttentionItem[] => attentionOf(view, NOW);
const BASE = { escalation: null, acknowledgedBy: null };

describe('what needs a person', () => {
  it('nothing, in a quiet town', () => {
    expect(items(town({ rigs: [rig()] }))).toEqual([]);
  });

  describe('beads', () => {
    it.each<[string, Partial<Bead>, Partial<AttentionItem>]>([
      [
        'a held one is of little worth',
        { hold: 'held', holdReason: 'not now' },
        { severity: 'low', sentence: 'Held by a person: not now.', command: 'gt bead release api-task1' },
      ],
      [
        'a question waits',
        { hold: 'needs_human', holdReason: 'Twice the same' },
        { severity: 'medium', sentence: 'Twice the same.', command: 'gt bead retry api-task1' },
      ],
      [
        'a failed one has nobody else',
        { status: 'failed', closeReason: 'merge_failed', closedAtMs: 500 },
        { severity: 'high', sentence: 'Failed: it could not be merged.', command: 'gt why api-task1' },
      ],
    ])('%s', (_case, over, says) => {
      expect(items(heldUp([{ ...task, ...over }]))).toEqual([
        { ...BASE, kind: 'bead', subject: 'api-task1', title: 'Add a thing', sinceMs: 500, ...says },
      ]);
    });

    it('a pull request that waits for people is the ordinary way of things; what is asked of a person is not', () => {
      const source = bead({ status: 'in_review' });
      const severity = (of: Bead): unknown => items(heldUp([of])).map((item) => item.severity);
      expect(severity(mergeRequest(source, { status: 'in_progress' }))).toEqual(['low']);
      expect(severity(mergeRequest(source, { hold: 'needs_human' }))).toEqual(['medium']);
      expect(severity(bead({ status: 'in_progress' }))).toEqual(['medium']);
    });

    it('those whose blocker was not done name it', () => {
      const blocked = { ...task, failedBlockers: 1 };
      const view = rig(
        { beads: [blocked] },
        {
          heldUp: () => [blocked],
          blockers: (id) => [{ beadId: id, blockerRef: beadId('other'), scope: 'local', state: 'failed' }],
        },
      );
      expect(items(town({ rigs: [view] }))).toEqual([
        expect.objectContaining({
          severity: 'medium',
          sentence: 'A bead it needs has not been done: api-other.',
          command: 'gt bead close api-task1',
        }),
      ]);
    });

    it('two of them are two items', () => {
      const two = [task, { ...task, id: beadId('task2') }].map((one) => ({ ...one, hold: 'held' as const }));
      expect(items(heldUp(two)).map((item) => item.subject)).toEqual(['api-task1', 'api-task2']);
    });

    it('a part of another one speaks for itself', () => {
      const part = { ...task, parentId: beadId('whole'), hold: 'held' as const };
      expect(items(heldUp([part, bead({ id: beadId('whole') })], [part]))[0]?.subject).toBe('api-task1');
    });

    it('a merge request speaks in the name of its bead', () => {
      const source = bead({ status: 'in_review', title: 'The feature' });
      const held = mergeRequest(source, {
        hold: 'needs_human',
        holdReason: 'Five rounds',
        updatedAtMs: 600,
        title: 'MR',
      });
      expect(items(heldUp([source, held], [held], { reviews: [review(source)] }))).toEqual([
        {
          ...BASE,
          kind: 'merge_request',
          severity: 'medium',
          subject: 'api-task1',
          title: 'The feature',
          sentence: 'Five rounds.',
          sinceMs: 600,
          command: 'gt bead retry api-task1',
        },
      ]);
    });

    it.each([
      ['is gone', { parentId: beadId('gone') }],
      ['is unknown', { parentId: null }],
    ])('a merge request whose bead %s speaks for itself', (_case, over) => {
      const source = bead({ status: 'in_review' });
      const held = mergeRequest(source, { hold: 'needs_human', holdReason: 'Five rounds', title: 'MR', ...over });
      expect(items(heldUp([held], [held], { reviews: [review(source)] }))).toEqual([
        expect.objectContaining({ kind: 'merge_request', subject: 'api-merge', title: 'MR', sentence: 'Five rounds.' }),
      ]);
    });
  });

  describe('questions of agents', () => {
    const running = bead({ status: 'in_progress', title: 'The feature' });
    const asking = attempt(running, { question: { text: 'Which port?', atMs: 700 } });

    it('each with the way to answer', () => {
      const view = rig({ beads: [running], attempts: [asking] }, { questions: () => [asking] });
      expect(items(town({ rigs: [view] }))).toEqual([
        {
          ...BASE,
          kind: 'question',
          severity: 'medium',
          subject: 'api/polecats/nux',
          title: 'The feature',
          sentence: 'api/polecats/nux waits for a person: Which port?',
          sinceMs: 700,
          command: 'gt mail send api/polecats/nux "<answer>"',
        },
      ]);
    });

    it('none of a bead that is gone', () => {
      expect(items(town({ rigs: [rig({ attempts: [asking] }, { questions: () => [asking] })] }))).toEqual([]);
    });

    it('two agents ask two things', () => {
      const other = bead({ id: beadId('task2'), status: 'in_progress' });
      const second = attempt(other, { epoch: 2, question: { text: 'And which host?', atMs: 800 } });
      const view = rig({ beads: [running, other], attempts: [asking, second] }, { questions: () => [asking, second] });
      expect(items(town({ rigs: [view] })).map((item) => item.sinceMs)).toEqual([700, 800]);
    });
  });

  describe('convoys', () => {
    const failed = convoyBead(1, { status: 'failed', closeReason: 'merge_failed' });
    const held = convoy({ closedBeads: 1, failedBeads: 1, createdAtMs: 300, title: 'All of it' });

    it('that wait for a decision', () => {
      const all = [{ convoy: held, beads: [convoyBead(0, { status: 'closed' }), failed] }];
      expect(items(town({ convoys: () => all }))).toEqual([
        {
          ...BASE,
          kind: 'convoy',
          severity: 'medium',
          subject: 'hq-cv-00000',
          title: 'All of it',
          sentence:
            '1 of 2 beads are merged or needed no change; waits for a person because of api-00001 (merge_failed).',
          sinceMs: 300,
          command: 'gt convoy update hq-cv-00000 --on-failure skip',
        },
      ]);
    });

    it('each of two', () => {
      const other = { ...held, id: trusted.convoy('hq-cv-00001') };
      const all = [held, other].map((of) => ({ convoy: of, beads: [failed] }));
      expect(items(town({ convoys: () => all }))).toHaveLength(2);
    });

    it.each([
      ['that skip what failed', convoy({ onFailure: 'skip', failedBeads: 1 })],
      ['that are not active', convoy({ status: 'staged', failedBeads: 1 })],
    ])('but not those %s', (_case, of) => {
      expect(items(town({ convoys: () => [{ convoy: of, beads: [convoyBead(0), failed] }] }))).toEqual([]);
    });
  });

  describe('rigs', () => {
    const broken = {
      ...CLOSED_BREAKER,
      failures: INFRA_FAILURES_TO_OPEN,
      openedAtMs: NOW - BREAKER_TOLD_AFTER_MS,
      retryAtMs: NOW + 1,
      reason: 'No space left',
    };
    const waiting = (world: Partial<World>, count = 1): TownWorld =>
      town({ rigs: [rig(world, { waiting: () => count })] });

    it('whose agents could not be started for a while', () => {
      expect(items(waiting({ breaker: broken }))).toEqual([
        {
          ...BASE,
          kind: 'rig',
          severity: 'medium',
          subject: 'rig:api',
          title: null,
          sentence: 'No agent can be started in api after 3 failures: No space left.',
          sinceMs: NOW - BREAKER_TOLD_AFTER_MS,
          command: 'gt doctor',
        },
      ]);
    });

    it.each<[string, Partial<World>]>([
      ['a moment ago', { breaker: { ...broken, openedAtMs: NOW - BREAKER_TOLD_AFTER_MS + 1 } }],
      ['not often enough', { breaker: { ...broken, failures: INFRA_FAILURES_TO_OPEN - 1 } }],
      ['since an unknown time', { breaker: { ...broken, openedAtMs: null } }],
    ])('but not %s', (_case, world) => {
      expect(items(waiting(world))).toEqual([]);
    });

    it('by each breaker that stops a part of them', () => {
      const scopes = (['runner:far', 'runtime:command'] as const).map((scope) => ({ ...broken, scope }));
      const young = { ...broken, scope: 'runtime:script' as const, openedAtMs: NOW };
      expect(items(waiting({ scopes: [...scopes, young] })).map(({ sentence }) => sentence)).toEqual([
        'No agent can be started on the runner far in api after 3 failures: No space left.',
        'No agent can be started with the runtime command in api after 3 failures: No space left.',
      ]);
    });

    it('that are parked while work waits', () => {
      const parked = { config: rigConfig('api', { parked: true }) };
      expect(items(waiting(parked, 2))).toEqual([
        {
          ...BASE,
          kind: 'rig',
          severity: 'low',
          subject: 'rig:api',
          title: null,
          sentence: 'api is parked: nothing of it is started, 2 beads wait.',
          sinceMs: null,
          command: 'gt rig unpark api',
        },
      ]);
      expect(items(waiting(parked, 0))).toEqual([]);
      expect(items(waiting({ breaker: broken }, 0))).toEqual([]);
    });
  });

  describe('a merge train', () => {
    const paused: StoppedTrain = {
      target: 'main',
      state: 'paused',
      reason: 'a freeze',
      changedBy: 'human/ada',
      changedAtMs: NOW - 3_600_000,
      waiting: 0,
    };
    const of = (train: Partial<StoppedTrain>) =>
      items(town({ rigs: [rig({}, { stoppedTrains: () => [{ ...paused, ...train }] })] }));

    it.each([
      [1, 'is paused by human/ada since 1 h: a freeze; 1 waits in line.'],
      [3, 'is paused by human/ada since 1 h: a freeze; 3 wait in line.'],
    ])('that is paused while %s wait', (waiting, says) => {
      expect(of({ waiting })).toEqual([
        {
          ...BASE,
          kind: 'rig',
          severity: 'low',
          subject: 'rig:api',
          title: null,
          sentence: `The merge train of main ${says}`,
          sinceMs: paused.changedAtMs,
          command: 'gt mq resume api',
        },
      ]);
    });

    it('each that is paused is told, of one rig too', () => {
      const both = [
        { ...paused, waiting: 1 },
        { ...paused, target: 'next', waiting: 1 },
      ];
      expect(items(town({ rigs: [rig({}, { stoppedTrains: () => both })] })).map(({ command }) => command)).toEqual([
        'gt mq resume api',
        'gt mq resume api --target next',
      ]);
    });

    it('that was probably forgotten, but no red one: that has its escalation', () => {
      expect(of({ changedAtMs: NOW - PAUSE_TOLD_AFTER_MS + 1 })).toEqual([]);
      expect(of({ changedAtMs: NOW - PAUSE_TOLD_AFTER_MS })).toHaveLength(1);
      expect(of({ state: 'red', waiting: 5 })).toEqual([]);
    });
  });

  it('settings that are not in force', () => {
    const refused = { message: 'A prefix never changes.', next: 'Set it back.', sinceMs: 300 };
    expect(items(town({ refusedSettings: () => refused }))).toEqual([
      {
        ...BASE,
        kind: 'settings',
        severity: 'high',
        subject: 'daemon',
        title: 'gastown.toml',
        sentence: 'The settings in gastown.toml are not in force: A prefix never changes. Set it back.',
        sinceMs: 300,
        command: 'gt why daemon',
      },
    ]);
  });

  describe('the runner', () => {
    const health = (over: Partial<Health>): Health => ({
      subject: 'runner',
      state: 'down',
      missed: 3,
      answeredAtMs: 400,
      askedAtMs: 450,
      detail: 'connection refused',
      ...over,
    });

    it('when it does not start, once, whatever the watchdog knows', () => {
      const trouble = { starts: 2, cause: 'the disk is full', sinceMs: 420 };
      for (const known of [[], [health({})], [health({ state: 'unknown', missed: 0 })]])
        expect(items(town({ health: () => known, runnerTrouble: () => trouble }))).toEqual([
          {
            ...BASE,
            kind: 'runner',
            severity: 'high',
            subject: 'runner',
            title: null,
            sentence: 'The runner beside the daemon does not start (tried 2 times in a row): the disk is full.',
            sinceMs: 420,
            command: 'gt doctor',
          },
        ]);
    });

    it('when it is down', () => {
      expect(items(town({ health: () => [health({})] }))).toEqual([
        {
          ...BASE,
          kind: 'runner',
          severity: 'high',
          subject: 'runner',
          title: null,
          sentence: 'The runner has not answered 3 times in a row: connection refused.',
          sinceMs: 400,
          command: 'gt doctor',
        },
      ]);
    });

    it('but not while it is only suspect, and not the loop of a rig', () => {
      const all = [health({ state: 'suspect' }), health({ subject: 'rig:api' })];
      expect(items(town({ health: () => all }))).toEqual([]);
    });
  });

  it('mail to people, help before notes, and none about an escalation', () => {
    const all = [
      mail({ id: trusted.mail('ml-0000000000000001'), kind: 'note', subject: 'A word', createdAtMs: 100 }),
      mail({ id: trusted.mail('ml-0000000000000002'), kind: 'help', subject: 'Stuck', createdAtMs: 200 }),
      mail({ id: trusted.mail('ml-0000000000000003'), key: 'notify:hq-esc-00000:1', kind: 'help' }),
    ];
    expect(items(town({ mail: () => all }))).toEqual([
      {
        ...BASE,
        kind: 'mail',
        severity: 'medium',
        subject: 'ml-0000000000000002',
        title: 'Stuck',
        sentence: 'Mail from api/polecats/nux to human/: Stuck.',
        sinceMs: 200,
        command: 'gt mail read ml-0000000000000002',
      },
      expect.objectContaining({ severity: 'low', title: 'A word', sinceMs: 100 }),
    ]);
  });
});
