import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { transitionsDoc } from '../scripts/transitions-doc.ts';

it('docs/transitions.md says what the tables say; else run: npm exec node -- scripts/transitions-doc.ts', () => {
  const written = readFileSync(join(import.meta.dirname, '../docs/transitions.md'), 'utf8');
  expect(written).toBe(transitionsDoc());
});
