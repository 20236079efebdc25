/** A review agent in a whole town with real git: a script that reads the diff, wants something, and is content then. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

const WAIT_MS = 100_000;
const place = new Place();
const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', place.path('town')]);

/** It says in the worktree what it sees; a branch without the word "tested" goes back. */
const REVIEWER = [
  'git diff "origin/main...HEAD" >seen.diff',
  `if grep -q tested seen.diff; then gt approve --comment "read it"; else gt request-changes --comment "say tested"; fi`,
].join('; ');

interface Bead {
  readonly id: string;
  readonly kind: string;
  readonly close_reason: string | null;
  readonly rework_beads: readonly string[];
  readonly attempt_list: readonly { readonly outcome: string | null; readonly runtime: string }[];
}

beforeAll(async () => {
  const origin = place.origin('app');
  await place.gt(['init', 'town']);
  await json('rig', 'add', 'app', origin, '--gate', 'check=true', '--polecats-max', '3', '--command', REVIEWER);
  await json('config', 'set', 'rigs.app.review_agent', 'command');
  await json('up');
}, WAIT_MS);

afterAll(async () => {
  await place.gt(['down', '--town', place.path('town')]);
  place.remove();
}, WAIT_MS);

describe('a review agent', () => {
  it(
    'sends work back with its words, and lets the next head merge',
    async () => {
      const recipe = 'if [ "$GT_ROUND" = 0 ]; then echo one >b.txt; else echo tested >>b.txt; fi';
      const body = `\`\`\`gt-script\n${recipe}\n\`\`\`\n`;
      const { id } = await json<{ id: string }>('sling', 'Add a', '--rig', 'app', '--body', body);
      const show = (bead: string): Promise<Bead> => json<Bead>('bead', 'show', bead);
      await until(async () => ((await show(id)).close_reason === 'merged' ? true : null), 'merged', WAIT_MS);
      const kinds = await Promise.all((await show(id)).rework_beads.map(show));
      expect(kinds.map(({ kind, close_reason: reason }) => [kind, reason])).toEqual([
        ['review', 'no_change'],
        ['rework', 'integrated'],
        ['review', 'no_change'],
      ]);
      expect(kinds[2]?.attempt_list).toMatchObject([{ outcome: 'no_change' }]);
      const merged = execFileSync('git', ['--git-dir', place.path('app.git'), 'show', 'main:b.txt'], {
        encoding: 'utf8',
      });
      expect(merged).toContain('tested');
      // What it left in its worktree is on no branch.
      expect(() =>
        execFileSync('git', ['--git-dir', place.path('app.git'), 'cat-file', '-e', 'main:seen.diff'], {
          stdio: 'pipe',
        }),
      ).toThrow();
    },
    WAIT_MS,
  );
});
