import { describe, expect, it } from 'vitest';
import { surplusOf } from './housekeeping.ts';

const files = ['at-3.log', 'gate-b.log', 'at-1.log', 'at-2.log', 'gate-a.log'].map((name) => ({ name, bytes: 10 }));
const gone = (count: number, bytes: number): readonly string[] => surplusOf(files, { count, bytes });

describe('what is too much', () => {
  it('goes by number: logs of gates first, then the oldest', () => {
    expect(gone(5, 50)).toEqual([]);
    expect(gone(4, 50)).toEqual(['gate-a.log']);
    expect(gone(2, 50)).toEqual(['gate-a.log', 'gate-b.log', 'at-1.log']);
    expect(gone(0, 50)).toHaveLength(5);
  });

  it('goes by size too, and what has none is bound by number only', () => {
    expect(gone(5, 49)).toEqual(['gate-a.log']);
    expect(gone(5, 20)).toEqual(['gate-a.log', 'gate-b.log', 'at-1.log']);
    expect(
      surplusOf(
        files.map(({ name }) => ({ name, bytes: 0 })),
        { count: 5, bytes: 0 },
      ),
    ).toEqual([]);
  });
});
