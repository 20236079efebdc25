import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseRigName } from '../../core/model/ids.ts';
import { migrate } from '../../store/migrate.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import { backupTown, restoreTown } from './backup.ts';
import { readRestored } from './restored.ts';
import { SqliteSql } from './sql-sqlite.ts';
import { createTown } from './town-create.ts';
import type { Town } from './town-files.ts';

const NOW = 1_700_000_000_000;
const RESCUE = 'refs/gt/rescue/x-1/at-1';
const place = mkdtempSync(join(tmpdir(), 'backup-'));
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
});

/** A folder as a town leaves it: a database and a clone with rescued work for each rig. */
function townWith(root: string, rigs: readonly string[]): Town {
  const { town } = createTown({ root, name: 'shop', ownerEmail: 'a@example.com', nowMs: NOW });
  const make = (path: string, steps: typeof RIG_MIGRATIONS): void => {
    const sql = SqliteSql.open(path, { readOnly: false });
    migrate(sql, steps, NOW);
    sql.close();
  };
  make(town.paths.townDb, TOWN_MIGRATIONS);
  for (const rig of rigs) {
    make(join(town.paths.rigsDir, `${rig}.db`), RIG_MIGRATIONS);
    cloneWithWork(repoOf(town, rig), `work of ${rig}`);
  }
  return town;
}

const repoOf = (town: Town, rig: string): string => join(town.paths.dataDir, 'repos', `${rig}.git`);

const git = (repo: string, args: readonly string[], input = ''): string =>
  execFileSync('git', [`--git-dir=${repo}`, '-c', 'user.name=n', '-c', 'user.email=e@example.com', ...args], {
    input,
    encoding: 'utf8',
  }).trim();

function cloneWithWork(repo: string, words: string): void {
  git(repo, ['init', '-q', '--bare', repo]);
  const commit = git(repo, ['commit-tree', git(repo, ['mktree']), '-m', words]);
  git(repo, ['update-ref', RESCUE, commit]);
}

const rescuedIn = (town: Town, rig: string): string => git(repoOf(town, rig), ['log', '-1', '--format=%s', RESCUE]);

describe('a backup', () => {
  const folders = { town: '', backup: '', again: '' };
  let round = 0;
  beforeEach(() => {
    round += 1;
    const here = join(place, String(round));
    mkdirSync(here);
    Object.assign(folders, { town: join(here, 'town'), backup: join(here, 'backup'), again: join(here, 'again') });
  });
  const back = (town: Town) => backupTown(town, folders.backup, { nowMs: NOW, work: true });

  it('of a town has the work of each rig whose name a town takes, and is restored with it', async () => {
    const rigs = ['a', `a${'_9-'.repeat(10)}z`, 'my-app', 'my_app'];
    for (const rig of rigs) expect(parseRigName(rig)).toBe(rig);
    const { files, leftOut } = await back(townWith(folders.town, rigs));
    const names = rigs.map((rig) => [`rigs/${rig}.db`, `work/${rig}.bundle`]);
    expect(files.map((file) => file.name).toSorted()).toEqual(['gastown.toml', 'town.db', ...names.flat()].toSorted());
    expect(leftOut).toEqual([]);
    const { town } = await restoreTown(folders.backup, folders.again, NOW);
    for (const rig of rigs) {
      expect(existsSync(join(town.paths.rigsDir, `${rig}.db`))).toBe(true);
      expect(rescuedIn(town, rig)).toBe(`work of ${rig}`);
    }
    expect(readRestored(town.paths)?.work).toBe(true);
  });

  it('that fails leaves nothing half behind', async () => {
    const town = townWith(folders.town, ['a']);
    writeFileSync(join(town.paths.rigsDir, 'a.db'), 'no database');
    await expect(back(town)).rejects.toThrow();
    expect([existsSync(folders.backup), existsSync(`${folders.backup}.half`)]).toEqual([false, false]);
  });

  it('names what lies among the rigs and is none, and holds all else', async () => {
    const town = townWith(folders.town, ['app']);
    writeFileSync(join(town.paths.rigsDir, 'app copy.db'), 'mine');
    cloneWithWork(join(town.paths.dataDir, 'repos', 'Old.git'), 'mine');
    const { files, leftOut } = await back(town);
    expect(leftOut).toEqual(['rigs/app copy.db', 'repos/Old.git']);
    expect(files).toHaveLength(4);
    await restoreTown(folders.backup, folders.again, NOW);
  });

  it('of a program that left the clones of such rigs out is restored, and is not taken for whole', async () => {
    await back(townWith(folders.town, ['my_app', 'web']));
    const path = join(folders.backup, 'backup.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { files: { name: string }[] };
    const files = manifest.files.filter((file) => file.name !== 'work/my_app.bundle');
    writeFileSync(path, JSON.stringify({ ...manifest, format: 1, files }));
    const { town, restored } = await restoreTown(folders.backup, folders.again, NOW);
    expect(restored.work).toBe(false);
    expect(rescuedIn(town, 'web')).toBe('work of web');
  });

  it('whose manifest names what no town has is refused by that name, and nothing is written', async () => {
    await back(townWith(folders.town, ['app']));
    const path = join(folders.backup, 'backup.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { files: readonly object[] };
    for (const name of [
      '../town.db',
      'rigs/../../x.db',
      'rigs/My.db',
      'work/a/b.bundle',
      'rigs/app.db\n',
      'runner.db',
    ]) {
      writeFileSync(path, JSON.stringify({ ...manifest, files: [{ ...manifest.files[0], name }] }));
      await expect(restoreTown(folders.backup, folders.again, NOW)).rejects.toMatchObject({
        code: 'bad_backup',
        message: expect.stringContaining(JSON.stringify(name)),
      });
      expect(existsSync(folders.again)).toBe(false);
    }
  });

  it('is read back as a restore reads it, and is none when it could not be restored', async () => {
    const town = townWith(folders.town, ['app']);
    // A disk that loses what was written and checked: between the copies and the end only git runs.
    const bin = join(place, 'bin');
    mkdirSync(bin);
    const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh\ntruncate -s 8192 '${folders.backup}.half/rigs/app.db'\nexec ${real} "$@"\n`,
    );
    chmodSync(join(bin, 'git'), 0o755);
    vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
    try {
      const refused = back(town);
      await expect(refused).rejects.toMatchObject({
        code: 'backup_unsound',
        message: expect.stringContaining('rigs/app.db: '),
      });
    } finally {
      vi.unstubAllEnvs();
    }
    expect(existsSync(folders.backup)).toBe(false);
  });
});
