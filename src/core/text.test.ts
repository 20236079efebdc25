import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyChar } from '../../test/support/any-char.ts';
import { counted, cutToBytes, duration, fingerprint, inert, utf8Length } from './text.ts';

describe('utf8Length', () => {
  it('counts what an encoder writes, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyChar }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
    expect(['\u007f', '\u0080', '\u07ff', '\u0800', '\uffff', '\u{10000}'].map(utf8Length)).toEqual([1, 2, 2, 3, 3, 4]);
    expect([utf8Length('aé€😀'), utf8Length('\u0000'), utf8Length('')]).toEqual([10, 1, 0]);
  });
});

it('counts things as people say it', () => {
  expect([0, 1, 2].map((count) => counted(count, 'commit'))).toEqual(['0 commits', '1 commit', '2 commits']);
  expect([1, 2].map((count) => counted(count, 'waits', 'wait'))).toEqual(['1 waits', '2 wait']);
});

describe('duration', () => {
  it.each([
    [-5, '0 s'],
    [0, '0 s'],
    [1, '1 s'],
    [59_001, '60 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [24 * 3_600_000 - 1, '24 h'],
    [24 * 3_600_000, '1 d'],
    [48 * 3_600_000, '2 d'],
  ])('says %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('inert', () => {
  it('shows what acts on a terminal as a code, and leaves all else', () => {
    const active = [0x00, 0x08, 0x0b, 0x1b, 0x1f, 0x7f, 0x80, 0x9f, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069];
    const still = [0x09, 0x0a, 0x20, 0x7e, 0xa0, 0x200d, 0x2010, 0x2029, 0x202f, 0x2065, 0x206a];
    for (const code of active)
      expect(inert(`a${String.fromCodePoint(code)}b`)).toBe(`a\\x${code.toString(16).padStart(2, '0')}b`);
    for (const code of still) expect(inert(`a${String.fromCodePoint(code)}b`)).toBe(`a${String.fromCodePoint(code)}b`);
  });
});

describe('cutToBytes', () => {
  it('fills the room to its last byte, and ends between characters', () => {
    expect(['aé€', 'aé€b', ''].map((text) => cutToBytes(text, 6))).toEqual(['aé€', 'aé€', '']);
    expect([0, 1, 2, 3, 5, 6].map((room) => cutToBytes('aé€', room))).toEqual(['', 'a', 'a', 'aé', 'aé', 'aé€']);
  });
});

describe('fingerprint', () => {
  it('is 16 digits that depend on every character and its place', () => {
    const texts = ['', 'a', 'b', 'ab', 'ba', 'aa', 'é', '😀'];
    const prints = texts.map(fingerprint);
    expect(new Set(prints).size).toBe(texts.length);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{16}$/);
  });

  it('stays the same over versions: it is part of stored keys', () => {
    expect(fingerprint('a')).toMatchInlineSnapshot(`"e40c292cd085a872"`);
    expect(fingerprint('')).toMatchInlineSnapshot(`"811c9dc501234567"`);
  });
});
