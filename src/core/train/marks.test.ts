import { describe, expect, it } from 'vitest';
import { conclude, type Judged } from './conclude.ts';
import { isAlone, isGood, isRedAgain, marksOf, nextMark, pushMark } from './marks.ts';

const green = (...entries: number[]): Judged => ({ entries, isGreen: true });
const red = (...entries: number[]): Judged => ({ entries, isGreen: false });
const after = (judged: readonly Judged[], marks: readonly (string | null)[], place: number): string | null =>
  nextMark(conclude(judged), { marks, name: 'now' }, place);

describe('the mark of an entry', () => {
  it('names those that are suspected together, and one that is alone', () => {
    expect([0, 1].map((place) => after([red(0, 1)], [null, null], place))).toEqual(['red:now:0', 'red:now:0']);
    expect(isAlone(after([green(0), red(0, 1)], [null, null], 1))).toBe(true);
  });

  it('stays while nothing new is known, and is lifted by a smaller group or a list that passed', () => {
    const marks = ['red:old', 'red:old', 'red:old'];
    expect(after([green(0)], marks, 1)).toBe('red:old');
    expect(after([red(0)], marks, 1)).toBeNull();
    expect(isGood(after([green(0, 1), green(2)], marks, 2))).toBe(true);
    expect(isGood(after([red(0)], [null, 'good'], 1))).toBe(true);
    expect(after([green(0)], [null, null], 1)).toBeNull();
  });

  it('is against one alone when the others of its group are gone from the line', () => {
    expect(marksOf(['red:a', null], ['red:a'])).toEqual(['red:a', null]);
    expect(marksOf(['red:a', 'good'], ['red:b'])).toEqual(['alone:a', 'good']);
    // A push that was refused says nothing about gates.
    expect(marksOf([pushMark('a')], [])).toEqual(['push:a']);
  });

  it('leads to blame only when the entry is red by itself again', () => {
    const said = conclude([red(0), red(1, 2)]);
    expect(isRedAgain(said, ['alone:a', null, null], 0)).toBe(true);
    expect(isRedAgain(said, [null, null, null], 0)).toBe(false);
    expect(isRedAgain(said, ['alone:a', 'alone:b', null], 1)).toBe(false);
  });
});
