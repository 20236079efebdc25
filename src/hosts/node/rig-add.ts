import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { choosePrefix } from '../../core/choose-prefix.ts';
import { conflict, precondition, usage } from '../../core/errors.ts';
import { refusePassword } from '../../core/remote-url.ts';
import { parseRigName } from '../../core/model/ids.ts';
import type { RigName } from '../../core/model/ids.ts';
import type { AddRigBody } from '../../api/contract/rigs.ts';
import { refuseOption } from '../../settings/settings.ts';
import type { TownConfig } from './town-config.ts';
import { gatesOf, type RigSectionText } from '../../settings/rig-section.ts';
import { CONTENT_TIMEOUT_MS, git } from './git.ts';
import { parseDurationMs } from '../../settings/duration.ts';
import type { TownPaths } from './town-files.ts';

const STDERR_CHARS_SHOWN = 300;

/** A section of which all is known but what the repository has to say. */
type RigDraft = Omit<RigSectionText, 'url' | 'targetBranch'> & { readonly name: RigName };

/** What a rig's section says that needs no look at its repository. Errors: `rig_exists`, `prefix_taken`. */
export function draftRig(body: AddRigBody, config: TownConfig, paths: TownPaths): RigDraft {
  const name = parseRigName(body.name);
  if (config.rigs.some((rig) => rig.name === name)) {
    throw conflict(
      'rig_exists',
      `There is a rig "${name}" already.`,
      `Edit its section in ${paths.config}, or choose another name.`,
    );
  }
  const prefix = choosePrefix(
    name,
    body.prefix,
    config.rigs.map((rig) => rig.prefix),
  );
  return {
    name,
    prefix,
    polecatsMax: body.polecats_max ?? null,
    runtime: body.runtime ?? null,
    model: body.model ?? null,
    command: body.command ?? null,
    gates: gatesOf(body.gates),
  };
}

/**
 * The draft with what its repository says. Changes nothing, except that `create_bare` makes a bare repository from a
 * clone that has no origin. Errors: `no_origin`, `not_a_repository`, `repository_unreachable`, `branch_missing`, `empty_repository`.
 */
export async function withRepository(
  draft: RigDraft,
  body: AddRigBody,
  paths: TownPaths,
): Promise<RigSectionText & { readonly name: RigName }> {
  const url = await resolveUrl(body, draft.name, paths);
  return { ...draft, url, targetBranch: await checkRemote(url, body.target_branch) };
}

/**
 * The address of a rig's repository, which was asked and has its target branch.
 * Errors: as for `resolveRig`.
 */
export async function checkedAddress(
  rig: { readonly name: string; readonly url: string; readonly targetBranch: string },
  paths: TownPaths,
): Promise<string> {
  const url = await resolveUrl({ name: rig.name, url: rig.url }, rig.name, paths);
  await checkRemote(url, rig.targetBranch);
  return url;
}

