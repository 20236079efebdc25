import { describe, expect, it } from 'vitest';
import { asSentence, readableText } from './sentence.ts';

describe('a text of a program', () => {
  it.each([
    ['plain words stay', 'npm test failed', 'npm test failed'],
    ['a wrapped error gives its message', 'done: {"error":{"code":"x","message":"Not ahead."}}', 'done: Not ahead.'],
    ['a verdict gives its message', '{"verdict":"refused","message":"Commit first."} bye', 'Commit first. bye'],
    ['deep ones too', '{"error":{"data":{"message":"Overloaded"}}}', 'Overloaded'],
    ['cut JSON gives what can be read', '{"verdict":"refused","message":"Commit \\"it\\".","a', 'Commit "it".'],
    ['JSON without words is left out', 'answer: {"a":1}', 'answer:'],
    ['lists give their first', '[{"message":"one"},{"message":"two"}]', 'one'],
    [
      'a stack is left out',
      'TypeError: x is null\n    at run (/srv/app/a.js:1:2)\n    at node:internal/x:3:4\n    at async file:///b.ts:7:1',
      'TypeError: x is null',
    ],
    ['braces of a shell stay', 'use ${HOME} or {a,b}', 'use ${HOME} or {a,b}'],
    ['control characters are shown', 'red \u001B[31m', 'red \\x1b[31m'],
    ['lines become one', 'a\n\n  b\tc', 'a b c'],
    ['a list within words gives its first', 'failed: ["no disk","no net"] at 3', 'failed: no disk at 3'],
    ['blanks inside JSON do not matter', 'x { "message" : "Late." }', 'x Late.'],
    ['nor in cut JSON', 'x { "error" : "Late.", "a', 'x Late.'],
    ['cut JSON without words is left out', 'x {"a": {"b": 1', 'x'],
    ['cut JSON may hold brackets that end nothing', ']} x {"error":"Late.","a', ']} x Late.'],
    ['a number is no message', '{"message":7,"detail":"Late."}', 'Late.'],
    ['nor is nothing', '{"message":null,"detail":"Late."}', 'Late.'],
    ['an empty list has none', '{"message":[],"detail":"Late."}', 'Late.'],
    ['the best field wins', '{"title":"T","reason":"R","error":"E"}', 'E'],
    ['four wrappings are opened', '{"error":{"error":{"error":{"text":"deep"}}}}', 'deep'],
    ['five are not', '{"error":{"error":{"error":{"error":{"text":"deep"}}}}}', ''],
    ['lists count too', '{"error":[{"error":[{"text":"deep"}]}]}', ''],
    ['words may touch JSON', 'x{"message":"Late."}y', 'x Late. y'],
    ['words before cut JSON are words', '"error": "one" {"error":"two","c', '"error": "one" two'],
    ['nothing before the text is no message', '{"message":null,"text":"Late."}', 'Late.'],
    ['blanks around go', '  {"message":" Late "}  ', 'Late'],
  ])('%s', (_name, text, expected) => {
    expect(readableText(text)).toBe(expected);
  });

  it('is as long as people read', () => {
    expect(readableText('ä'.repeat(5_000))).toHaveLength(400);
    expect(readableText('ä'.repeat(401))).toBe(`${'ä'.repeat(399)}…`);
    expect(readableText('ä'.repeat(400))).toBe('ä'.repeat(400));
  });

  it('ends like a sentence', () => {
    expect([asSentence('No'), asSentence('No.'), asSentence('Why?'), asSentence('')]).toEqual([
      'No.',
      'No.',
      'Why?',
      '',
    ]);
  });
});
