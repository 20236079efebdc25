/** A convoy over two repositories that lands at once, with the real runner and real git. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

const WAIT_MS = 120_000;

interface Convoy {
  readonly id: string;
  readonly status: string;
  readonly feature_branch: string;
  readonly beads: readonly { readonly id: string; readonly close_reason: string | null; readonly merge_sha: string }[];
  readonly landings: readonly { readonly rig: string; readonly state: string; readonly merge_sha: string | null }[];
  readonly why: { readonly sentence: string };
}

describe('a convoy that lands at once', () => {
  const place = new Place();
  const town = place.path('town');
  const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', town]);
  const gt = (...args: readonly string[]) => place.gt([...args, '--town', town]);
  const git = (rig: string, ...args: readonly string[]): string =>
    execFileSync('git', ['--git-dir', place.path(`${rig}.git`), ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const files = (rig: string, branch: string): string[] => git(rig, 'ls-tree', '--name-only', branch).split('\n');
  const go = place.path('go');
  let id = '';

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    for (const rig of ['app', 'web']) expect((await gt('rig', 'add', rig, place.origin(rig))).code).toBe(0);
    await json('up');
  }, WAIT_MS);

  afterAll(async () => {
    await gt('down');
    place.remove();
  }, WAIT_MS);

  it(
    'keeps its work off the target, survives the loss of its branch, and lands in the order it names',
    async () => {
      const task = (name: string, rig: string, recipe: string, more = ''): string =>
        `[[tasks]]\nid = "${name}"\nrig = "${rig}"\ntitle = "Add ${name}"\n${more}body = """\n\`\`\`gt-script\n${recipe}\n\`\`\`\n"""\n`;
      const plan = [
        'merge_mode = "review-then-land"',
        'landing_order = ["web", "app"]',
        task('a', 'app', 'echo a > a-new.txt'),
        task('b', 'web', 'echo b > b.txt'),
        task(
          'c',
          'web',
          `while [ ! -e ${go} ]; do sleep 0.1; done; test -f b.txt && echo c > c.txt`,
          'depends_on = ["b"]\n',
        ),
      ].join('\n');
      const convoy = await json<Convoy>('convoy', 'create', 'Both', '--file', place.file('plan.toml', plan));
      id = convoy.id;
      const feature = convoy.feature_branch;
      expect(feature).toBe(`gt/${id}`);
      const show = (): Promise<Convoy> => json<Convoy>('convoy', 'show', id);
      await until(
        async () => ((await show()).beads.filter((bead) => bead.close_reason === 'merged').length === 2 ? true : null),
        'two merged beads',
        WAIT_MS,
      );
      expect(files('web', feature)).toContain('b.txt');
      expect(files('web', 'main')).toEqual(['a.txt']);
      expect(files('app', 'main')).toEqual(['a.txt']);

      git('web', 'update-ref', '-d', `refs/heads/${feature}`);
      place.file('go', '');
      await until(async () => ((await show()).status === 'landed' ? true : null), 'a landed convoy', WAIT_MS);
      expect(files('web', 'main')).toEqual(['a.txt', 'b.txt', 'c.txt']);
      expect(files('app', 'main')).toEqual(['a-new.txt', 'a.txt']);
      const end = await show();
      expect(end.landings).toMatchObject([
        { rig: 'web', state: 'landed' },
        { rig: 'app', state: 'landed' },
      ]);
      const at = (rig: string): number => Number(git(rig, 'show', '-s', '--format=%ct', 'main'));
      expect(at('web')).toBeLessThanOrEqual(at('app'));
      for (const { rig, merge_sha } of end.landings) expect(git(rig, 'rev-parse', 'main')).toBe(merge_sha);
      for (const bead of end.beads) {
        const rig = bead.id.startsWith('app') ? 'app' : 'web';
        expect(git(rig, 'merge-base', '--is-ancestor', bead.merge_sha, 'main')).toBe('');
      }
      const text = (await gt('convoy', 'show', id)).out;
      expect(text).toContain('LANDS IN');
      expect(text).toMatch(/web\s+✓ landed\s+1\/5/);
    },
    WAIT_MS * 3,
  );

  it(
    'is taken back through the train, once, without touching what came after it',
    async () => {
      interface Reverted extends Convoy {
        readonly reverts: readonly { readonly rig: string; readonly state: string; readonly merge_sha: string }[];
      }
      const clone = place.path('person');
      execFileSync('git', ['clone', '-q', place.path('web.git'), clone]);
      place.file('person/later.txt', 'later\n');
      for (const args of [
        ['add', '-A'],
        ['-c', 'user.name=p', '-c', 'user.email=p@x', 'commit', '-qm', 'later'],
        ['push', '-q'],
      ])
        execFileSync('git', args, { cwd: clone });
      const first = await json<Reverted>('convoy', 'revert', id);
      expect(first.reverts.map((row) => row.rig)).toEqual(['app', 'web']);
      await json<Reverted>('convoy', 'revert', id);
      const end = await until(
        async () => {
          const now = await json<Reverted>('convoy', 'show', id);
          return now.reverts.every((row) => row.state === 'reverted') ? now : null;
        },
        'a reverted convoy',
        WAIT_MS,
      );
      expect(files('web', 'main')).toEqual(['a.txt', 'later.txt']);
      expect(files('app', 'main')).toEqual(['a.txt']);
      for (const { rig, merge_sha } of end.reverts) expect(git(rig, 'rev-parse', 'main')).toBe(merge_sha);
      expect(
        git('web', 'log', '--merges', '--format=%s', 'main')
          .split('\n')
          .filter((line) => line.includes('Revert')),
      ).toHaveLength(1);
      expect((await json<Reverted>('convoy', 'revert', id)).reverts).toEqual(end.reverts);
      const shown = await gt('convoy', 'show', id);
      expect(shown.out).toMatch(/web\s+main\s+✓ reverted/);
      expect((await gt('why', id)).out).toContain('Its revert: main of app is undone; main of web is undone.');
    },
    WAIT_MS * 2,
  );
});
