import { describe, expect, it } from 'vitest';
import {
  attempt,
  bead,
  beadId,
  commit,
  mergeRequest,
  NOW,
  review,
  rigView,
  type World,
} from '../../test/support/rig-view-builder.ts';
import type { Bead, Blocker } from './model/bead.ts';
import { trusted } from './model/ids.ts';
import type { Why } from './queries.ts';
import { whyBead } from './why.ts';

const CHANGED = NOW - 5_000;
const ENDED = NOW - 4_000;
const task = (over: Partial<Bead> = {}): Bead => bead({ updatedAtMs: CHANGED, ...over });
const running = task({ status: 'in_progress' });
const needs = (suffix: string, state: Blocker['state']): Blocker => ({
  beadId: beadId('task1'),
  blockerRef: beadId(suffix),
  scope: 'local',
  state,
});

interface Case {
  readonly of: Bead;
  readonly world?: Partial<World>;
  readonly blockers?: readonly Blocker[];
  /** What is not said: since its last change, no command, no moment to look again. */
  readonly says: Partial<Why>;
}

const check = ({ of, world, blockers, says }: Case): void => {
  expect(whyBead(rigView({ beads: [of], ...world }), of, blockers ?? [], NOW)).toEqual({
    id: of.id,
    command: null,
    sinceMs: CHANGED,
    wakeAtMs: null,
    ...says,
  });
};

describe('why an ended bead does nothing', () => {
  const ended = (over: Partial<Bead>): Bead => task({ status: 'closed', closedAtMs: ENDED, ...over });

  it.each<[string, Bead, string, string]>([
    [
      'merged',
      ended({ closeReason: 'merged', evidence: { target: 'release', mergeSha: commit(7) } }),
      `Merged into release as ${commit(7)}.`,
      'merge-step',
    ],
    [
      'merged past the train',
      ended({
        closeReason: 'merged',
        evidence: { target: 'main', mergeSha: commit(7), note: 'No gate ran on it here.' },
      }),
      `Merged into main as ${commit(7)}. No gate ran on it here.`,
      'merge-step',
    ],
    ['merged without evidence', ended({ closeReason: 'merged' }), 'Merged into main as unknown.', 'merge-step'],
    [
      'integrated',
      ended({ closeReason: 'integrated', branchOf: beadId('source'), evidence: { head: commit(8) } }),
      `Its work is part of api-source at ${commit(8)}.`,
      'verify-done',
    ],
    [
      'integrated without evidence',
      ended({ closeReason: 'integrated' }),
      'Its work is part of its branch at unknown.',
      'verify-done',
    ],
    ['cancelled', ended({ closeReason: 'cancelled' }), 'Cancelled.', 'bead-ended'],
    [
      'cancelled with a note',
      ended({ closeReason: 'cancelled', evidence: { note: 'Not needed.' } }),
      'Cancelled. Not needed.',
      'bead-ended',
    ],
    ['no change', ended({ closeReason: 'no_change' }), 'Closed: nothing needed to change.', 'bead-ended'],
    [
      'attempts exhausted',
      ended({ status: 'failed', closeReason: 'attempts_exhausted' }),
      'Failed: its attempts are used up.',
      'bead-ended',
    ],
    [
      'merge failed',
      ended({ status: 'failed', closeReason: 'merge_failed' }),
      'Failed: it could not be merged.',
      'bead-ended',
    ],
    ['source ended', ended({ closeReason: 'source_ended' }), 'Ended with the bead it belongs to.', 'bead-ended'],
    ['of an older program', ended({ status: 'failed', closeReason: null }), 'Ended as failed.', 'bead-ended'],
  ])('%s', (_case, of, sentence, rule) => {
    const state = of.status === 'failed' ? 'failed' : (of.closeReason ?? 'closed');
    check({
      of,
      says: {
        state: state === 'source_ended' ? 'closed' : state,
        sentence,
        rule,
        next: null,
        sinceMs: ENDED,
      },
    });
  });

  it('names the bead that goes on in its place', () => {
    check({
      of: ended({ closeReason: 'cancelled', reopenedAs: beadId('again') }),
      says: {
        state: 'cancelled',
        sentence: 'Cancelled. Reopened as api-again.',
        rule: 'bead-ended',
        next: 'See "gt why api-again".',
        sinceMs: ENDED,
      },
    });
  });
});

