/** Where the value of a setting comes from: environment, the rig's section, the town's file, the default. */
import { parse as parseToml, TomlError } from 'smol-toml';
import { DEFAULT_MERGING, DEFAULT_PULL } from '../core/commands.ts';
import { TownError } from '../core/errors.ts';
import type { SettingChange, SettingValue } from './change-text.ts';
import { POLECATS_PER_RIG, TRAIN_BATCH, TRAIN_LANES } from '../core/limits.ts';
import { CONFIG_KEYS, HEARTBEAT_DEFAULT, RUNTIME_DEFAULT, WALL_CLOCK_DEFAULT, type Environment } from './settings.ts';
import { DISK_MAX_DEFAULT, MEMORY_MAX_DEFAULT } from './shield-config.ts';
import { known, nearest } from './nearest.ts';

export interface Explained {
  readonly key: string;
  /** Null: it is not set and has no default. */
  readonly value: unknown;
  readonly shown: string;
  readonly from: string;
  /** All places, the strongest first. */
  readonly order: readonly string[];
}

/** Settings that an environment variable overrides, by their last name. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  owner_email: 'GT_OWNER_EMAIL',
  heartbeat_interval: 'GT_HEARTBEAT_INTERVAL',
  polecats_max: 'GT_POLECATS_MAX',
  runtime: 'GT_RUNTIME',
  model: 'GT_MODEL',
  command: 'GT_COMMAND',
  wall_clock: 'GT_WALL_CLOCK',
};
const DEFAULTS: Readonly<Record<string, string | number | boolean>> = {
  heartbeat_interval: HEARTBEAT_DEFAULT,
  polecats_max: POLECATS_PER_RIG,
  runtime: RUNTIME_DEFAULT,
  wall_clock: WALL_CLOCK_DEFAULT,
  target_branch: 'main',
  merge_batch: TRAIN_BATCH,
  merge_lanes: TRAIN_LANES,
  merge_style: DEFAULT_MERGING.style,
  review_timeout: '30m',
  review_unanswered: 'ask',
  merge_strategy: 'direct',
  pr_approvals: DEFAULT_PULL.approvals,
  pr_checks: DEFAULT_PULL.checks,
  pr_threads: DEFAULT_PULL.threads,
  pr_delay: '0s',
  pr_merge: DEFAULT_PULL.merge,
  parked: false,
  isolation: 'none',
  network: 'on',
  memory_max: MEMORY_MAX_DEFAULT,
  disk_max: DISK_MAX_DEFAULT,
  secrets_scan: true,
};

type Table = Readonly<Record<string, unknown>>;
const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Splits and checks a key. Errors: `unknown_setting`. */
function settingPath(key: string): { readonly section: readonly string[]; readonly key: string } {
  const parts = key.split('.');
  const name = parts.at(-1) ?? '';
  const section = parts.slice(0, -1);
  const names = namesIn(section);
  const isOne = names.includes(name) && namesIn(parts).length === 0 && section.length > 0;
  if (isOne || isGate(section, name)) return { section, key: name };
  throw new TownError('usage', 'unknown_setting', {
    message: `There is no setting ${JSON.stringify(key.slice(0, 120))}.`,
    next: hintFor(section, name, names),
  });
}

/**
 * Splits a key that is to be taken out of the file: one that is in it goes too when nothing knows it, since that is what
 * the file is refused for. Errors: `unknown_setting`.
 */
function removalPath(source: string, key: string): ReturnType<typeof settingPath> {
  try {
    return settingPath(key);
  } catch (error) {
    const path = key.split('.');
    if (valueIn(source, path) === undefined) throw error;
    return { section: path.slice(0, -1), key: path.at(-1) ?? '' };
  }
}

/** Null takes the setting away. */
export interface KeyChange {
  readonly key: string;
  readonly value: SettingValue | null;
}

/** Changes by their keys, for the text of the file. Errors: `unknown_setting`, `rig_not_found`. */
export function settingChanges(source: string, changes: readonly KeyChange[]): readonly SettingChange[] {
  const found = changes.map(({ key, value }) => ({
    ...(value === null ? removalPath(source, key) : settingPath(key)),
    value,
  }));
  const isNew = ({ section: [at, rig = ''] }: SettingChange): boolean =>
    at === 'rigs' &&
    valueIn(source, ['rigs', rig]) === undefined &&
    !found.some(({ section, key }) => key === 'url' && section[1] === rig);
  const nowhere = found.find(isNew);
  if (nowhere === undefined) return found;
  throw new TownError('not_found', 'rig_not_found', {
    message: `There is no rig ${JSON.stringify(nowhere.section[1])}, so nothing was changed.`,
    next: '"gt rig list" shows those there are; "gt rig add" makes one.',
  });
}

function valueIn(source: string, path: readonly string[]): unknown {
  try {
    return valueAt(parseToml(source), path);
  } catch (error) {
    if (error instanceof TomlError) return undefined;
    throw error;
  }
}

