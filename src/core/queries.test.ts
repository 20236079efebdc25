import { expect, it } from 'vitest';
import { byCreation } from './queries.ts';

it('beads are listed oldest first, and those of one moment by their ids', () => {
  const at = (createdAtMs: number, id: string) => ({ createdAtMs, id });
  const listed = [at(1, 'b'), at(1, 'c'), at(2, 'a'), at(10, 'a')];
  expect(listed.toReversed().toSorted(byCreation)).toEqual(listed);
  expect(listed.toSorted(byCreation)).toEqual(listed);
});
