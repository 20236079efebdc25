import { describe, expect, it } from 'vitest';
import { summarize, type Explanation, type Outcome, type TriedChange } from './mutation/summary.ts';

const change = (line: number, outcome: Outcome, over: Partial<TriedChange> = {}): TriedChange => ({
  file: 'src/core/a.ts',
  line,
  text: '  if (a < b) return 1;',
  mutator: 'EqualityOperator',
  replacement: 'a <= b',
  outcome,
  ...over,
});
const many = (count: number, outcome: Outcome, over: Partial<TriedChange> = {}): readonly TriedChange[] =>
  Array.from({ length: count }, (_, index) => change(index + 1, outcome, over));
const equal: Explanation = {
  file: 'src/core/a.ts',
  mutator: 'EqualityOperator',
  line: 'a < b',
  to: 'a <= b',
  why: 'both give the same',
};
const whole = { isWhole: true };

describe('the summary of the mutation test', () => {
  it('holds with the goal reached and every survivor explained', () => {
    const { lines, holds } = summarize([...many(9, 'noticed'), change(10, 'missed')], [equal], whole);
    expect(holds).toBe(true);
    expect(lines).toEqual([
      '  score %  noticed survived     open  file',
      '     90.0        9        1        0  src/core/a.ts',
      'mutation score 90.0 % (goal 90 %): 9 of 10 noticed, 1 survived, 0 of them not explained',
    ]);
  });

  it('does not hold below the goal, though all is explained', () => {
    expect(summarize([...many(8, 'noticed'), change(9, 'missed')], [equal], whole).holds).toBe(false);
  });

  it.each<[string, Partial<TriedChange>]>([
    ['another file', { file: 'src/core/b.ts' }],
    ['another kind', { mutator: 'ConditionalExpression' }],
    ['another line', { text: 'if (a > b)' }],
    ['another change', { replacement: 'a >= b' }],
  ])('does not hold with a survivor that an explanation of %s is about', (_case, over) => {
    const changes = [...many(99, 'noticed'), change(100, 'missed', over)];
    const { lines, holds } = summarize(changes, [equal], { isWhole: false });
    expect(holds).toBe(false);
    expect(lines.filter((line) => line.startsWith('not explained: '))).toHaveLength(1);
  });

  it('does not hold with an explanation of nothing, unless only some files were tried', () => {
    const changes = many(10, 'noticed');
    const { lines, holds } = summarize(changes, [equal], whole);
    expect(holds).toBe(false);
    expect(lines).toContain('explains nothing any more: src/core/a.ts EqualityOperator | a < b');
    expect(summarize(changes, [equal], { isWhole: false }).holds).toBe(true);
  });

  it('counts what is only made while a module loads neither way', () => {
    const { lines } = summarize([...many(9, 'noticed'), ...many(5, 'unreached')], [], whole);
    expect(lines.at(-1)).toContain('9 of 9 noticed, 0 survived');
  });

  it('puts the worst file first, and names each survivor with its line', () => {
    const { lines } = summarize(
      [
        ...many(9, 'noticed'),
        change(1, 'noticed', { file: 'src/core/b.ts' }),
        change(7, 'missed', { file: 'src/core/b.ts' }),
      ],
      [],
      whole,
    );
    expect(lines.slice(1, 4)).toEqual([
      '     50.0        1        1        1  src/core/b.ts',
      '    100.0        9        0        0  src/core/a.ts',
      'not explained: src/core/b.ts:7 EqualityOperator -> a <= b | if (a < b) return 1;',
    ]);
  });
});
