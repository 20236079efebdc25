import type { AddRigBody } from '../../api/contract/rigs.ts';
import { choosePrefix } from '../../core/choose-prefix.ts';
import type { RigConfig, RigSettings } from '../../core/commands.ts';
import { conflict, usage, type TownError } from '../../core/errors.ts';
import { POLECATS_PER_RIG } from '../../core/limits.ts';
import { parseRigName } from '../../core/model/ids.ts';
import { gatesOf } from '../../settings/rig-section.ts';

/** What a rig has that says nothing else; the same as in a town's file. */
const TARGET_BRANCH = 'main';
const RUNTIME = 'script';
const WALL_CLOCK_MS = 4 * 3_600_000;
const OWNER_EMAIL = 'owner@localhost';

const REMOTE = /^(?!ext:|fd:)(?:[a-z][a-z0-9+.-]*:\/\/|[^/\s]+@[^/\s]+:|\/)\S+$/i;

export const rigExists = (name: string): TownError =>
  conflict('rig_exists', `There is a rig "${name}" already.`, 'Choose another name.');

/** This host has no file: what the call leaves out is the default, and nobody can look at the repository from here. */
export function rigConfigOf(body: AddRigBody, prefixes: readonly string[]): RigConfig {
  const name = parseRigName(body.name);
  return {
    name,
    prefix: choosePrefix(name, body.prefix, prefixes),
    url: repository(body.url),
    targetBranch: plain(body.target_branch ?? TARGET_BRANCH, 'target_branch'),
    polecatsMax: body.polecats_max ?? POLECATS_PER_RIG,
    runtime: body.runtime ?? RUNTIME,
    model: body.model ?? null,
    command: body.command ?? null,
    gates: gatesOf(body.gates),
    wallClockMs: WALL_CLOCK_MS,
    ownerEmail: OWNER_EMAIL,
    parked: false,
  };
}

/** Null goes back to the default. Errors: `bad_field` for a duration, which only a file takes as text. */
export function changedRig(rig: RigConfig, change: RigSettings): RigConfig {
  if (typeof change.wall_clock === 'string')
    throw usage('bad_field', 'The wall clock can not be changed here.', 'Leave it out.', 'wall_clock');
  const or = <T>(value: T | null | undefined, before: T, standard: T): T =>
    value === undefined ? before : (value ?? standard);
  return {
    ...rig,
    parked: change.parked ?? rig.parked,
    targetBranch: plain(change.target_branch ?? rig.targetBranch, 'target_branch'),
    polecatsMax: or(change.polecats_max, rig.polecatsMax, POLECATS_PER_RIG),
    runtime: or(change.runtime, rig.runtime, RUNTIME),
    model: or<string | null>(change.model, rig.model, null),
    command: or<string | null>(change.command, rig.command, null),
    wallClockMs: change.wall_clock === null ? WALL_CLOCK_MS : rig.wallClockMs,
    ownerEmail: or(change.owner_email, rig.ownerEmail, OWNER_EMAIL),
  };
}

function plain(value: string, field: string): string {
  if (/^-|[\u0000-\u0020\u007f]/.test(value))
    throw usage('bad_field', `${field} starts with "-" or holds spaces.`, 'Write a plain value.', field);
  return value;
}

function repository(url: string): string {
  if (REMOTE.test(url)) return url;
  throw usage(
    'bad_url',
    `${JSON.stringify(url.slice(0, 100))} is no URL of a repository.`,
    'Use an https:// or ssh URL, or a path that the runner can reach.',
    'url',
  );
}
