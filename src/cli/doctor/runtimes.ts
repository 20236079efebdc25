import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { BeadItem } from '../../api/contract/beads.ts';
import type { RunnerItem } from '../../api/contract/runners.ts';
import type { RigConfig } from '../../core/commands.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import { TownError } from '../../core/errors.ts';
import { presetsOf, type RuntimePreset } from '../../core/runtime-presets.ts';
import { loadConfig } from '../../hosts/node/town-config.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { query, TownClient } from '../town-client.ts';
import { findProgram } from '../rehearse/find-program.ts';
import { checkRuntime } from '../../core/runtimes.ts';
import { type Check, note, ok, problem } from './check.ts';

/** Some of these programs take seconds to say their version. */
const VERSION_TIMEOUT_MS = 15_000;

/** Open beads whose runtime is looked at; whoever has more of them has rigs that say what they use. */
const BEADS_SEEN = 200;

/** What is known of a town beside its file. */
interface Needs {
  /** The runtimes that open beads name. */
  readonly asked: ReadonlySet<string>;
  /** Agents may run on other machines as well, which have programs of their own. */
  readonly hasOthers: boolean;
}

const NOTHING_KNOWN: Needs = { asked: new Set(), hasOthers: false };

/**
 * Which programs of AI agents are here and logged in. None of them is needed, so that nothing of this is a problem, unless
 * a rig or an open bead would use it. No program is asked for its login: that would start it, and some call home.
 */
export async function runtimeChecks(
  town: Pick<Town, 'paths'>,
  needs: Needs = NOTHING_KNOWN,
): Promise<readonly Check[]> {
  const rigs = rigsOf(town);
  if (rigs === null) return [];
  return [...rigs.flatMap(rigCheck), ...(await programChecks(rigs, needs))];
}

/** What the town needs. Nothing also when nobody can say it: other checks tell what is broken then. */
export async function needsOf(town: Town): Promise<Needs> {
  try {
    const client = new TownClient(town);
    const { items } = await client.get<{ items: readonly BeadItem[] }>(
      `beads${query({ status: 'open,in_progress', order: 'newest', limit: BEADS_SEEN })}`,
    );
    const runners = await client.get<{ items: readonly RunnerItem[] }>('runners');
    return {
      asked: new Set(items.flatMap(({ runtime }) => (runtime === null ? [] : [runtime]))),
      hasOthers: runners.items.some(({ id }) => id !== LOCAL_RUNNER),
    };
  } catch {
    return NOTHING_KNOWN;
  }
}

/** A file that somebody edited is read with a runtime that nobody knows; each bead of the rig would then be refused. */
function rigCheck(rig: RigConfig): readonly Check[] {
  const own = unknownIn(rig, null, {
    why: 'no work of this rig can be started without --runtime',
    fix: `gt rig config ${rig.name} --runtime <name>`,
  });
  if (rig.reviewer === undefined) return own;
  const reviewer = unknownIn(rig, rig.reviewer.runtime, {
    why: 'its review agent can not be started',
    fix: `gt config set rigs.${rig.name}.review_agent <name>`,
  });
  return [...own, ...reviewer];
}

/** `runtime` null: the rig's own. */
function unknownIn(
  rig: RigConfig,
  runtime: string | null,
  { why, fix }: { readonly why: string; readonly fix: string },
): readonly Check[] {
  try {
    checkRuntime(runtime, rig);
    return [];
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    const way = error.code === 'no_command' ? `gt rig config ${rig.name} --command "<line>"` : fix;
    return [problem(`rig ${rig.name}`, { what: error.message, why, fix: way })];
  }
}

async function programChecks(rigs: readonly RigConfig[], { asked, hasOthers }: Needs): Promise<readonly Check[]> {
  const presets = presetsOf(rigs[0]?.runtimes);
  const used = new Map([
    ...[...asked].map((name) => [name, 'an open bead asks for this runtime'] as const),
    ...rigs.flatMap(({ reviewer }) =>
      reviewer === undefined ? [] : [[reviewer.runtime, 'the review agent of a rig uses this runtime'] as const],
    ),
    ...rigs.map(({ runtime }) => [runtime, 'a rig uses this runtime'] as const),
  ]);
  const checks = await Promise.all(
    Object.entries(presets).flatMap(([name, preset]): readonly Promise<Check>[] => {
      const path = findProgram(preset.program);
      if (path !== null) return [foundCheck(name, preset, path)];
      const why = used.get(name);
      const what = `${preset.program} is not in PATH`;
      if (why === undefined) return [];
      const found = { what, why: hasOthers ? `${why}; a runner elsewhere may have it` : why, fix: preset.install };
      return [Promise.resolve(hasOthers ? note(name, found) : problem(name, found))];
    }),
  );
  if (checks.length > 0) return checks;
  return [
    note('runtimes', {
      what: `none of ${Object.keys(presets).join(', ')} is installed`,
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

async function foundCheck(name: string, preset: RuntimePreset, path: string): Promise<Check> {
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
