import { describe, expect, it } from 'vitest';
import { INFRA_BACKOFF_MAX_MS, MAYOR_LINGER_MS, RETRY_BACKOFF_MS, TAKEOVER_AFTER_MS } from '../limits.ts';
import type { MayorAction } from '../mayor-actions.ts';
import { trusted } from '../model/ids.ts';
import { mayorStatus, type MayorAttempt, type MayorFacts, type Sitting } from '../model/mayor.ts';
import { mayorRule } from './mayor.ts';

const NOW = 1_000_000;
const SITTING: Sitting = { number: 4, failures: 0, openMessages: 1, messages: 1, answeredAtMs: null };
const RUNNING: MayorAttempt = {
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
};
const IDLE: MayorFacts = {
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
};
const working = (over: Partial<MayorFacts> = {}): MayorFacts => ({
  ...IDLE,
  attempt: RUNNING,
  sitting: SITTING,
  ...over,
});
const gone = (over: Partial<MayorAttempt> = {}): MayorAttempt => ({ ...RUNNING, processGone: true, ...over });
const exited = (exitCode: number, cause = 'exited'): MayorAttempt => gone({ exit: { cause, exitCode, lastLine: '' } });
const actions = (facts: MayorFacts, nowMs = NOW): readonly MayorAction[] =>
  mayorRule(facts, nowMs).decisions.flatMap((decision) => decision.actions);
const types = (facts: MayorFacts, nowMs = NOW): readonly string[] => actions(facts, nowMs).map((action) => action.type);

describe('a mayor without anything to do', () => {
  it('is not started, not asked and not looked at again', () => {
    expect(mayorRule(IDLE, NOW)).toEqual({ decisions: [], wakeAtMs: null });
    expect(mayorStatus(IDLE)).toBe('waiting');
  });

  it.each([{ waitingMessages: 1 }, { newMail: 1 }])('starts for %o, in one decision', (over) => {
    expect(types({ ...IDLE, ...over })).toEqual(['open_sitting', 'start_mayor']);
  });

  it('waits without a look while no runner takes work', () => {
    expect(mayorRule({ ...IDLE, hasLocalRunner: false, waitingMessages: 1 }, NOW)).toEqual({
      decisions: [],
      wakeAtMs: null,
    });
  });

  it.each([{ isConfigured: false }, { wish: 'stopped' as const }])('with %o keeps what comes', (over) => {
    const facts = { ...IDLE, ...over, waitingMessages: 3, newMail: 1 };
    expect(mayorRule(facts, NOW)).toEqual({ decisions: [], wakeAtMs: null });
    expect(mayorStatus(facts)).toBe('stopped');
  });
});

describe('a process of the mayor', () => {
  it('is left alone while it works, also when more messages come', () => {
    expect(mayorRule(working({ waitingMessages: 2, newMail: 2 }), NOW)).toEqual({ decisions: [], wakeAtMs: null });
    expect(mayorStatus(working())).toBe('working');
    expect(mayorStatus(working({ attempt: { ...RUNNING, runningAtMs: null } }))).toBe('starting');
  });

  it('that answered everything makes room after a while, only when others wait', () => {
    const answered = { ...SITTING, openMessages: 0, answeredAtMs: NOW };
    expect(mayorRule(working({ sitting: answered }), NOW)).toEqual({ decisions: [], wakeAtMs: null });
    const others = working({ sitting: answered, waitingMessages: 1 });
    expect(mayorRule(others, NOW)).toEqual({ decisions: [], wakeAtMs: NOW + MAYOR_LINGER_MS });
    expect(types(others, NOW + MAYOR_LINGER_MS)).toEqual(['end_mayor_attempt', 'stop_mayor', 'close_sitting']);
  });

  it('is ended when a person stops the mayor; its sitting stays open and is not charged', () => {
    expect(types(working({ wish: 'stopped' }))).toEqual(['end_mayor_attempt', 'stop_mayor']);
    expect(actions(working({ wish: 'stopped' }))[0]).toMatchObject({ outcome: 'evicted' });
  });

  it('that nobody answers for is taken over at the deadline, not before', () => {
    const silent = working({ attempt: { ...RUNNING, contactLostAtMs: NOW } });
    expect(mayorRule(silent, NOW)).toEqual({ decisions: [], wakeAtMs: NOW + TAKEOVER_AFTER_MS });
    expect(types(silent, NOW + TAKEOVER_AFTER_MS)).toEqual([
      'end_mayor_attempt',
      'mayor_gone',
      'stop_mayor',
      'count_failure',
    ]);
    const ended = working({ attempt: { ...RUNNING, endedAtMs: NOW, outcome: 'evicted', contactLostAtMs: NOW } });
    expect(types(ended, NOW + TAKEOVER_AFTER_MS)).toEqual(['mayor_gone']);
    expect(mayorRule(working({ attempt: { ...RUNNING, endedAtMs: NOW } }), NOW)).toEqual({
      decisions: [],
      wakeAtMs: null,
    });
  });
});

