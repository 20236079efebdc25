import { parse as parseToml, TomlError } from 'smol-toml';
import { z } from 'zod';
import type { Budget } from '../core/budget.ts';
import type { Gate, RigConfig } from '../core/commands.ts';
import { precondition, TownError } from '../core/errors.ts';
import { GATE_TIMEOUT_MS, POLECATS_PER_RIG } from '../core/limits.ts';
import { parsePrefix, parseRigName } from '../core/model/ids.ts';
import type { MayorConfig } from '../core/model/mayor.ts';
import { budgetsSection, configBudgets } from './budget-config.ts';
import { capSettings, pricesSection, rigCaps, townPrices } from './caps-config.ts';
import { parseDurationMs } from './duration.ts';
import { ownRuntimes, RUNTIME_KEYS, runtimesSection, townRuntimes, type TownRuntimes } from './runtimes-config.ts';
import { parseListenAddress } from './listen-address.ts';
import { ESCALATION_KEYS, escalationConfig, escalationSection } from './escalation-config.ts';
import type { EscalationConfig } from './escalation-config.ts';
import { MAYOR_KEYS, mayorConfig, mayorSection } from './mayor-config.ts';
import { forgeOf, forgeSettings } from './forge-config.ts';
import { placeIn } from './change-text.ts';
import { meantOrKnown, nearest } from './nearest.ts';
import { mergingOf, mergingSettings } from './merging-config.ts';
import { reviewerOf, reviewSettings } from './review-config.ts';
import { pullOf, pullSettings } from './pull-config.ts';
import { rigShield, shieldSettings } from './shield-config.ts';

export const HEARTBEAT_DEFAULT = '60s';
/** An agent that works longer is stopped, its work rescued: no CLI gives up on a hung model by itself. */
export const WALL_CLOCK_DEFAULT = '4h';
/** The embedded runtime that needs no key. */
export const RUNTIME_DEFAULT = 'script';
/** Of commits, where nobody said who the owner is. */
const OWNER_EMAIL_DEFAULT = 'owner@localhost';
/** More agents of one rig at once than any machine holds. */
const POLECATS_LIMIT = 100;
const GATES_MAX = 50;
const TEXT_CHARS_MAX = 4_096;

const text = z.string().min(1).max(TEXT_CHARS_MAX);
const duration = z.union([z.string(), z.number(), z.bigint()]);
const polecats = z.number().int().min(0).max(POLECATS_LIMIT);
const gate = z.union([text, z.strictObject({ run: text, timeout: duration.optional() })]);

const workSettings = {
  polecats_max: polecats.optional(),
  runtime: text.optional(),
  model: text.optional(),
  command: text.optional(),
  wall_clock: duration.optional(),
  ...capSettings,
  ...shieldSettings,
  ...mergingSettings,
  ...reviewSettings,
  review_timeout: duration.optional(),
  ...pullSettings,
};
const rigSection = z.strictObject({
  url: text,
  prefix: text,
  target_branch: text.optional(),
  parked: z.boolean().optional(),
  runner_labels: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,39}$/, 'a label is small letters, digits, "-", "_" and "."'))
    .max(20)
    .optional(),
  crew: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a name is small letters, digits and "-"'))
    .max(50)
    .optional(),
  owner_email: text.optional(),
  gates: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'a gate name is lower case letters, digits, "-" and "_"'),
      gate,
    )
    .optional(),
  ...forgeSettings,
  ...workSettings,
});
const configFile = z.strictObject({
  town: z
    .strictObject({ name: text.optional(), owner_email: text.optional(), polecats_max: polecats.optional() })
    .optional(),
  daemon: z
    .strictObject({
      heartbeat_interval: duration.optional(),
      runner_listen: text.optional(),
      otlp_url: z
        .url({ protocol: /^https?$/ })
        .max(TEXT_CHARS_MAX)
        .optional(),
      town_root: text.optional(),
      log_file: text.optional(),
      pid_file: text.optional(),
    })
    .optional(),
  defaults: z.strictObject(workSettings).optional(),
  escalation: escalationSection.optional(),
  prices: pricesSection.optional(),
  budgets: budgetsSection.optional(),
  mayor: mayorSection.optional(),
  runtimes: runtimesSection.optional(),
  rigs: z.record(z.string(), rigSection).optional(),
});
type ConfigFile = z.infer<typeof configFile>;
type RigSection = z.infer<typeof rigSection>;

