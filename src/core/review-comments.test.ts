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