describe('the end of a process', () => {
  const outcome = (attempt: MayorAttempt, sitting = SITTING): unknown => actions(working({ attempt, sitting }))[0];

  it('is good when everything is answered, whatever its exit code', () => {
    const answered = { ...SITTING, openMessages: 0, answeredAtMs: NOW };
    for (const attempt of [exited(0), exited(3), gone(), exited(0, 'wall_clock')]) {
      expect(outcome(attempt, answered)).toMatchObject({ outcome: 'done' });
      expect(types(working({ attempt, sitting: answered }))).toEqual(['end_mayor_attempt', 'close_sitting']);
    }
  });

  it('without an answer is a failure of the mayor; by the machine it is not', () => {
    expect(outcome(exited(0))).toMatchObject({ outcome: 'no_answer' });
    expect(outcome(exited(1))).toMatchObject({ outcome: 'error' });
    expect(outcome(exited(0, 'wall_clock'))).toMatchObject({ outcome: 'error' });
    for (const attempt of [gone(), exited(0, 'runner_lost'), exited(0, 'spawn_failed'), exited(0, 'refused')])
      expect(outcome(attempt)).toMatchObject({ outcome: 'infra' });
    expect(actions(working({ attempt: exited(1) }))[1]).toMatchObject({ type: 'count_failure', charged: true });
    expect(actions(working({ attempt: gone() }))[1]).toMatchObject({ type: 'count_failure', charged: false });
  });

  it('of a sitting with mail alone is good by its exit code', () => {
    const mail = { ...SITTING, messages: 0, openMessages: 0 };
    expect(outcome(exited(0), mail)).toMatchObject({ outcome: 'done' });
    expect(outcome(exited(2), mail)).toMatchObject({ outcome: 'error' });
  });

  it('waits longer after each failure, and a person hears of it once when the breaker opens', () => {
    const waits = [0, 1, 2, 3, 4, 9].map((failures) => {
      const found = actions(working({ attempt: exited(1), failures }))[1];
      return found?.type === 'count_failure' ? found.notBeforeMs - NOW : null;
    });
    expect(waits).toEqual([...RETRY_BACKOFF_MS, INFRA_BACKOFF_MAX_MS, INFRA_BACKOFF_MAX_MS]);
    const told = (over: Partial<MayorFacts>): boolean =>
      types(working({ attempt: exited(1), ...over })).includes('tell_people');
    expect([told({ failures: 3 }), told({ failures: 4 }), told({ failures: 5, isEscalated: true })]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('in success closes the breaker', () => {
    const answered = { ...SITTING, openMessages: 0, answeredAtMs: NOW };
    expect(types(working({ attempt: exited(0), sitting: answered, failures: 6, isEscalated: true }))).toEqual([
      'end_mayor_attempt',
      'close_sitting',
      'clear_failures',
      'untell_people',
    ]);
  });
});

describe('a sitting that is not answered', () => {
  it('is tried again when its wait is over, in the same sitting', () => {
    const facts = {
      ...IDLE,
      sitting: { ...SITTING, failures: 1 },
      failures: 1,
      notBeforeMs: NOW + 5,
      waitingMessages: 3,
    };
    expect(mayorRule(facts, NOW)).toEqual({ decisions: [], wakeAtMs: NOW + 5 });
    expect(actions(facts, NOW + 5)).toEqual([{ type: 'start_mayor', sitting: 4, runner: 'local' }]);
  });

  it('is given up after three tries, and told; the next message gets a sitting of its own', () => {
    const facts = { ...IDLE, sitting: { ...SITTING, failures: 3 }, waitingMessages: 1 };
    expect(types(facts)).toEqual(['close_sitting', 'tell_people']);
    expect(types({ ...facts, sitting: null })).toEqual(['open_sitting', 'start_mayor']);
  });

  it('that was answered before its process was stopped is closed', () => {
    const facts = { ...IDLE, wish: 'stopped' as const, sitting: { ...SITTING, openMessages: 0, answeredAtMs: NOW } };
    expect(types(facts)).toEqual(['close_sitting']);
  });
});