describe('what a bead in progress waits for', () => {
  const live = attempt(running);

  it.each<[string, ReturnType<typeof attempt>, Partial<Why>]>([
    [
      'its process',
      { ...live, runningAtMs: null },
      {
        state: 'running',
        sentence: `api/polecats/nux is being started (attempt ${live.id}).`,
        rule: 'assign-work',
        next: 'The runner confirms the process.',
        sinceMs: live.startedAtMs,
      },
    ],
    [
      'its agent',
      live,
      {
        state: 'running',
        sentence: `api/polecats/nux works on it (attempt ${live.id}, epoch 1).`,
        rule: 'assign-work',
        next: 'The agent calls "gt done", or its process ends.',
        sinceMs: live.runningAtMs,
      },
    ],
    [
      'a verdict',
      { ...live, claim: { state: 'verifying', kind: 'done' }, claimedAtMs: NOW - 900 },
      {
        state: 'running',
        sentence: 'api/polecats/nux says it is done; the claim is verifying.',
        rule: 'verify-done',
        next: 'The verdict of the verification.',
        sinceMs: NOW - 900,
      },
    ],
    [
      'contact to its runner',
      { ...live, contactLostAtMs: NOW - 800 },
      {
        state: 'running',
        sentence: 'Contact to the runner of api/polecats/nux is lost.',
        rule: 'lost-contact',
        next: 'The runner answers, or the takeover deadline passes.',
        sinceMs: NOW - 800,
      },
    ],
    [
      'an answer',
      { ...live, question: { text: 'Which port?', atMs: NOW - 700 } },
      {
        state: 'waiting',
        sentence: 'api/polecats/nux waits for a person: Which port?',
        rule: 'events',
        next: 'A person answers.',
        command: 'gt mail send api/polecats/nux "<answer>"',
        sinceMs: NOW - 700,
      },
    ],
    [
      'a verdict rather than an answer',
      {
        ...live,
        claim: { state: 'verified', kind: 'done' },
        claimedAtMs: NOW - 600,
        question: { text: 'Which port?', atMs: NOW - 700 },
      },
      {
        state: 'running',
        sentence: 'api/polecats/nux says it is done; the claim is verified.',
        rule: 'verify-done',
        next: 'The verdict of the verification.',
        sinceMs: NOW - 600,
      },
    ],
  ])('%s', (_case, own, says) => {
    check({ of: running, world: { attempts: [own] }, says });
  });

  it('says that its attempt is missing', () => {
    check({
      of: running,
      world: { attempts: [{ ...live, endedAtMs: NOW - 1 }] },
      says: {
        state: 'running',
        sentence: 'In progress without a live attempt.',
        rule: 'invariant I4',
        next: 'Run "gt doctor".',
      },
    });
  });
});

