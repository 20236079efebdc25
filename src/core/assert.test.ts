import { describe, expect, it } from 'vitest';
import { assert, AssertionError, must, unreachable } from './assert.ts';

describe('a broken promise of our own code', () => {
  it('stops where a condition does not hold', () => {
    expect(() => {
      assert(false, 'the sky is down');
    }).toThrow(new AssertionError('the sky is down'));
    expect(() => {
      assert(true, 'the sky is down');
    }).not.toThrow();
    expect(new AssertionError('x').name).toBe('AssertionError');
  });

  it('stops where something is missing, and passes on what is there, be it empty', () => {
    for (const missing of [null, undefined])
      expect(() => must(missing, 'no row')).toThrow(new AssertionError('no row'));
    for (const there of [0, '', false, []]) expect(must(there, 'no row')).toBe(there);
  });

  it('names a variant that nobody handles', () => {
    const row: { readonly kind: 'known' } = JSON.parse('{"kind":"new"}');
    expect(() => unreachable(row as never, 'kind')).toThrow(new AssertionError('unhandled kind: {"kind":"new"}'));
  });
});
