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
  ])('%s', (_name, text, expected) => {
    expect(readableText(text)).toBe(expected);
  });

  it('is as long as people read', () => {
    expect(readableText('ä'.repeat(5_000))).toHaveLength(400);
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
