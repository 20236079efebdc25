/** A document that says "this test shows it" must name a test that exists. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './tidy/tree.ts';

const NAMED = /`((?:src|test)\/[\w./-]+\.test\.ts)`: ((?:"(?:\\"|[^"])+"(?:, )?)+)/g;

it.each(['docs/faults.md', 'docs/invariants.md', 'docs/acceptance.md'])('%s names tests that exist', (path) => {
  const doc = readFileSync(join(root, path), 'utf8');
  const named = [...doc.matchAll(NAMED)].flatMap((match) =>
    [...(match[2] ?? '').matchAll(/"((?:\\"|[^"])+)"/g)].map((quoted) => ({
      file: match[1] ?? '',
      name: (quoted[1] ?? '').replaceAll('\\"', '"'),
    })),
  );
  const missing = named.filter(
    ({ file, name }) => !existsSync(join(root, file)) || !readFileSync(join(root, file), 'utf8').includes(name),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});

/** Cases of the catalogue of incidents, and the rules that hold in all of them. */
const CASES = [1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21, 23, 24, 25, 27, 28, 29, 30]
  .concat([32, 33, 35, 36, 37, 40, 42, 43, 45, 46, 47])
  .map((number) => `T${String(number).padStart(2, '0')}`);
const FAULT_RULES = Array.from({ length: 13 }, (_, index) => `R${String(index + 1)}`);

it('docs/faults.md tells of each case and rule, and a test has its code in its name unless it is not built', () => {
  const [built = '', missing = ''] = readFileSync(join(root, 'docs/faults.md'), 'utf8').split('## Not covered yet');
  const has = (text: string, code: string): boolean => new RegExp(`\\b${code}\\b`).test(text);
  const later = new Set([...CASES, ...FAULT_RULES].filter((code) => has(missing, code)));
  const tests = globSync('{src,test,sim}/**/*.test.ts', { cwd: root }).map((file) =>
    readFileSync(join(root, file), 'utf8'),
  );
  const titled = new Set(
    tests
      .flatMap((text) => [...text.matchAll(/\(((?:[TR]\d{1,2}(?:, )?)+)\)['"]/g)])
      .flatMap((match) => match[1]?.split(', ') ?? []),
  );
  const due = [...CASES, ...FAULT_RULES].filter((code) => !later.has(code));
  expect(due.filter((code) => !has(built, code))).toEqual([]);
  expect(due.filter((code) => !titled.has(code))).toEqual([]);
  expect([...later].filter((code) => titled.has(code))).toEqual([]);
});
