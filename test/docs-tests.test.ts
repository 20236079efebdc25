/** A document that says "this test shows it" must name a test that exists. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './tidy/tree.ts';

const NAMED = /`((?:src|test)\/[\w./-]+\.test\.ts)`: ((?:"(?:\\"|[^"])+"(?:, )?)+)/g;

it.each(['docs/faults.md', 'docs/invariants.md'])('%s names tests that exist', (path) => {
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
