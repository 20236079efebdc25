import { describe, expect, it } from 'vitest';
import { INFRA_BACKOFF_MAX_MS, MAYOR_LINGER_MS, RETRY_BACKOFF_MS, TAKEOVER_AFTER_MS } from '../limits.ts';
import { trusted } from '../model/ids.ts';
import { mayorStatus, type MayorAttempt, type MayorFacts, type Sitting } from '../model/mayor.ts';
import { mayorRule } from './mayor.ts';

/** Every decision about the mayor, whole: what people read of it and what is done. */

const NOW = 1_000_000;
const sitting = (over: Partial<Sitting> = {}): Sitting => ({
  number: 4,
  failures: 0,
  openMessages: 1,
  messages: 1,
  answeredAtMs: null,
  ...over,
});
const process = (over: Partial<MayorAttempt> = {}): MayorAttempt => ({
  id: trusted.attempt('at-1'),
  epoch: 7,
  sitting: 4,
  startedAtMs: NOW - 10_000,
  runningAtMs: NOW - 9_000,
  endedAtMs: null,
  outcome: null,
  reason: null,
  processGone: false,
  exit: null,
  contactLostAtMs: null,
  runner: 'local',
  ...over,
});
const facts = (over: Partial<MayorFacts> = {}): MayorFacts => ({
  isConfigured: true,
  wish: 'running',
  failures: 0,
  notBeforeMs: 0,
  isEscalated: false,
  attempt: null,
  sitting: null,
  waitingMessages: 0,
  newMail: 0,
  runners: [],
  hasLocalRunner: true,
  lastRunner: null,
  ...over,
});
const answered = sitting({ openMessages: 0, answeredAtMs: NOW - MAYOR_LINGER_MS });

const one = (reason: string, ...actions: readonly object[]): object => ({
  decisions: [{ rule: 'mayor', entity: 'mayor:', reason, actions }],
  wakeAtMs: null,
});
const waits = (wakeAtMs: number | null): object => ({ decisions: [], wakeAtMs });
const ends = (outcome: string, reason: string): object => ({
  type: 'end_mayor_attempt',
  attempt: 'at-1',
  outcome,
  reason,
});
const stops = (mode: 'graceful' | 'now'): object => ({ type: 'stop_mayor', attempt: 'at-1', epoch: 7, mode });
const counted = (failures: number, charged: boolean, waitMs = RETRY_BACKOFF_MS[failures - 1] ?? 0): object => ({
  type: 'count_failure',
  sitting: 4,
  failures,
  charged,
  notBeforeMs: NOW + waitMs,
});
const closes = { type: 'close_sitting', sitting: 4, outcome: 'done' };

describe('a process of the mayor is started', () => {
  it('with all that waits', () => {
    expect(mayorRule(facts({ waitingMessages: 2, newMail: 1 }), NOW)).toEqual(
      one(
        '2 messages and 1 mails wait',
        { type: 'open_sitting' },
        { type: 'start_mayor', sitting: null, runner: 'local' },
      ),
    );
  });

  it('again for what its last process did not answer', () => {
    const again = facts({ sitting: sitting({ failures: 2 }), notBeforeMs: NOW });
    expect(mayorRule(again, NOW)).toEqual(
      one('its last process ended without an answer', { type: 'start_mayor', sitting: 4, runner: 'local' }),
    );
    expect(mayorRule({ ...again, notBeforeMs: NOW + 1 }, NOW)).toEqual(waits(NOW + 1));
  });

  it('not for what is answered, and not while nobody wants it', () => {
    expect(mayorRule(facts({ sitting: answered }), NOW)).toEqual(one('everything is answered', closes));
    expect(mayorRule(facts({ sitting: sitting(), wish: 'stopped' }), NOW)).toEqual(waits(null));
  });

  it('for a sitting that holds mail alone', () => {
    expect(mayorRule(facts({ sitting: sitting({ messages: 0, openMessages: 0 }) }), NOW)).toEqual(
      one('its last process ended without an answer', { type: 'start_mayor', sitting: 4, runner: 'local' }),
    );
  });
});

