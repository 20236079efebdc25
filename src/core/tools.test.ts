import { expect, it } from 'vitest';
import { isOrder } from './tools.ts';

it.each([
  ['beads', true],
  ['convoys', true],
  ['convoys/hq-cv-1/add', true],
  ['convoys//add', false],
  ['convoys/a/b/add', false],
  ['convoys/a/addition', false],
  ['convoys/a', false],
  ['x/beads', false],
  ['beads/api-1', false],
])('an order of the mayor is repeated by its words: %s is one: %j', (path, is) => {
  expect(isOrder(path)).toBe(is);
});
