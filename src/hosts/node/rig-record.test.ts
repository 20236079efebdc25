import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RigConfig } from '../../core/commands.ts';
import { recordRig } from './rig-record.ts';
import { townPaths } from './town-files.ts';

const FILE = '[town]\nname = "shop"\n';
let root: string;
let registered: RigConfig[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gt-rig-record-'));
  registered = [];
  writeFileSync(join(root, 'gastown.toml'), FILE);
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', root, ...args], { stdio: 'ignore' });
  git('init', '-q', '-b', 'main', 'app');
  git('-C', 'app', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});
const file = (): string => readFileSync(join(root, 'gastown.toml'), 'utf8');
const record = (over: { readonly runtime?: string; readonly command?: string }) =>
  recordRig({ name: 'app', url: join(root, 'app'), create_bare: true, ...over }, townPaths(root), async (config) => {
    registered.push(config);
  });

it.each([
  [{ runtime: 'gpt' }, 'unknown_runtime', FILE],
  [{ runtime: 'command' }, 'no_command', FILE],
  [{}, 'unknown_runtime', `${FILE}\n[defaults]\nruntime = "gpt"\n`],
])('a rig with %j is refused (%s), before anything is made of it', async (given, code, before) => {
  writeFileSync(join(root, 'gastown.toml'), before);
  await expect(record(given)).rejects.toMatchObject({ code });
  expect(file()).toBe(before);
  expect(registered).toEqual([]);
  expect(existsSync(join(townPaths(root).dataDir, 'origins'))).toBe(false);
});

it('a rig with a command is registered and written', async () => {
  await record({ runtime: 'command', command: 'agent --yes' });
  expect(registered).toMatchObject([{ name: 'app', runtime: 'command', command: 'agent --yes', targetBranch: 'main' }]);
  expect(file()).toContain('[rigs.app]');
});