describe('a sitting is given up', () => {
  const told = (what: string): object => ({
    type: 'tell_people',
    causeKey: 'mayor:unanswered',
    severity: 'medium',
    message: `The mayor did not answer in 3 tries; ${what} (sitting 4). See "gt mayor log"; send again what still matters.`,
  });
  const gaveUp = { type: 'close_sitting', sitting: 4, outcome: 'gave_up' };
  const reason = '3 processes in a row ended without an answer';

  it.each([
    [sitting({ failures: 3, openMessages: 2 }), '2 messages stay unanswered'],
    [sitting({ failures: 3, messages: 0, openMessages: 0 }), 'its mail stays unread'],
  ])('with words for people: %#', (of, what) => {
    expect(mayorRule(facts({ sitting: of }), NOW)).toEqual(one(reason, gaveUp, told(what)));
  });

  it('keeps the breaker as it is: nothing of it went well', () => {
    expect(mayorRule(facts({ sitting: sitting({ failures: 3 }), failures: 6, isEscalated: true }), NOW)).toEqual(
      one(reason, gaveUp, told('1 messages stay unanswered')),
    );
  });
});

describe('a process of the mayor is ended', () => {
  it('when a person stops the mayor', () => {
    const reason = 'the mayor was stopped';
    for (const over of [{ wish: 'stopped' }, { isConfigured: false }] as const)
      expect(mayorRule(facts({ attempt: process(), sitting: sitting(), ...over }), NOW)).toEqual(
        one(reason, ends('evicted', reason), stops('graceful')),
      );
  });

  it('when everything is answered and others wait', () => {
    const reason = 'everything is answered and the next message waits';
    for (const over of [{ waitingMessages: 1 }, { newMail: 1 }])
      expect(mayorRule(facts({ attempt: process(), sitting: answered, ...over }), NOW)).toEqual(
        one(reason, ends('done', reason), stops('graceful'), closes),
      );
  });

  it.each<[string, Sitting | null]>([
    ['has nothing open', null],
    ['holds mail alone', sitting({ messages: 0, openMessages: 0, answeredAtMs: 0 })],
    ['waits for answers', sitting({ answeredAtMs: 0 })],
    ['has no moment of its last answer', sitting({ openMessages: 0 })],
  ])('but not while its sitting %s', (_case, of) => {
    expect(mayorRule(facts({ attempt: process(), sitting: of, waitingMessages: 1 }), NOW)).toEqual(waits(null));
  });

  it('at the deadline when nobody answers for it', () => {
    const reason = 'no answer about its process within the takeover deadline';
    const silent = (agoMs: number): MayorFacts =>
      facts({ attempt: process({ contactLostAtMs: NOW - agoMs }), sitting: sitting() });
    expect(mayorRule(silent(TAKEOVER_AFTER_MS), NOW)).toEqual(
      one(reason, ends('infra', reason), { type: 'mayor_gone', attempt: 'at-1' }, stops('now'), counted(1, false)),
    );
    expect(mayorRule(silent(TAKEOVER_AFTER_MS - 1), NOW)).toEqual(waits(NOW + 1));
  });

  it('at the earlier of the two moments', () => {
    const at = (lostAgoMs: number, answeredAtMs: number): unknown =>
      mayorRule(
        facts({
          attempt: process({ contactLostAtMs: NOW - lostAgoMs }),
          sitting: sitting({ openMessages: 0, answeredAtMs }),
          waitingMessages: 1,
        }),
        NOW,
      );
    expect(at(TAKEOVER_AFTER_MS - 5, NOW)).toEqual(waits(NOW + 5));
    expect(at(0, NOW - MAYOR_LINGER_MS + 5)).toEqual(waits(NOW + 5));
  });

  it('and given up when it ended before and is still not proven gone', () => {
    const ended = (agoMs: number | null): MayorFacts =>
      facts({ attempt: process({ endedAtMs: NOW, contactLostAtMs: agoMs === null ? null : NOW - agoMs }) });
    expect(mayorRule(ended(TAKEOVER_AFTER_MS), NOW)).toEqual(
      one('no answer about its process within the takeover deadline', { type: 'mayor_gone', attempt: 'at-1' }),
    );
    expect(mayorRule(ended(TAKEOVER_AFTER_MS - 1), NOW)).toEqual(waits(NOW + 1));
    expect(mayorRule(ended(null), NOW)).toEqual(waits(null));
  });
});

