import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration, utf8Length } from './text.ts';

describe('utf8Length', () => {
  it('counts what an encoder writes, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
    expect([utf8Length('aé€😀'), utf8Length('\u0000'), utf8Length('')]).toEqual([10, 1, 0]);
  });
});

describe('duration', () => {
  it.each([
    [-5, '0 s'],
    [0, '0 s'],
    [1, '1 s'],
    [59_001, '60 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [48 * 3_600_000, '2 d'],
  ])('says %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
