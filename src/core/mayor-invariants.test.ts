import { describe, expect, it } from 'vitest';
import { checkMayor, type MayorInvariantFacts } from './mayor-invariants.ts';
import { trusted } from './model/ids.ts';
import type { MayorAttempt, MayorMessage, Sitting } from './model/mayor.ts';

const sitting: Sitting = { number: 2, failures: 0, openMessages: 1, messages: 1, answeredAtMs: null };
const process: MayorAttempt = {
  id: trusted.attempt('at-1'),
  epoch: 1,
  sitting: 2,
  startedAtMs: 0,
  runningAtMs: null,
  endedAtMs: null,
  outcome: null,
  reason: null,
  processGone: false,
  exit: null,
  contactLostAtMs: null,
  runner: 'local',
};
const message = (seq: number, over: Partial<MayorMessage>): MayorMessage => ({
  seq,
  from: 'human/ada',
  text: 'Hello',
  state: 'answered',
  sitting: 1,
  reply: null,
  createdAtMs: 0,
  settledAtMs: null,
  ...over,
});
/** A mayor at rest. */
const facts = (over: Partial<MayorInvariantFacts> = {}): MayorInvariantFacts => ({
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
  messages: [],
  unresolvedAttempts: 0,
  dueAtMs: null,
  observeAtMs: null,
  pendingEvents: 0,
  pendingEffects: 0,
  ...over,
});
const broken = (over: Partial<MayorInvariantFacts>): readonly string[] =>
  checkMayor(facts(over)).map(({ code, text }) => `${code} ${text}`);

describe('what must hold of the mayor', () => {
  it('holds at rest, at work, and while something waits that will be looked at', () => {
    const messages = [
      message(1, {}),
      message(2, { state: 'unanswered' }),
      message(3, { state: 'shown', sitting: 2 }),
      message(4, { state: 'waiting', sitting: null }),
      message(5, { state: 'waiting', sitting: null }),
    ];
    expect(broken({})).toEqual([]);
    expect(broken({ messages, sitting, attempt: process, unresolvedAttempts: 1, observeAtMs: 5 })).toEqual([]);
    expect(broken({ messages, sitting, dueAtMs: 5 })).toEqual([]);
  });

  describe('I31, the order of the conversation', () => {
    it.each<[string, readonly MayorMessage[], readonly string[]]>([
      [
        'one was given before an older one',
        [message(1, { state: 'waiting', sitting: null }), message(2, {})],
        ['I31 message 2 was given before an older one'],
      ],
      [
        'one was given to an earlier sitting',
        [message(1, { sitting: 2 }), message(2, { sitting: 1 })],
        ['I31 message 2 was given to an earlier sitting than an older one'],
      ],
      [
        'one is open in a sitting that is over',
        [message(1, { state: 'shown', sitting: 1 })],
        ['I31 message 1 is open in a sitting that is not'],
      ],
      [
        'one was given to no sitting in between',
        [message(1, { sitting: 2 }), message(2, { sitting: null }), message(3, { sitting: 1 })],
        ['I31 message 3 was given to an earlier sitting than an older one'],
      ],
    ])('%s', (_case, messages, violations) => {
      expect(broken({ messages, sitting, dueAtMs: 5 })).toEqual(violations);
    });

    it('nothing is open without a sitting', () => {
      expect(broken({ messages: [message(1, { state: 'shown', sitting: 1 })] })).toEqual([
        'I31 message 1 is open in a sitting that is not',
      ]);
    });
  });

  describe('I32, one process, and one that comes', () => {
    it('two may not live', () => {
      expect(broken({ unresolvedAttempts: 2, attempt: process, observeAtMs: 5 })).toEqual([
        'I32 2 processes of the mayor may live',
      ]);
      expect(broken({ unresolvedAttempts: 1, attempt: process, observeAtMs: 5 })).toEqual([]);
    });

    it('somebody asks about one that lives', () => {
      expect(broken({ attempt: process })).toEqual(['I32 nobody asks about at-1']);
      expect(broken({ attempt: { ...process, processGone: true } })).toEqual([]);
    });

    const unstarted = ['I32 something waits for the mayor, and nothing will start it'];

    it.each<[string, Partial<MayorInvariantFacts>]>([
      ['a sitting', { sitting }],
      ['a message', { waitingMessages: 1 }],
      ['a mail', { newMail: 1 }],
      ['a message and a mail', { waitingMessages: 1, newMail: 1 }],
    ])('something starts one for %s', (_case, over) => {
      expect(broken(over)).toEqual(unstarted);
      for (const excuse of [
        { dueAtMs: 5 },
        { isConfigured: false },
        { wish: 'stopped' as const },
        { pendingEvents: 1 },
        { pendingEffects: 1 },
      ])
        expect(broken({ ...over, ...excuse })).toEqual([]);
    });
  });
});