/** Names per section, for "did you mean"; `*` stands for any name. */
export const CONFIG_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(configFile.shape),
  town: ['name', 'owner_email', 'polecats_max'],
  daemon: ['heartbeat_interval', 'runner_listen', 'otlp_url', 'town_root', 'log_file', 'pid_file'],
  defaults: Object.keys(workSettings),
  ...ESCALATION_KEYS,
  mayor: MAYOR_KEYS,
  'rigs.*': Object.keys(rigSection.shape),
  'rigs.*.gates.*': ['run', 'timeout'],
  'budgets.*': ['usd', 'tokens', 'soft_usd', 'soft_tokens'],
  'prices.*': ['input', 'output', 'cached'],
  'runtimes.*': RUNTIME_KEYS,
};

/** Variables that stand above the file; on a host without a process, none. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The town's file with defaults and environment applied, on any host. */
export interface Settings extends TownRuntimes {
  readonly name: string;
  readonly ownerEmail: string;
  readonly heartbeatIntervalMs: number;
  /** Where runners on other machines may dial; null: on loopback only. */
  readonly runnerListen: { readonly host: string; readonly port: number } | null;
  /** Where traces are told; null: nowhere, unless the environment says so. */
  readonly otlpUrl: string | null;
  readonly escalation: EscalationConfig;
  /** Null: the town has no mayor. */
  readonly mayor: MayorConfig | null;
  readonly rigs: readonly RigConfig[];
  /** Budgets of the file, and the cap on agents of the whole town. */
  readonly budgets: readonly Budget[];
  /** Places on a machine, as the file has them. */
  readonly places: {
    readonly townRoot: string | undefined;
    readonly logFile: string | undefined;
    readonly pidFile: string | undefined;
  };
}

/**
 * Reads and checks the text of `gastown.toml`; `path` names it in errors. Errors (all of kind precondition):
 * `bad_config`, `unknown_setting`.
 */
export function parseSettings(source: string, path: string, env: Environment): Settings {
  const file = check(source, path);
  const ownerEmail = env['GT_OWNER_EMAIL'] ?? file.town?.owner_email ?? OWNER_EMAIL_DEFAULT;
  const rigs = Object.entries(file.rigs ?? {}).map(([name, section]) =>
    rigConfig({ name, section, file, env, ownerEmail, path }),
  );
  refuseSharedPrefix(rigs, path);
  return {
    name: file.town?.name ?? 'town',
    ownerEmail,
    heartbeatIntervalMs: heartbeatMs(file, env),
    runnerListen: runnerListen(file, path),
    otlpUrl: otlpUrl(file),
    escalation: escalationConfig(file.escalation),
    mayor: mayorConfig(file.mayor, ownerEmail, path, {
      shield: rigShield({}, file.defaults, 'defaults'),
      prices: townPrices(file.prices),
      runtimes: ownRuntimes(file.runtimes ?? {}, path),
    }),
    rigs,
    ...townRuntimes(file, path),
    budgets: configBudgets(file.budgets, file.town?.polecats_max, new Set(rigs.map((rig) => rig.name)), path),
    places: {
      townRoot: file.daemon?.town_root,
      logFile: file.daemon?.log_file,
      pidFile: file.daemon?.pid_file,
    },
  };
}

const otlpUrl = (file: ConfigFile): string | null => file.daemon?.otlp_url ?? null;