describe('the end of a process of the mayor is read', () => {
  const gone = (exit: MayorAttempt['exit']): MayorAttempt => process({ processGone: true, exit });
  const after = (exit: MayorAttempt['exit'], over: Partial<MayorFacts> = {}): unknown =>
    mayorRule(facts({ attempt: gone(exit), sitting: sitting(), ...over }), NOW);
  const exited = (exitCode: number, lastLine = ''): MayorAttempt['exit'] => ({ cause: 'exited', exitCode, lastLine });

  it.each<[string, MayorAttempt['exit'], string, string, boolean]>([
    ['gone without a word', null, 'infra', 'its process is gone', false],
    ['a silent exit', exited(0), 'no_answer', 'ended without an answer (exited, exit code 0)', true],
    ['a last word', exited(0, 'bye'), 'no_answer', 'ended without an answer (exited, exit code 0: bye)', true],
    ['an error', exited(1, 'boom'), 'error', 'exited, exit code 1: boom', true],
    [
      'its wall clock',
      { cause: 'wall_clock', exitCode: null, lastLine: '' },
      'error',
      'wall_clock, exit code null',
      true,
    ],
    [
      'a stop from outside',
      { cause: 'stopped', exitCode: null, lastLine: '' },
      'infra',
      'stopped, exit code null',
      false,
    ],
  ])('%s', (...[, exit, outcome, reason, charged]) => {
    expect(after(exit)).toEqual(one(reason, ends(outcome, reason), counted(1, charged)));
  });

  it('as done when all is answered, also without a sitting that waits', () => {
    const reason = 'exited, exit code 0';
    expect(after(exited(0), { sitting: answered, failures: 2, isEscalated: true })).toEqual(
      one(
        reason,
        ends('done', reason),
        closes,
        { type: 'clear_failures' },
        {
          type: 'untell_people',
          causeKey: 'mayor:breaker',
        },
      ),
    );
    expect(after(exited(0), { sitting: null })).toEqual(one(reason, ends('done', reason)));
  });

  it('and opens the breaker after the fifth failure in a row', () => {
    const told = {
      type: 'tell_people',
      causeKey: 'mayor:breaker',
      severity: 'high',
      message:
        'The mayor failed 5 times in a row; it is tried again every 10 min. Look at "gt mayor status" and its command in gastown.toml. Its messages wait.',
    };
    const reason = 'exited, exit code 1';
    expect(after(exited(1), { failures: 4 })).toEqual(
      one(reason, ends('error', reason), counted(5, true, INFRA_BACKOFF_MAX_MS), told),
    );
    expect(after(exited(1), { failures: 4, isEscalated: true })).toEqual(
      one(reason, ends('error', reason), counted(5, true, INFRA_BACKOFF_MAX_MS)),
    );
    expect(after(exited(1), { failures: 3 })).toEqual(one(reason, ends('error', reason), counted(4, true)));
  });
});

describe('the state of the mayor', () => {
  it.each<[string, Partial<MayorFacts>]>([
    ['waiting', {}],
    ['stopped', { wish: 'stopped' }],
    ['stopped', { isConfigured: false }],
    ['working', { attempt: process(), wish: 'stopped' }],
    ['starting', { attempt: process({ runningAtMs: null }) }],
    ['waiting', { attempt: process({ endedAtMs: NOW }) }],
    ['stopped', { attempt: process({ endedAtMs: NOW }), wish: 'stopped' }],
  ])('is %s for %j', (status, over) => {
    expect(mayorStatus(facts(over))).toBe(status);
  });
});
