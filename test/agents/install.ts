import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `clis`: what CI runs as well. `clis-more`: for the whole matrix only. */
export type Fixture = 'clis' | 'clis-more';
const FILES = ['package.json', 'package-lock.json', '.npmrc'];
/** A gigabyte over a slow line. */
const INSTALL_TIMEOUT_MS = 15 * 60_000;

export interface Installed {
  /** Folder of `node_modules`. */
  readonly folder: string;
  /** Milliseconds of the installation; 0: it was there. */
  readonly tookMs: number;
}

/**
 * The pinned agent programs, installed once per lock file and machine, outside the repository. No install script runs.
 * Errors: with npm's own words when the registry can't be reached.
 */
export function installClis(name: Fixture): Installed {
  const fixture = join(import.meta.dirname, name);
  const lock = createHash('sha256');
  for (const file of FILES) lock.update(readFileSync(join(fixture, file)));
  const base =
    process.env['GT_AGENTS_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gt-agents');
  const folder = join(base, lock.digest('hex').slice(0, 16));
  const modules = join(folder, 'node_modules');
  if (existsSync(modules)) return { folder: modules, tookMs: 0 };
  const began = performance.now();
  const making = `${folder}.${String(process.pid)}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  for (const file of FILES) copyFileSync(join(fixture, file), join(making, file));
  // `ci` refuses a lock file without the optional packages of other machines that a registry lacks; some programs have such.
  const verb = name === 'clis' ? 'ci' : 'install';
  const npm = spawnSync('npm', [verb, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: making,
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (npm.status !== 0) {
    rmSync(making, { recursive: true, force: true });
    throw new Error(`npm install failed: ${npm.stderr.slice(-600)}${npm.error?.message ?? ''}`);
  }
  // Whole or not at all: another run may look at any moment.
  if (existsSync(folder)) rmSync(making, { recursive: true, force: true });
  else renameSync(making, folder);
  return { folder: modules, tookMs: Math.round(performance.now() - began) };
}