const isRemote = (url: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(url) || /^[^/\s]+@[^/\s]+:/.test(url);

async function resolveUrl(body: AddRigBody, name: string, paths: TownPaths): Promise<string> {
  const url = refuseOption(body.url, 'url');
  if (/^ext::|^fd::/i.test(url))
    throw usage(
      'bad_url',
      'A git URL that runs a command is refused.',
      'Use a path, or an https:// or ssh URL.',
      'url',
    );
  if (isRemote(url)) return refusePassword(url);
  if (!isAbsolute(url))
    throw usage(
      'bad_url',
      `${JSON.stringify(url)} is neither a URL nor an absolute path.`,
      'Use the full path of the repository.',
      'url',
    );
  const folder = resolve(url);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw precondition('not_a_repository', `There is no folder ${folder}.`, 'Check the path.');
  const bare = await git(['-C', folder, 'rev-parse', '--is-bare-repository']);
  if (!bare.ok)
    throw precondition(
      'not_a_repository',
      `${folder} is not a git repository.`,
      'Make one with "git init" there, or give the URL of the repository.',
    );
  if (bare.stdout.trim() === 'true') return folder;
  const origin = await git(['-C', folder, 'remote', 'get-url', 'origin']);
  if (origin.ok) return originOf(origin.stdout.trim(), folder);
  if (body.create_bare === true) return createBare(folder, name, paths);
  throw precondition(
    'no_origin',
    `${folder} is a working clone without an "origin": its checked-out branch can't be pushed to, so nothing could be merged there.`,
    'Add --create-bare: it makes a bare repository from the clone inside the town and uses that.',
  );
}

function originOf(url: string, folder: string): string {
  return isRemote(url) || isAbsolute(url) ? refusePassword(refuseOption(url, 'origin')) : resolve(folder, url);
}

async function createBare(folder: string, name: string, paths: TownPaths): Promise<string> {
  const origins = join(paths.dataDir, 'origins');
  mkdirSync(origins, { recursive: true });
  const target = join(origins, `${name}.git`);
  if (existsSync(target)) return target;
  // A copy that was cut must not be there under the name by which a repeat finds it.
  const half = `${target}.half`;
  rmSync(half, { recursive: true, force: true });
  const copy = ['clone', '--bare', '--quiet', '--no-hardlinks', '--', folder, half];
  const clone = await git(copy, undefined, CONTENT_TIMEOUT_MS);
  if (!clone.ok)
    throw precondition(
      'not_a_repository',
      `${folder} could not be copied: ${clone.stderr.trim().slice(0, STDERR_CHARS_SHOWN)}`,
      'Check the repository with "git status".',
    );
  renameSync(half, target);
  return target;
}

/** Asks the remote itself; the answer names the branch that work is merged into. */
async function checkRemote(url: string, wanted: string | undefined): Promise<string> {
  const answer = await git(['ls-remote', '--symref', '--', url, 'HEAD', 'refs/heads/*']);
  if (!answer.ok) {
    throw precondition(
      'repository_unreachable',
      `git can't read ${url}: ${answer.stderr.trim().slice(0, STDERR_CHARS_SHOWN)}`,
      `Try "git ls-remote ${url}" until it works, then repeat this. Nothing was changed.`,
    );
  }
  const branches = [...answer.stdout.matchAll(/^[0-9a-f]{40,64}\trefs\/heads\/(.+)$/gm)].map((match) => match[1] ?? '');
  if (branches.length === 0)
    throw precondition('empty_repository', `${url} has no branch yet.`, 'Push a first commit, then add the rig again.');
  const head = /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(answer.stdout)?.[1];
  const branch = wanted ?? head ?? (branches.includes('main') ? 'main' : branches[0]);
  if (branch === undefined || !branches.includes(branch)) {
    throw precondition(
      'branch_missing',
      `${url} has no branch "${branch ?? ''}".`,
      `Choose another; it has: ${branches.slice(0, 5).join(', ')}.`,
    );
  }
  return branch;
}

/** Reads the text of `--gate`: `name=command`, or `name@10m=command` with a time limit. Errors: `bad_gate`. */
export function parseGateFlag(text: string): {
  readonly name: string;
  readonly run: string;
  readonly timeout_ms?: number;
} {
  const match = /^([a-z0-9][a-z0-9_-]{0,39})(?:@(\d+(?:ms|s|m|h)))?=(.+)$/s.exec(text);
  const name = match?.[1];
  const run = match?.[3];
  if (name === undefined || run === undefined) {
    throw usage(
      'bad_gate',
      `${JSON.stringify(text)} is not a gate.`,
      'Write it as name=command, for example --gate test="npm test", or with a limit: --gate test@5m="npm test".',
      'gate',
    );
  }
  const timeout = match?.[2];
  return timeout === undefined ? { name, run } : { name, run, timeout_ms: parseDurationMs(timeout, 'gate') };
}
