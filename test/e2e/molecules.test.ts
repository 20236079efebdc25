/** A formula from its file to the merged work: a real agent follows it, dies in the middle, and the next one goes on. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from './cli-support.ts';
import { GT, oneRigTown, WAIT_MS } from './one-rig-town.ts';

const { folder, town, at, gt, json } = oneRigTown();
const ledger = at('ledger');
const refused = (...args: readonly string[]): { code: number | null; error: string } => {
  const { status, stderr } = spawnSync(GT, [...args, '--json', '--town', town], { encoding: 'utf8' });
  return { code: status, error: (JSON.parse(stderr) as { error: { code: string } }).error.code };
};
const lines = (): readonly string[] => readFileSync(ledger, 'utf8').split('\n').filter(Boolean);

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly close_reason: string | null;
  readonly attempt_list: readonly { readonly outcome: string | null }[];
  readonly molecule: {
    readonly current: number | null;
    readonly steps: readonly {
      readonly status: string;
      readonly summary: string | null;
      readonly settled_by: string;
    }[];
  } | null;
}

beforeAll(() => {
  writeFileSync(ledger, '');
  mkdirSync(join(town, 'formulas'));
  writeFileSync(
    join(town, 'formulas', 'feature.toml'),
    `[[steps]]
id = "test"
title = "Write the test"
instructions = "It fails first."

[[steps]]
id = "code"
title = "Make it pass"

[[steps]]
title = "Update the docs"
needs = ["code"]

[[steps]]
title = "Tidy up"
needs = ["test"]
optional = true
`,
  );
  writeFileSync(join(folder, 'bad.toml'), '[[steps]]\ntitle = "a"\nneeds = ["b"]\n');
});

const RECIPE = (path: string): string => `\`\`\`gt-script
L=${path}
if [ "$GT_EPOCH" = 1 ]; then
  gt mol current | head -1 >> $L
  gt mol advance --step 2 --summary "too early" || echo "order $?" >> $L
  echo one > one.txt; git add .; git commit -qm one
  gt done --summary "at once" || echo "done $?" >> $L
  gt mol advance --summary "red" | head -1 >> $L
  gt mol advance --step 1 --summary "red" > /dev/null && echo "again $?" >> $L
  gt mol advance --step 1 --summary "green" || echo "other $?" >> $L
  kill -9 $PPID $$
fi
gt prime | grep -o "^Step 1 of 4, done.*" >> $L
gt mol current | head -1 >> $L
gt mol advance --summary "green" > /dev/null
gt mol advance --skip "there are none" --json >> $L
echo two > two.txt; git add .; git commit -qm two
gt done --summary "all steps"
\`\`\`
`;

describe('a formula', () => {
  it(
    'is followed step by step, over the death of an agent and of the daemon',
    async () => {
      writeFileSync(join(folder, 'body.md'), RECIPE(ledger));
      const args = ['--rig', 'app', '--body-file', join(folder, 'body.md'), '--formula', 'feature'];
      const { id } = json<{ id: string }>('sling', 'by the book', ...args);
      await until(() => (lines().includes('other 5') ? true : null), 'the first agent to come to its end', WAIT_MS);
      const { pid } = json<{ pid: number }>('daemon', 'status');
      process.kill(pid, 'SIGKILL');
      gt('up');
      await until(
        () => (json<Shown>('bead', 'show', id).attempt_list[0]?.outcome === 'agent_error' ? true : null),
        'the end of the first attempt',
        WAIT_MS,
      );
      gt('bead', 'retry', id);
      const done = await until(
        () => {
          const bead = json<Shown>('bead', 'show', id);
          return bead.status === 'closed' ? bead : null;
        },
        'the end of the bead',
        2 * WAIT_MS,
      );
      expect(lines().slice(0, 6)).toEqual([
        'Step 1 of 4: Write the test',
        'order 3',
        'done 3',
        'Step 2 of 4: Make it pass',
        'again 0',
        'other 5',
      ]);
      expect(lines().slice(6, 8)).toEqual(['Step 1 of 4, done: Write the test (red)', 'Step 2 of 4: Make it pass']);
      expect(done).toMatchObject({
        close_reason: 'merged',
        molecule: {
          current: 4,
          steps: [
            { status: 'done', summary: 'red' },
            { status: 'done', summary: 'green' },
            { status: 'skipped', summary: 'there are none' },
            { status: 'open', summary: null },
          ],
        },
      });
      const by = done.molecule?.steps.map((step) => step.settled_by) ?? [];
      expect(by[0]).not.toBe(by[1]);
      expect(by[1]).toBe(by[2]);
      expect(gt('bead', 'show', id)).toContain('feature  3 of 4 steps');
      expect(gt('mol', 'show', id)).toContain('– 3  Update the docs  skipped: there are none');
    },
    4 * WAIT_MS,
  );

  it('is refused with a reason, and nothing is made, when its file is wrong', () => {
    const count = (): number => json<{ items: unknown[] }>('bead', 'list').items.length;
    const before = count();
    const create = (formula: string) => refused('bead', 'create', 'x', '--rig', 'app', '--formula', formula);
    expect(create(join(folder, 'bad.toml'))).toEqual({ code: 2, error: 'bad_formula' });
    expect(create('nobody')).toEqual({ code: 4, error: 'formula_not_found' });
    writeFileSync(join(folder, 'typo.toml'), '[[steps]]\ntitel = "a"\ntitle = "b"\n');
    expect(create(join(folder, 'typo.toml'))).toEqual({ code: 2, error: 'unknown_field' });
    expect(count()).toBe(before);
    expect(gt('mol', 'list')).toBe('feature  Write the test · Make it pass · Update the docs · Tidy up\n');
  });

  it('is attached before the work begins, once', () => {
    const { id } = json<{ id: string }>('bead', 'create', 'later', '--rig', 'app');
    expect(refused('mol', 'show', id)).toEqual({ code: 3, error: 'no_molecule' });
    gt('mol', 'attach', id, 'feature');
    gt('mol', 'attach', id, 'feature');
    writeFileSync(join(folder, 'other.toml'), '[[steps]]\ntitle = "a"\n');
    expect(refused('mol', 'attach', id, join(folder, 'other.toml'))).toEqual({ code: 5, error: 'has_molecule' });
    expect(gt('mol', 'show', id)).toContain('▸ 1  Write the test');
  });
});
