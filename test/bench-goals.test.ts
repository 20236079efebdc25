/** Each goal is measured, or it is said why not; and the document of figures names them all. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GOALS } from '../bench/goals.ts';

const root = join(import.meta.dirname, '..');
const GOALS_COUNT = 14;

describe('the goals', () => {
  it('are complete, and each has a bench, another command or a reason', () => {
    const ids = GOALS.map((goal) => goal.id).filter((id) => id !== '-');
    expect(ids).toEqual(Array.from({ length: GOALS_COUNT }, (_, index) => `G${String(index + 1)}`));
    for (const { id, bench, otherwise } of GOALS) {
      expect([id, (bench === undefined) !== (otherwise === undefined)]).toEqual([id, true]);
      if (bench !== undefined) expect([bench, existsSync(join(root, 'bench', `${bench}.ts`))]).toEqual([bench, true]);
    }
  });

  it('stand in the document with their figures', () => {
    const text = readFileSync(join(root, 'docs', 'performance.md'), 'utf8');
    for (const { id, bench } of GOALS) expect(text).toContain(id === '-' ? `\`${String(bench)}\`` : `| ${id} |`);
  });
});
