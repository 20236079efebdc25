import { describe, expect, it } from 'vitest';
import { conclude, type Judged } from './conclude.ts';
import { isAlone, isGood, isRedAgain, nextMark, pushMark, remarks } from './marks.ts';

const green = (...entries: number[]): Judged => ({ entries, isGreen: true });
const red = (...entries: number[]): Judged => ({ entries, isGreen: false });
const after = (judged: readonly Judged[], marks: readonly (string | null)[], place: number): string | null =>
  nextMark(conclude(judged), { marks, name: 'now' }, place);

describe('the mark of an entry', () => {
  it('names those that are suspected together, and one that is alone', () => {
    expect([0, 1].map((place) => after([red(0, 1)], [null, null], place))).toEqual(['red:now:0*2', 'red:now:0*2']);
    expect(isAlone(after([green(0), red(0, 1)], [null, null], 1))).toBe(true);
  });

  it('stays while nothing new is known, and is lifted by a smaller group or a list that passed', () => {
    const marks = ['red:old*3', 'red:old*3', 'red:old*3'];
    expect(after([green(0)], [null, ...marks], 1)).toBe('red:old*3');
    expect(after([red(0)], marks, 1)).toBeNull();
    expect(isGood(after([green(0, 1), green(2)], marks, 2))).toBe(true);
    expect(isGood(after([red(0)], [null, 'good'], 1))).toBe(true);
    expect(after([green(0)], [null, null], 1)).toBeNull();
  });

  it('is against one alone when the others of its group passed', () => {
    const marks = ['red:a*3', 'red:a*3', 'red:a*3'];
    expect(after([green(0)], marks, 2)).toBe('red:a*2');
    expect(after([green(0, 1)], marks, 2)).toBe('alone:a');
    // Those in line, who had no part in the round, are told the same.
    const line = (judged: readonly Judged[], round: readonly (string | null)[]) => [
      ...remarks(conclude(judged), round),
    ];
    expect(line([green(0)], ['red:a*2'])).toEqual([['red:a*2', 'alone:a']]);
    expect(line([green(0), red(1)], ['red:a*4', 'red:b*2'])).toEqual([
      ['red:a*4', 'red:a*3'],
      ['red:b*2', null],
    ]);
    expect(line([green(0)], [null])).toEqual([]);
    expect(line([green(0), green(1)], ['red:first*3', 'red:other*4'])).toEqual([
      ['red:first*3', 'red:first*2'],
      ['red:other*4', 'red:other*3'],
    ]);
  });

  it('is against nobody alone because the others were held or cancelled meanwhile: one of them may be the one', () => {
    // Of three two left without an answer; the last one is red by itself for the first time.
    const left = ['red:a*3'];
    const said = conclude([red(0), red()]);
    expect(isRedAgain(said, left, 0)).toBe(false);
    expect(isAlone(after([red(0)], left, 0))).toBe(true);
    // One passed, one left: still not proven.
    expect(after([green(0)], ['red:a*3', 'red:a*3'], 1)).toBe('red:a*2');
    // What an older program wrote says nothing about how many there were.
    expect(after([green(0)], ['red:a', 'red:a'], 1)).toBe('red:a');
    expect(isRedAgain(said, ['red:a'], 0)).toBe(false);
  });

  it('of a refused push stays until that push arrives, however often its gates pass', () => {
    expect(after([green(0), green(1, 2)], [pushMark('a'), null, null], 0)).toBe('push:a');
    expect(isAlone(after([red(0)], [pushMark('a')], 0))).toBe(true);
  });

  it('leads to blame only when the entry is red by itself again', () => {
    const said = conclude([red(0), red(1, 2)]);
    expect(isRedAgain(said, ['alone:a', null, null], 0)).toBe(true);
    expect(isRedAgain(said, [null, null, null], 0)).toBe(false);
    expect(isRedAgain(said, ['alone:a', 'alone:b', null], 1)).toBe(false);
  });
});
