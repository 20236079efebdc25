import { expect, it } from 'vitest';
import { reviewText } from './review-comments.ts';

it('a review is one text: what holds for all of it, then line by line in the order of the files', () => {
  const at = (path: string, line: number, text: string, side: 'old' | 'new' = 'new') => ({ path, line, side, text });
  const said = [at('src/b.ts', 2, 'b'), at('src/a.ts', 30, 'keep it', 'old'), at('src/a.ts', 4, 'two\nlines ')];
  expect(reviewText(' Nearly. ', said)).toBe(
    'Nearly.\n\n- src/a.ts:4: two\n  lines\n- src/a.ts:30 (a line that your change removes): keep it\n- src/b.ts:2: b',
  );
  expect(reviewText('', [at('a', 1, 'x')])).toBe('- a:1: x');
  expect(reviewText('only this', [])).toBe('only this');
});

it('at one line, what is removed comes first, and remarks stay in the order in which they were said', () => {
  const at = (text: string, side: 'old' | 'new') => ({ path: 'a', line: 1, side, text });
  expect(reviewText('', [at('z', 'new'), at('x', 'old'), at('y', 'new'), at('a', 'old')])).toBe(
    [
      '- a:1 (a line that your change removes): x',
      '- a:1 (a line that your change removes): a',
      '- a:1: z',
      '- a:1: y',
    ].join('\n'),
  );
});

it('is in the order of the files, however they were said', () => {
  const at = (path: string) => ({ path, line: 1, side: 'new', text: 'x' }) as const;
  for (const said of [
    ['a', 'b', 'c'],
    ['c', 'b', 'a'],
    ['b', 'c', 'a'],
  ])
    expect(reviewText('', said.map(at))).toBe('- a:1: x\n- b:1: x\n- c:1: x');
});
