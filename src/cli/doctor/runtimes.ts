import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { RigConfig } from '../../core/commands.ts';
import { TownError } from '../../core/errors.ts';
import { presetsOf, type RuntimePreset } from '../../core/runtime-presets.ts';
import { loadConfig } from '../../hosts/node/town-config.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { findProgram } from '../rehearse/find-program.ts';
import { checkRuntime } from '../../core/runtimes.ts';
import { type Check, note, ok, problem } from './check.ts';

/** Some of these programs take seconds to say their version. */
const VERSION_TIMEOUT_MS = 15_000;

/**
 * Which programs of AI agents are here and logged in. None of them is needed, so that nothing of this is a problem, unless
 * a rig would use it. No program is asked for its login: that would start it, and some call home.
 */
export async function runtimeChecks(town: Pick<Town, 'paths'>): Promise<readonly Check[]> {
  const rigs = rigsOf(town);
  if (rigs === null) return [];
  return [...rigs.flatMap(rigCheck), ...(await programChecks(rigs))];
}

/** A file that somebody edited is read with a runtime that nobody knows; each bead of the rig would then be refused. */
function rigCheck(rig: RigConfig): readonly Check[] {
  try {
    checkRuntime(null, rig);
    return [];
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    const fix =
      error.code === 'no_command'
        ? `gt rig config ${rig.name} --command "<line>"`
        : `gt rig config ${rig.name} --runtime <name>`;
    const why = 'no work of this rig can be started without --runtime';
    return [problem(`rig ${rig.name}`, { what: error.message, why, fix })];
  }
}

async function programChecks(rigs: readonly RigConfig[]): Promise<readonly Check[]> {
  const presets = presetsOf(rigs[0]?.runtimes);
  const used = new Set(rigs.map((rig) => rig.runtime));
  const found = Object.entries(presets).map(([name, preset]) => ({ name, preset, path: findProgram(preset.program) }));
  const missing = found.filter(({ name, path }) => path === null && !used.has(name)).map(({ name }) => name);
  const checks = await Promise.all(
    found.filter(({ name, path }) => path !== null || used.has(name)).map((one) => checkOf(one)),
  );
  if (checks.length > 0 || missing.length === 0) return checks;
  return [
    note('runtimes', {
      what: `none of ${missing.join(', ')} is installed`,
      why: 'recipes (script) and any program (command) work without',
      fix: presets['claude']?.install ?? '',
    }),
  ];
}

/** Null: the configuration is wrong; its own check says so. */
function rigsOf(town: Pick<Town, 'paths'>) {
  try {
    return loadConfig(town.paths, process.env).rigs;
  } catch (error) {
    if (error instanceof TownError) return null;
    throw error;
  }
}

async function checkOf(one: {
  readonly name: string;
  readonly preset: RuntimePreset;
  readonly path: string | null;
}): Promise<Check> {
  const { name, preset, path } = one;
  if (path === null)
    return {
      name,
      status: 'problem',
      what: `${preset.program} is not in PATH`,
      why: 'a rig uses this runtime',
      fix: preset.install,
    };
  const version = await versionOf(path);
  if (isLoggedIn(preset)) return ok(name, `${version}, a login is there`);
  return note(name, {
    what: `${version}, no login found`,
    why: 'without one its attempts end at once; a rehearsal needs none: gt rehearse',
    fix: preset.login.how,
  });
}

function isLoggedIn({ login }: RuntimePreset): boolean {
  const hasFile = login.files.some((file) => existsSync(join(homedir(), file)));
  return hasFile || login.env.some((name) => (process.env[name] ?? '') !== '');
}

function versionOf(path: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: VERSION_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, stdout) => {
      const line = stdout.split('\n').find((each) => /\d+\.\d+/.test(each));
      resolve(error === null && line !== undefined ? line.trim().slice(0, 60) : 'its version is unknown');
    });
  });
}