const runnerListen = (file: ConfigFile, path: string): Settings['runnerListen'] => {
  const listen = file.daemon?.runner_listen;
  if (listen === undefined) return null;
  return asConfigError(path, 'daemon', () => parseListenAddress(listen, 'runner_listen'));
};

const heartbeatMs = (file: ConfigFile, env: Environment): number =>
  parseDurationMs(
    env['GT_HEARTBEAT_INTERVAL'] ?? file.daemon?.heartbeat_interval ?? HEARTBEAT_DEFAULT,
    'daemon.heartbeat_interval',
  );

function check(source: string, path: string): ConfigFile {
  let data: unknown;
  try {
    data = parseToml(source, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const where = `line ${String(error.line)}, column ${String(error.column)}`;
    throw precondition(
      'bad_config',
      `${path} is not valid TOML at ${where}.`,
      'Correct that line; nothing was changed.',
    );
  }
  const parsed = configFile.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw issue === undefined
    ? precondition(
        'bad_config',
        `${path} is not valid.`,
        'Correct it, or begin anew from the file that "gt init" makes elsewhere.',
      )
    : configError(issue, path, source);
}

function configError(issue: z.core.$ZodIssue, path: string, source: string): TownError {
  const section = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const pattern = section.map((part, index) => (index % 2 === 1 ? '*' : part)).join('.');
    const known = CONFIG_KEYS[section.join('.')] ?? CONFIG_KEYS[pattern] ?? [];
    const full = [...section, key].join('.');
    const isSection = section.length === 0;
    const wayOut = isSection || nearest(key, known) !== null ? '' : ` "gt config set ${full} --unset" takes it out.`;
    return new TownError(
      'precondition',
      'unknown_setting',
      {
        message: `${placeIn(source, path, [...section, key])}: there is no setting "${full}".`,
        next: `${meantOrKnown(key, known)}${wayOut}`,
      },
      { field: full },
    );
  }
  const full = section.join('.');
  return new TownError(
    'precondition',
    'bad_config',
    {
      message: `${placeIn(source, path, section)}: "${full}" is not valid: ${issue.message}.`,
      next: 'Correct that setting; nothing was changed.',
    },
    { field: full },
  );
}

interface RigInput {
  readonly name: string;
  readonly section: RigSection;
  readonly file: ConfigFile;
  readonly env: Environment;
  readonly ownerEmail: string;
  readonly path: string;
}

/** Precedence: environment, rig section, town file, default. */
function rigConfig(input: RigInput): RigConfig {
  const { name, section, file, env } = input;
  const at = `rigs.${name}`;
  const work = pickWork(section, file.defaults, env);
  const forge = asConfigError(input.path, at, () => forgeOf(section, at));
  return asConfigError(input.path, at, () => ({
    name: parseRigName(name),
    prefix: parsePrefix(section.prefix),
    url: refuseOption(section.url, `${at}.url`),
    targetBranch: refuseOption(section.target_branch ?? 'main', `${at}.target_branch`),
    polecatsMax: work.polecatsMax,
    gates: refuseTooMany(Object.entries(section.gates ?? {}), at).map(([gateName, value]) =>
      gateOf(gateName, value, `${at}.gates.${gateName}`),
    ),
    runtime: work.runtime,
    model: work.model,
    command: work.command,
    wallClockMs: parseDurationMs(work.wallClock, `${at}.wall_clock`),
    ownerEmail: env['GT_OWNER_EMAIL'] ?? section.owner_email ?? input.ownerEmail,
    parked: section.parked ?? false,
    caps: rigCaps(section, file.defaults, file.prices),
    shield: rigShield(section, file.defaults, at),
    merging: { ...mergingOf(section, file.defaults), ...pullOf(section, file.defaults, { forge, at }) },
    ...reviewerOf(section, file.defaults, at),
    forge,
    ...(section.runner_labels === undefined ? {} : { runnerLabels: section.runner_labels }),
    ...(section.crew === undefined ? {} : { crew: [...new Set(section.crew)] }),
    ...(file.runtimes === undefined ? {} : { runtimes: ownRuntimes(file.runtimes, input.path) }),
  }));
}

