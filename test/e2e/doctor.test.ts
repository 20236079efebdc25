/** `gt doctor` on a town that somebody or something damaged: it says what, why and what next, and harms nothing. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

interface Item {
  readonly name: string;
  readonly status: 'ok' | 'problem' | 'note';
  readonly what: string;
  readonly why: string | null;
  readonly fix: string | null;
}
interface Report {
  readonly ok: boolean;
  readonly problems: number;
  readonly mended: readonly string[];
  readonly items: readonly Item[];
}

const DESTRUCTIVE = /\brm -|reset --hard|clean -[fd]|push (-f|--force)|checkout \.|branch -D|kill -9|drop table/i;

describe('gt doctor', () => {
  const place = new Place();
  const town = place.path('town');
  const data = (...parts: readonly string[]): string => place.path('town', '.gastown', ...parts);
  const gt = (args: readonly string[]) => place.gt(args, { cwd: town });
  const git = (...args: readonly string[]): string =>
    execFileSync('git', [`--git-dir=${data('repos', 'app.git')}`, ...args], {
      env: place.env(),
      encoding: 'utf8',
    }).trim();

  async function report(...args: readonly string[]): Promise<Report> {
    const answer = await gt(['doctor', '--json', ...args]);
    const read = JSON.parse(answer.out) as Report;
    expect(answer.code).toBe(read.ok ? 0 : 8);
    for (const item of read.items) {
      expect(item.fix ?? '').not.toMatch(DESTRUCTIVE);
      // Whatever is not as it should be says why that matters and what to do.
      if (item.status !== 'ok') expect([item.what, item.why, item.fix]).not.toContain(null);
    }
    return read;
  }
  const problems = async (): Promise<readonly (readonly [string, string])[]> =>
    (await report()).items.filter((item) => item.status === 'problem').map((item) => [item.name, item.what]);

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    await gt(['rig', 'add', 'app', place.origin('app')]);
    expect((await gt(['up'])).code).toBe(0);
    const body = place.file('body.md', '```gt-script\necho two >> a.txt\n```\n');
    const bead = await place.json<{ id: string }>(
      ['bead', 'create', 'A line', '--rig', 'app', '--body-file', body, '--sling'],
      { cwd: town },
    );
    await until(
      async () =>
        (await place.json<{ status: string }>(['bead', 'show', bead.id], { cwd: town })).status === 'closed'
          ? true
          : null,
      'the merge',
    );
    // Its process may outlive the merge by a moment, and what it left is known from its end on.
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(data('rigs', 'app.db'), { readOnly: true });
    const open = db.prepare('SELECT 1 FROM attempts WHERE exit_record IS NULL');
    await until(() => Promise.resolve(open.get() === undefined ? true : null), 'the end of its agent');
    db.close();
    expect((await gt(['down'])).code).toBe(0);
  }, 120_000);

  afterAll(async () => {
    await gt(['down']);
    place.remove();
  });

  it('is content with a sound town, also while it is down', async () => {
    expect(await problems()).toEqual([]);
    const names = (await report()).items.map((item) => item.name);
    for (const name of [
      'node',
      'git',
      'secrets',
      'files',
      'databases',
      'disk',
      'invariants',
      'clone of app',
      'worktrees',
    ])
      expect(names).toContain(name);
  });

  it('tells of permissions, changes nothing, and sets them right with --fix (T47)', async () => {
    chmodSync(data(), 0o755);
    chmodSync(data('secrets.json'), 0o644);
    expect((await problems()).map(([name]) => name)).toEqual(['secrets', 'files']);
    expect(statSync(data()).mode & 0o777).toBe(0o755);
    const fixed = await report('--fix');
    expect(fixed).toMatchObject({ ok: true });
    expect(fixed.mended).toHaveLength(2);
    expect([statSync(data()).mode & 0o777, statSync(data('secrets.json')).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it('tells of a damaged database, keeps it, and still looks at everything else', async () => {
    const path = data('rigs', 'app.db');
    const sound = readFileSync(path);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(8_192, 0xff), 0, 8_192, 4_096);
    closeSync(file);
    const damaged = readFileSync(path);
    const found = await report();
    expect(found.items.find((item) => item.name === 'databases')).toMatchObject({
      status: 'problem',
      fix: expect.stringContaining('gt restore'),
    });
    expect(found.items.map((item) => item.name)).toContain('rig app');
    await report('--fix');
    expect(readFileSync(path).equals(damaged)).toBe(true);
    writeFileSync(path, sound);
    expect(await problems()).toEqual([]);
  });

  it('tells of a file that is no database, and of one of a newer gt', async () => {
    const path = data('mayor.db');
    const sound = existsSync(path) ? readFileSync(path) : null;
    writeFileSync(path, 'not a database, but long enough to be read as one'.repeat(100));
    expect((await problems()).map(([name]) => name)).toContain('databases');
    if (sound !== null) writeFileSync(path, sound);

    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(data('rigs', 'app.db'));
    db.exec(`INSERT INTO migrations VALUES (9999, 'future', 'x', 0)`);
    db.close();
    expect((await problems()).filter(([name]) => name === 'databases').map(([, what]) => what)).toEqual([
      expect.stringContaining('newer gt (step 9999'),
    ]);
    const again = new DatabaseSync(data('rigs', 'app.db'));
    again.exec('DELETE FROM migrations WHERE id = 9999');
    again.close();
  });

  it('tells of settings that cannot be read, and still looks at everything else', async () => {
    const path = place.path('town', 'gastown.toml');
    const sound = readFileSync(path);
    writeFileSync(path, '[rigs.app\n');
    const found = await report();
    expect(found.items.filter(({ status }) => status === 'problem').map(({ name }) => name)).toContain('configuration');
    for (const name of ['node', 'secrets', 'databases', 'disk'])
      expect(found.items.map((item) => item.name)).toContain(name);
    writeFileSync(path, sound);
    expect(await problems()).toEqual([]);
  });

  it('tells of a worktree that is gone: made again when nobody worked in it', async () => {
    renameSync(data('worktrees', 'app', 'w1'), place.path('w1'));
    const found = await report();
    expect(found.items.find((item) => item.name === 'worktrees')).toMatchObject({ status: 'note' });
    renameSync(place.path('w1'), data('worktrees', 'app', 'w1'));
  });

  it('looks for kept work at its runner and at the origin before it calls it gone', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(data('rigs', 'app.db'));
    const row = db.prepare('SELECT id, exit_record AS kept FROM attempts ORDER BY epoch DESC LIMIT 1').get();
    const id = String(row?.['id']);
    const { rescueRef: ref } = JSON.parse(String(row?.['kept'])) as { rescueRef: string };
    const atRunner = (runner: string) => db.prepare('UPDATE attempts SET runner = ? WHERE id = ?').run(runner, id);
    const sha = git('rev-parse', ref);
    const clone = async () => (await report()).items.filter(({ name }) => name === 'clone of app');

    // As the town knows it when another machine had the attempt.
    git('push', '--quiet', place.path('app.git'), `${sha}:${ref}`);
    git('update-ref', '-d', ref);
    atRunner('box2');
    expect(await clone()).toMatchObject([{ status: 'ok' }]);
    const listed = await gt(['rescue', 'list', '--json']);
    expect(JSON.parse(listed.out)).toMatchObject({ items: [{ attempt: id, ref, runner: 'box2', at_origin: true }] });
    const shown = await gt(['rescue', 'show', id]);
    expect([shown.code, shown.err]).toEqual([3, expect.stringContaining(`gt rescue restore ${id}`)]);
    const cwd = place.path('app-work');
    expect((await place.gt(['rescue', 'restore', id, '--town', town], { cwd })).code).toBe(0);
    expect(execFileSync('git', ['rev-parse', `rescue/${id}`], { cwd, encoding: 'utf8' }).trim()).toBe(sha);

    git('push', '--quiet', place.path('app.git'), `:${ref}`);
    expect(await clone()).toMatchObject([
      { status: 'ok' },
      { status: 'note', what: expect.stringContaining('lies at the runner box2') },
    ]);
    atRunner('local');
    expect(await problems()).toEqual([['clone of app', expect.stringContaining('is gone')]]);
    git('update-ref', ref, sha);
    db.close();
    expect(await problems()).toEqual([]);
  });

  it('tells of a merge that is no longer on its target, and of a clone that is gone', async () => {
    const head = git('rev-parse', 'refs/remotes/origin/main');
    git('update-ref', 'refs/remotes/origin/main', git('rev-list', '--max-parents=0', head).split('\n')[0]!);
    expect(await problems()).toEqual([['clone of app', expect.stringContaining('closed as merged, but')]]);
    git('update-ref', 'refs/remotes/origin/main', head);
    expect(await problems()).toEqual([]);
    renameSync(data('repos', 'app.git'), place.path('app-clone.git'));
    expect((await problems()).map(([, what]) => what)).toEqual([expect.stringContaining('is missing')]);
    renameSync(place.path('app-clone.git'), data('repos', 'app.git'));
  });
});
