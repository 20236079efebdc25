import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TownError } from '../../core/errors.ts';
import { parseRigName } from '../../core/model/ids.ts';
import { checkedAddress, withRepository } from './rig-add.ts';
import { townPaths } from './town-files.ts';

const root = mkdtempSync(join(tmpdir(), 'rig-add-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const refusal = async (url: string): Promise<TownError | null> => {
  try {
    await checkedAddress({ name: 'app', url, targetBranch: 'main' }, townPaths(root));
    return null;
  } catch (error) {
    return error instanceof TownError ? error : null;
  }
};

describe('an address with a password', () => {
  it('is refused without being asked or shown, as it is and as the origin of a clone', async () => {
    const url = 'http://user:s3cr3tpw@127.0.0.1:9/sub.git';
    const clone = join(root, 'clone');
    execFileSync('git', ['init', '-q', clone]);
    execFileSync('git', ['-C', clone, 'remote', 'add', 'origin', url]);
    for (const given of [url, clone]) {
      const said = await refusal(given);
      expect(said).toMatchObject({ kind: 'usage', code: 'password_in_url' });
      expect(said?.message).toContain('http://127.0.0.1:9/sub.git');
      expect(JSON.stringify(said?.body())).not.toContain('s3cr3tpw');
    }
  });

  it('is told from one without, which is asked', async () => {
    expect(await refusal('http://user@127.0.0.1:9/sub.git')).toMatchObject({ code: 'repository_unreachable' });
  });
});

it('a copy that was cut is not taken for the origin of a rig', async () => {
  const clone = join(root, 'own');
  const git = (...args: readonly string[]): void => {
    execFileSync('git', ['-C', clone, '-c', 'user.name=n', '-c', 'user.email=e@example.com', ...args]);
  };
  execFileSync('git', ['init', '-q', '-b', 'main', clone]);
  git('commit', '-q', '--allow-empty', '-m', 'x');
  const paths = townPaths(root);
  const half = join(paths.dataDir, 'origins', 'lib.git.half');
  mkdirSync(half, { recursive: true });
  writeFileSync(join(half, 'HEAD'), 'cut');
  const name = parseRigName('lib');
  const draft = { name, prefix: 'lib', polecatsMax: null, runtime: null, model: null, command: null, gates: [] };
  const made = await withRepository(draft, { name, url: clone, create_bare: true }, paths);
  expect(made).toMatchObject({ url: join(paths.dataDir, 'origins', 'lib.git'), targetBranch: 'main' });
  expect(existsSync(half)).toBe(false);
});