function refuseTooMany<T>(gates: readonly T[], at: string): readonly T[] {
  if (gates.length <= GATES_MAX) return gates;
  throw precondition(
    'bad_config',
    `${at}.gates: ${String(gates.length)} gates; ${String(GATES_MAX)} are the most.`,
    'Put several commands into one gate.',
  );
}

interface WorkSettings {
  readonly polecatsMax: number;
  readonly runtime: string;
  readonly model: string | null;
  readonly command: string | null;
  readonly wallClock: string | number | bigint;
}

function pickWork(section: RigSection, defaults: ConfigFile['defaults'], env: Environment): WorkSettings {
  const polecatsEnv = env['GT_POLECATS_MAX'];
  return {
    polecatsMax:
      firstOf(
        polecatsEnv === undefined ? undefined : polecatsFromEnv(polecatsEnv),
        section.polecats_max,
        defaults?.polecats_max,
      ) ?? POLECATS_PER_RIG,
    runtime: firstOf(env['GT_RUNTIME'], section.runtime, defaults?.runtime) ?? RUNTIME_DEFAULT,
    model: firstOf(env['GT_MODEL'], section.model, defaults?.model),
    command: firstOf(env['GT_COMMAND'], section.command, defaults?.command),
    wallClock: firstOf(env['GT_WALL_CLOCK'], section.wall_clock, defaults?.wall_clock) ?? WALL_CLOCK_DEFAULT,
  };
}

const firstOf = <T>(...values: readonly (T | undefined)[]): T | null =>
  values.find((value) => value !== undefined) ?? null;

function polecatsFromEnv(value: string): number {
  const parsed = polecats.safeParse(/^\d{1,4}$/.test(value) ? Number(value) : Number.NaN);
  if (!parsed.success) {
    throw precondition(
      'bad_config',
      `GT_POLECATS_MAX=${JSON.stringify(value)} is not a number from 0 to ${String(POLECATS_LIMIT)}.`,
      'Correct or unset that variable.',
    );
  }
  return parsed.data;
}

function gateOf(name: string, value: z.infer<typeof gate>, field: string): Gate {
  if (typeof value === 'string') return { name, run: value, timeoutMs: GATE_TIMEOUT_MS };
  return {
    name,
    run: value.run,
    timeoutMs: value.timeout === undefined ? GATE_TIMEOUT_MS : parseDurationMs(value.timeout, `${field}.timeout`),
  };
}

/** A value that git would read as an option is refused, wherever it comes from. */
export function refuseOption(value: string, field: string): string {
  if (value.startsWith('-') || hasControl(value)) {
    throw precondition(
      'bad_config',
      `${field}: ${JSON.stringify(value)} starts with "-" or holds control characters.`,
      'Write a plain value.',
    );
  }
  return value;
}

const FIRST_PRINTABLE = 0x20;
const DELETE = 0x7f;

/** True when the text holds a control character. */
function hasControl(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < FIRST_PRINTABLE || code === DELETE) return true;
  }
  return false;
}

/** Errors of the shared parsers are usage errors of a request; here they are about the file. */
function asConfigError<T>(path: string, at: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    throw new TownError(
      'precondition',
      'bad_config',
      { message: `${path}: [${at}] ${error.message}`, next: error.next },
      { field: at, cause: error },
    );
  }
}

function refuseSharedPrefix(rigs: readonly RigConfig[], path: string): void {
  const owners = new Map<string, string>();
  for (const rig of rigs) {
    const other = owners.get(rig.prefix);
    if (other !== undefined)
      throw precondition(
        'bad_config',
        `${path}: the rigs "${other}" and "${rig.name}" have the same prefix "${rig.prefix}".`,
        'Give each rig a prefix of its own.',
      );
    owners.set(rig.prefix, rig.name);
  }
}