/** A rig's gates have names of their own choice. */
const isGate = (section: readonly string[], name: string): boolean =>
  section.length === 3 && section[0] === 'rigs' && section[2] === 'gates' && /^[a-z0-9][a-z0-9_-]*$/.test(name);

function hintFor(section: readonly string[], name: string, names: readonly string[]): string {
  if (section[2] === 'gates' && section.length === 4)
    return `A gate is set as a whole: gt config set ${section.join('.')} '{ run = "npm test", timeout = "5m" }'.`;
  if (names.includes(name)) return sectionHint([...section, name]);
  const whole = section.length === 0 ? settingsNamed(name) : [];
  if (whole.length > 0) return `The whole name is needed: ${whole.join(', ')}.`;
  const near = nearest(name, names);
  if (near !== null) return `Did you mean "${[...section, near].join('.')}"?`;
  return names.length > 0 ? known(names) : 'A key is like daemon.heartbeat_interval or rigs.app.runtime.';
}

/** A section has no value of its own. */
function sectionHint(section: readonly string[]): string {
  const names = namesIn(section);
  const path = section.join('.');
  return names.length === 0
    ? `${path} is a section of sections, as [${path}.<name>]; "gt config get" shows what is set.`
    : `${path} is a section. ${known(names)}`;
}

/** Where a setting of that last name is: `runtime` is `defaults.runtime`, `mayor.runtime` and `rigs.<name>.runtime`. */
const settingsNamed = (name: string): readonly string[] =>
  Object.entries(CONFIG_KEYS)
    .filter(([section, names]) => section !== '' && !section.includes('*.gates') && names.includes(name))
    .map(([section]) => `${section.replace('*', '<name>')}.${name}`);

function namesIn(section: readonly string[]): readonly string[] {
  const path = section.join('.');
  return CONFIG_KEYS[path] ?? CONFIG_KEYS[path.replace(/^rigs\.[^.]+/, 'rigs.*')] ?? [];
}

/** One setting of a file's text. Errors: `unknown_setting`. */
export const explainKey = (source: string, key: string, env: Environment): Explained =>
  explained(parseToml(source), key, env);

/** All settings of one section that have a value. */
export function explainSection(source: string, section: string, env: Environment): readonly Explained[] {
  const file = parseToml(source);
  const set = valueAt(file, section.split('.'));
  if (!isTable(set))
    throw new TownError('not_found', 'section_not_found', {
      message: `There is no section [${section}] in gastown.toml.`,
      next: '"gt config get" shows what is set.',
    });
  const names = new Set([
    ...namesIn(section.split('.')).filter((name) => name in DEFAULTS || name in ENVIRONMENT),
    ...Object.keys(set),
  ]);
  return [...names]
    .filter((name) => !isTable(set[name]))
    .map((name) => explained(file, `${section}.${name}`, env))
    .filter((one) => one.value !== null);
}

/** Everything that the file says, as what holds. */
export function explainAll(source: string, env: Environment): readonly Explained[] {
  const file = parseToml(source);
  const keys: string[] = [];
  const walk = (table: Table, at: readonly string[]): void => {
    for (const [name, value] of Object.entries(table)) {
      if (isTable(value) && at[2] !== 'gates') walk(value, [...at, name]);
      else keys.push([...at, name].join('.'));
    }
  };
  walk(file, []);
  return keys.map((key) => explained(file, key, env));
}

const valueAt = (file: Table, path: readonly string[]): unknown =>
  path.reduce<unknown>((table, part) => (isTable(table) ? table[part] : undefined), file);

interface Place {
  readonly name: string;
  readonly value: unknown;
}

function explained(file: Table, key: string, env: Environment): Explained {
  const { section, key: name } = settingPath(key);
  const variable = ENVIRONMENT[name];
  const places: Place[] = [
    ...(variable === undefined ? [] : [{ name: `environment ${variable}`, value: env[variable] }]),
    { name: `gastown.toml [${section.join('.')}]`, value: valueAt(file, [...section, name]) },
    ...inherited(section, name).map((at) => ({
      name: `gastown.toml [${at}]`,
      value: valueAt(file, [...at.split('.'), name]),
    })),
    { name: 'default', value: DEFAULTS[name] },
  ];
  const used = places.find((place) => place.value !== undefined);
  return {
    key,
    value: used?.value ?? null,
    shown: used === undefined ? '(not set)' : shownOf(used.value),
    from: used?.name ?? 'nowhere',
    order: places.map((place) => `${place.name}: ${place.value === undefined ? 'not set' : shownOf(place.value)}`),
  };
}

/** Where a rig's setting is looked for when its own section is silent. */
function inherited(section: readonly string[], name: string): readonly string[] {
  if (section[0] !== 'rigs' || section.length !== 2) return [];
  if (name === 'owner_email') return ['town'];
  return namesIn(['defaults']).includes(name) ? ['defaults'] : [];
}

const shownOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
