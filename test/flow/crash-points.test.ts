import { describe, expect, it } from 'vitest';
import { HISTORIES } from '../crash/histories.ts';
import { TALK_HISTORIES } from '../crash/histories-talk.ts';
import { strike, tell } from '../crash/points.ts';

/** Places of each kind that each history is struck at here; `npm run crash-points` strikes at more, `--long` at all. */
const MOST = 1;
const ALL = [...HISTORIES, ...TALK_HISTORIES].filter((history) => history.slow !== true);

describe('a brain that dies at a commit or an effect, hears no answer, or is told twice', () => {
  it.each(ALL.map((history) => [history.name, history] as const))(
    'leaves nothing stuck and ends the same: %s',
    async (_name, history) => {
      const { points, stuck, different } = await strike(history, { most: MOST });
      expect(points.crash).toBe(MOST);
      expect([...stuck, ...different]).toEqual([]);
    },
    60_000,
  );

  it('is not what a program that forgets its effects can do', async () => {
    const [first] = HISTORIES;
    if (first === undefined) throw new Error('there are histories');
    const forgetful = await strike(first, { most: 2, forgetful: true, kinds: ['crash'] });
    expect(forgetful.stuck.length + forgetful.different.length).toBeGreaterThan(0);
  }, 60_000);

  it('dies where it should: before a commit nothing of it is there, after it everything', async () => {
    const [first] = HISTORIES;
    if (first === undefined) throw new Error('there are histories');
    const clean = await tell(first, null);
    expect(clean.town.places.crash.length).toBeGreaterThan(40);
    const died = await tell(first, { kind: 'crash', at: 20 });
    expect(died.town.deaths).toBe(1);
    expect(died.town.struck).toBe(clean.town.places.crash[20]);
  });
});
