import { expect, it } from 'vitest';
import { gatesDigest } from './gates-digest.ts';

it('a tree that passed is tested again once a gate does something else, not when it may take longer', () => {
  const [test, lint] = [
    { name: 'test', run: 'npm test', timeoutMs: 1 },
    { name: 'lint', run: 'npm run lint', timeoutMs: 1 },
  ];
  const known = gatesDigest([test, lint]);
  expect(gatesDigest([{ ...test, timeoutMs: 2 }, lint])).toBe(known);
  expect(gatesDigest([{ ...test, run: 'npm run all' }, lint])).not.toBe(known);
  expect(gatesDigest([{ ...test, name: 'all' }, lint])).not.toBe(known);
  expect(gatesDigest([lint, test])).not.toBe(known);
  expect(gatesDigest([test])).not.toBe(known);
});
