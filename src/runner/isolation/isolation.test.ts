import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Sandbox } from '../../core/model/isolation.ts';
import { git as runGit } from '../git/git.ts';
import { userMounts } from './box.ts';
import { resetOwnGit } from './own-git.ts';
import { privateEntries } from './private-files.ts';
import { removeContainer, requireProgram } from './container.ts';

const BOX: Sandbox = { kind: 'container', network: 'off', command: null, image: 'i', read: [], write: [] };

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gt-isolation-')));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('removing a container', () => {
  /** Writes down how it is called. */
  const program = (name: string, rest = ''): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho ${name} "$@" >> ${folder}/log\n${rest}\n`, { mode: 0o755 });
    return path;
  };
  const log = (): string => readFileSync(join(folder, 'log'), 'utf8');

  it('asks the engine that made it: all words before "run"', async () => {
    const command = `${program('sudo', 'exec "$@"')} ${program('docker')} --context "a b" run --rm -v /x`;
    await removeContainer({ ...BOX, command }, 'a1');
    const docker = '--context a b rm --force gt-a1';
    expect(log()).toBe(`sudo ${folder}/docker ${docker}\ndocker ${docker}\n`);
  });

  it('takes for gone what the engine does not know, and nothing else', async () => {
    const gone = program('gone', 'echo "Error: No such container: gt-a1" >&2; exit 1');
    await removeContainer({ ...BOX, command: `${gone} run` }, 'a1');
    await removeContainer({ ...BOX, command: 'no-such-engine run' }, 'a1');
    const dead = program('dead', 'echo "Cannot connect to the daemon" >&2; exit 1');
    await expect(removeContainer({ ...BOX, command: `${dead} run` }, 'a1')).rejects.toMatchObject({
      code: 'container_left',
    });
  });

  it('is sure to be possible before one is made', async () => {
    await expect(requireProgram({ ...BOX, command: program('mine') })).rejects.toMatchObject({
      code: 'isolation_unavailable',
    });
    await requireProgram({ ...BOX, command: `${program('mine')} run` });
    await requireProgram({ ...BOX, kind: 'wrapper', command: program('mine') });
  });
});

describe('what the settings show', () => {
  const shown = (kind: Sandbox['kind'], path: string): readonly string[] =>
    userMounts({ ...BOX, kind, read: [path] }, { townRoot: join(folder, 'srv', 'town') }).map((mount) => mount.at);
  beforeEach(() => {
    mkdirSync(join(folder, 'srv', 'town', 'secrets'), { recursive: true });
    mkdirSync(join(folder, 'tools'));
  });

  it('is there, outside of the town, and not around it where nothing can be hidden', () => {
    expect(shown('container', join(folder, 'tools'))).toEqual([join(folder, 'tools')]);
    expect(shown('bubblewrap', join(folder, 'srv'))).toEqual([join(folder, 'srv')]);
    expect(() => shown('container', join(folder, 'srv'))).toThrow(/isolation_path: .*would be seen/);
    expect(() => shown('container', '/')).toThrow(/would be seen/);
    for (const kind of ['container', 'bubblewrap'] as const) {
      expect(() => shown(kind, join(folder, 'missing'))).toThrow(/isolation_path: .*does not exist/);
      expect(() => shown(kind, join(folder, 'srv', 'town', 'secrets'))).toThrow(/lies in the town/);
    }
  });

  it('is no link by which the town is seen at another place', () => {
    symlinkSync(join(folder, 'srv', 'town', 'secrets'), join(folder, 'in'));
    symlinkSync(join(folder, 'srv'), join(folder, 'around'));
    symlinkSync(join(folder, 'tools'), join(folder, 'fine'));
    expect(() => shown('bubblewrap', join(folder, 'in'))).toThrow(/lies in the town/);
    expect(() => shown('bubblewrap', join(folder, 'around'))).toThrow(/would be seen/);
    expect(shown('bubblewrap', join(folder, 'fine'))).toEqual([join(folder, 'fine')]);
  });
});

describe('what only root may read', () => {
  it('is found at any depth, named once, and not by a link to it', () => {
    for (const path of ['ssh', 'ssl/private/deep', 'closed', 'open/in'])
      mkdirSync(join(folder, path), { recursive: true });
    const file = (path: string, mode: number): void => {
      writeFileSync(join(folder, path), 'x');
      chmodSync(join(folder, path), mode);
    };
    file('shadow', 0o640);
    file('passwd', 0o644);
    file('ssh/host_key', 0o600);
    file('ssh/host_key.pub', 0o644);
    file('ssl/private/deep/key', 0o644);
    file('open/in/conf', 0o644);
    chmodSync(join(folder, 'ssl/private'), 0o710);
    chmodSync(join(folder, 'closed'), 0o744);
    symlinkSync(join(folder, 'shadow'), join(folder, 'link'));
    const found = privateEntries(folder).toSorted();
    expect(found).toEqual(['closed', 'shadow', 'ssh/host_key', 'ssl/private'].map((path) => join(folder, path)));
  });
});

describe('a git directory of an agent that is read outside', () => {
  const git = (dir: string): string => {
    execFileSync('git', ['init', '-q', '--bare', dir]);
    return dir;
  };

  it('has our settings and our way to older objects again, and nothing is written through a link', async () => {
    const dir = git(join(folder, 'work.git'));
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'mine');
    rmSync(join(dir, 'config'));
    symlinkSync(victim, join(dir, 'config'));
    writeFileSync(join(dir, 'commondir'), '/elsewhere\n');
    writeFileSync(join(dir, 'objects', 'info', 'alternates'), '/elsewhere/objects\n');
    await resetOwnGit({ dir, objects: '/rig/objects' });
    expect(readFileSync(victim, 'utf8')).toBe('mine');
    expect(readFileSync(join(dir, 'config'), 'utf8')).toMatch(/^\[core\]\n\trepositoryformatversion = 0/);
    expect(readFileSync(join(dir, 'objects', 'info', 'alternates'), 'utf8')).toBe('/rig/objects\n');
    expect(existsSync(join(dir, 'commondir'))).toBe(false);
    rmSync(join(dir, 'objects'), { recursive: true });
    symlinkSync(folder, join(dir, 'objects'));
    await expect(resetOwnGit({ dir, objects: '/rig/objects' })).rejects.toThrow(/objects .* is no folder/);
  });

  it('gets no missing object from where it says', async () => {
    const dir = git(join(folder, 'work.git'));
    const set = (name: string, value: string): Buffer => execFileSync('git', ['-C', dir, 'config', name, value]);
    set('core.repositoryformatversion', '1');
    set('extensions.partialClone', 'evil');
    set('remote.evil.promisor', 'true');
    set('remote.evil.url', folder);
    set('remote.evil.uploadpack', `touch ${folder}/ran; false`);
    const place = { town: 't', runner: 'r', gitDir: dir };
    await expect(runGit(place, ['cat-file', '-p', 'b'.repeat(40)])).rejects.toThrow();
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });
});
