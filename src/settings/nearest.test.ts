import { describe, expect, it } from 'vitest';
import { meantOrKnown, nearest } from './nearest.ts';

const NAMES = ['top', 'status', 'sling', 'bead', 'create', 'json', 'polecats_max'];

describe('the name that was probably meant', () => {
  it.each([
    ['staus', 'status'],
    ['slinng', 'sling'],
    ['BEAD', 'bead'],
    ['craete', 'create'],
    ['jsno', 'json'],
    ['polecat_max', 'polecats_max'],
    ['tpo', 'top'],
  ])('of %s is %s', (typed, meant) => {
    expect(nearest(typed, NAMES)).toBe(meant);
  });

  it.each(['nope', 'x', 'help', 'frobnicate', ''])('of %j is none: another word is no typing mistake', (typed) => {
    expect(nearest(typed, NAMES)).toBeNull();
  });

  it('is told, or else the names there are, unless they are too many to read', () => {
    expect(meantOrKnown('staus', NAMES)).toBe('Did you mean "status"?');
    expect(meantOrKnown('nope', ['top', 'bead'])).toBe('Known here: top, bead.');
    const many = Array.from({ length: 17 }, (_unused, index) => `name${String(index)}`);
    expect(meantOrKnown('nope', many)).toBe('docs/configuration.md lists the names that are known here.');
  });
});