describe('what an open bead waits for', () => {
  it('a person, when something it needs failed, whatever else there is', () => {
    check({
      of: task({ failedBlockers: 2, openBlockers: 1, hold: 'held' }),
      blockers: [needs('one', 'failed'), needs('two', 'open'), needs('three', 'failed'), needs('four', 'cleared')],
      says: {
        state: 'blocked_by_failure',
        sentence: 'A bead it needs has not been done: api-one, api-three.',
        rule: 'bead-ended',
        next: 'A person decides: "gt bead close api-task1" gives it up.',
        command: 'gt bead close api-task1',
      },
    });
  });

  it('an answer, before the beads it needs', () => {
    check({
      of: task({ openBlockers: 1, hold: 'needs_human', holdReason: 'The same failure twice: exit code 1' }),
      blockers: [needs('one', 'open')],
      says: {
        state: 'needs_human',
        sentence: 'The same failure twice: exit code 1.',
        rule: 'dead-agent',
        next: 'A person has it tried again when it can go on, or cancels it.',
        command: 'gt bead retry api-task1',
      },
    });
  });

  it('the beads it needs, before a hold by a person', () => {
    check({
      of: task({ openBlockers: 2, hold: 'held', holdReason: 'not now' }),
      blockers: [needs('none', 'cleared'), needs('one', 'open'), needs('two', 'open')],
      says: {
        state: 'blocked',
        sentence: 'Waits for api-one, api-two.',
        rule: 'bead-ended',
        next: 'api-one is merged or needs no change.',
      },
    });
  });

  it('the beads it needs, and that one of them waits for a person, itself or before its merge', () => {
    const held = { hold: 'needs_human', holdReason: 'twice alike' } as const;
    const one = bead({ id: beadId('one'), ...held });
    const two = bead({ id: beadId('two'), status: 'in_review' });
    const blockers = [needs('one', 'open'), needs('two', 'open')];
    const said = (standing: string) => ({
      state: 'blocked',
      sentence: `Waits for api-one, api-two; ${standing} waits for a person.`,
      rule: 'bead-ended',
      next: `A person looks at ${standing}.`,
      command: `gt why ${standing}`,
    });
    const of = task({ openBlockers: 2 });
    check({ of, blockers, world: { beads: [of, one] }, says: said('api-one') });
    const beads = [of, two, mergeRequest(two, held)];
    check({ of, blockers, world: { beads, reviews: [review(two)] }, says: said('api-two') });
  });

  it.each<[string, Partial<Bead>, Partial<Why>]>([
    [
      'being slung',
      { hold: 'staged' },
      {
        state: 'staged',
        sentence: 'Recorded, not slung yet.',
        rule: 'assign-work',
        next: 'A person slings it.',
        command: 'gt sling api-task1',
      },
    ],
    [
      'its convoy',
      { hold: 'staged', convoyId: trusted.convoy('hq-cv-00000') },
      {
        state: 'staged',
        sentence: 'Its convoy hq-cv-00000 has not started.',
        rule: 'convoy',
        next: 'A person starts the convoy.',
        command: 'gt convoy start hq-cv-00000',
      },
    ],
    [
      'release',
      { hold: 'held', holdReason: 'wait for the release' },
      {
        state: 'held',
        sentence: 'Held by a person: wait for the release.',
        rule: 'assign-work',
        next: 'A person releases it.',
        command: 'gt bead release api-task1',
      },
    ],
    [
      'release, without a reason',
      { hold: 'held' },
      {
        state: 'held',
        sentence: 'Held by a person: held.',
        rule: 'assign-work',
        next: 'A person releases it.',
        command: 'gt bead release api-task1',
      },
    ],
    [
      'quota',
      { hold: 'parked', holdReason: 'The quota of account work is used up.', notBeforeMs: NOW + 10_000 },
      {
        state: 'parked',
        sentence: 'Parked, with its place in line: The quota of account work is used up.',
        rule: 'quota',
        next: 'Its quota window opens again, or a person says now.',
        command: 'gt bead retry api-task1',
        wakeAtMs: NOW + 10_000,
      },
    ],
    [
      'its back-off after one failure',
      { failures: 1, notBeforeMs: NOW + 30_000 },
      {
        state: 'backing_off',
        sentence: 'Backs off after 1 failed attempt; next try in 30 s.',
        rule: 'dead-agent',
        next: 'The wait ends, or a person has it tried now.',
        command: 'gt bead retry api-task1',
        wakeAtMs: NOW + 30_000,
      },
    ],
    [
      'the last moment of its back-off',
      { failures: 2, notBeforeMs: NOW + 1 },
      {
        state: 'backing_off',
        sentence: 'Backs off after 2 failed attempts; next try in 1 s.',
        rule: 'dead-agent',
        next: 'The wait ends, or a person has it tried now.',
        command: 'gt bead retry api-task1',
        wakeAtMs: NOW + 1,
      },
    ],
  ])('%s', (_case, over, says) => {
    check({ of: task(over), says });
  });

  it('its back-off, with what happened last', () => {
    const of = task({ failures: 1, notBeforeMs: NOW + 30_000 });
    const last = attempt(of, { endedAtMs: NOW - 1, reason: 'The agent ended with exit code 1: boom' });
    check({
      of,
      world: { attempts: [last] },
      says: {
        state: 'backing_off',
        sentence: 'Backs off after 1 failed attempt; next try in 30 s. Last: The agent ended with exit code 1: boom.',
        rule: 'dead-agent',
        next: 'The wait ends, or a person has it tried now.',
        command: 'gt bead retry api-task1',
        wakeAtMs: NOW + 30_000,
      },
    });
  });
});
