import { describe, expect, it } from 'vitest';
import { mayorPrompt, type MayorPromptInput } from './mayor-prompt.ts';
import { trusted } from './model/ids.ts';
import type { MayorAttempt, MayorMessage } from './model/mayor.ts';

const message = (seq: number, text: string): MayorMessage => ({
  seq,
  from: 'human/ada',
  text,
  state: 'shown',
  sitting: 1,
  reply: null,
  createdAtMs: 0,
  settledAtMs: null,
});
const earlier = (reason: string | null): MayorAttempt => ({
  id: trusted.attempt('at-1'),
  epoch: 1,
  sitting: 1,
  startedAtMs: 0,
  runningAtMs: null,
  endedAtMs: 9,
  outcome: 'no_answer',
  reason,
  processGone: true,
  exit: null,
  contactLostAtMs: null,
  runner: 'local',
});
/** The paragraphs after what every mayor is told. */
const said = (over: Partial<MayorPromptInput> = {}): readonly string[] => {
  const text = mayorPrompt({ town: 'Home', messages: [], earlier: [], checkpoint: null, mail: null, ...over });
  expect(text).toMatch(/[^\n]\n$/);
  return text.trimEnd().split('\n\n').slice(3);
};

describe('what the mayor is told', () => {
  it('who it is, what it can do, and when to end', () => {
    const [who, what, how, ...rest] = mayorPrompt({
      town: 'Home',
      messages: [],
      earlier: [],
      checkpoint: null,
      mail: null,
    })
      .trimEnd()
      .split('\n\n');
    expect(who).toBe(
      'You are the mayor of the town "Home": you coordinate work over its rigs and answer people. You give work out; you do none of it yourself, and you own no state but this conversation.',
    );
    expect(what?.split('\n')[0]).toBe('What you can do:');
    expect(what).toContain('\n- Answer: gt mayor reply "<text>"');
    expect(how).toBe(
      'Answer every message below, then end. Do not wait or watch: you are started again when there is something new.',
    );
    expect(rest).toEqual([]);
  });

  it('each message as data of its sender, made harmless', () => {
    expect(said({ messages: [message(7, 'Fix ```it```'), message(8, 'red \u001B[31m')] })).toEqual([
      'Message 7 from human/ada:\n````text origin=human/ada\nFix ```it```\n````',
      'Message 8 from human/ada:\n```text origin=human/ada\nred \\x1b[31m\n```',
    ]);
  });

  it('what it left for itself, and its mail', () => {
    expect(said({ checkpoint: '{"plan":1}', mail: 'You have 1 unread mail.' })).toEqual([
      'Checkpoint of your session before:\n```text origin=checkpoint\n{"plan":1}\n```',
      'You have 1 unread mail.',
    ]);
  });

  it.each([
    [[earlier('first'), earlier('second'), earlier('exited, exit code 1')], 3, 'exited, exit code 1'],
    [[earlier(null)], 1, 'unknown reason'],
  ])('what its predecessors may have done: %#', (attempts, count, how) => {
    expect(said({ earlier: attempts })).toEqual([
      `${String(count)} of your sessions ended before these messages were answered (the last: ${how}). Look at "gt feed" and "gt convoy list" for what you gave out already; the same sling, convoy, addition or mail, word for word, is not made twice.`,
    ]);
  });
});
