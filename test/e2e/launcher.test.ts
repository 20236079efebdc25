import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A clone with nothing in it but the launcher and a main.ts that prints what it was started with. */
let clone = '';
/** Holds the tools the launcher needs and, when a test plants one, a `node`. */
let bin = '';

beforeEach(() => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gt-launcher-')));
  clone = join(folder, "my clone's");
  bin = join(folder, 'bin');
  mkdirSync(join(clone, 'src/cli'), { recursive: true });
  mkdirSync(bin);
  copyFileSync(join(import.meta.dirname, '../../gt'), join(clone, 'gt'));
  writeFileSync(
    join(clone, 'src/cli/main.ts'),
    'const out: unknown = { args: process.argv.slice(2), cache: process.env["NODE_COMPILE_CACHE"], pid: process.pid };\n' +
      'console.log(JSON.stringify(out));\n',
  );
  for (const tool of ['sh', 'readlink', 'dirname']) symlinkSync(whereIs(tool), join(bin, tool));
});

afterEach(() => rmSync(join(clone, '..'), { recursive: true, force: true }));

function whereIs(tool: string): string {
  return execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
}

function script(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

function installed(): void {
  mkdirSync(join(clone, 'node_modules/hono'), { recursive: true });
}

function bundled(): void {
  installed();
  mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true });
  symlinkSync(process.execPath, join(clone, 'node_modules/.bin/node'));
}

function gt(command: string, ...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(command, args, { encoding: 'utf8', env: { PATH: bin, HOME: '/home/someone' } });
}

describe('./gt', () => {
  it('runs main.ts with the bundled Node, through a chain of links, and passes arguments on untouched', () => {
    bundled();
    symlinkSync(join(clone, 'gt'), join(bin, 'gt-real'));
    symlinkSync('gt-real', join(bin, 'gt'));
    const run = gt(join(bin, 'gt'), 'a b', '', '--flag=$HOME');
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout)).toMatchObject({
      args: ['a b', '', '--flag=$HOME'],
      cache: '/home/someone/.cache/gt/compile',
    });
  });

  it('becomes the Node process, so that a signal to gt reaches it', () => {
    bundled();
    const run = spawnSync(join(clone, 'gt'), [], { encoding: 'utf8', env: { PATH: bin } });
    expect(JSON.parse(run.stdout)).toMatchObject({ pid: run.pid });
  });

  it('uses a system Node that is new enough, with the flag that an older one needs', () => {
    installed();
    script(join(bin, 'node'), 'case $1 in --version) echo v22.14.0 ;; *) printf "%s|" "$@" ;; esac');
    const run = gt(join(clone, 'gt'), 'x');
    expect(run.stdout).toBe(
      `--experimental-strip-types|--disable-warning=ExperimentalWarning|${clone}/src/cli/main.ts|x|`,
    );
  });

  it.each(['v20.20.2', 'v22.13.9', 'nonsense', ''])(
    'refuses the system Node %j in one line with the command',
    (version) => {
      installed();
      script(join(bin, 'node'), `echo '${version}'`);
      const run = gt(join(clone, 'gt'));
      expect(run.status).toBe(3);
      expect(run.stdout).toBe('');
      expect(run.stderr).toMatch(/^gt: .*22\.14 or newer is needed.*npm ci\n$/);
    },
  );

  it('says what to do when there is no Node, and when nothing is installed', () => {
    expect(gt(join(clone, 'gt'))).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/^gt: no Node\.js found.*npm ci\n$/),
    });
    script(join(bin, 'node'), 'echo v24.1.0');
    expect(gt(join(clone, 'gt'))).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/^gt: the dependencies.*npm ci\n$/),
    });
  });
});
