import { describe, expect, it } from 'vitest';

import { lastLine, plain, tail } from './text.ts';

describe('text of processes', () => {
  it('gives the last line that says something', () => {
    expect(lastLine('one\ntwo\n\n  \n')).toBe('two');
    expect(lastLine('10%\r50%\r100%\r')).toBe('100%');
    expect(lastLine('\u001b[31mred\u001b[0m\n\u001b[0m\n')).toBe('red');
    expect(lastLine('x'.repeat(1_000))).toHaveLength(400);
    expect(lastLine('')).toBe('');
  });

  it('loses control characters, keeps line ends, tabs and other scripts', () => {
    expect(plain('a\u0000\u0007\tb\nżółw \u05d0\u001b[1;32m!')).toBe('a\tb\nżółw \u05d0!');
  });

  it('is cut at the front, with a mark, to at most the size asked for', () => {
    expect(tail('short', 10)).toBe('short');
    const cut = tail(`${'x'.repeat(100)}end`, 50);
    expect(cut).toHaveLength(50);
    expect(cut.startsWith('[... cut ...]')).toBe(true);
    expect(cut.endsWith('end')).toBe(true);
  });
});
