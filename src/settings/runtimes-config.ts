import { z } from 'zod';

import { precondition } from '../core/errors.ts';
import { RUNTIME_PRESETS, type RuntimePreset } from '../core/runtime-presets.ts';
import { BUILT_IN_RUNTIMES } from '../core/runtimes.ts';

const TEXT_CHARS_MAX = 8_192;
const RUNTIMES_MAX = 50;
const text = z.string().max(TEXT_CHARS_MAX);
const texts = z.array(text).max(100);
const variable = z
  .string()
  .regex(
    /^(?!GT_|GIT_|LD_|DYLD_)[A-Za-z_][A-Za-z0-9_]{0,99}$/,
    'a variable is letters, digits and "_", and not one of GT_, GIT_, LD_',
  );

/** `[runtimes.<name>]` of the town's file: what it says wins over the preset of that name, part by part. */
export interface RuntimeSection {
  readonly protocol?: RuntimePreset['protocol'] | undefined;
  readonly program?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly model_args?: readonly string[] | undefined;
  readonly mcp_args?: readonly string[] | undefined;
  readonly failed_words?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly pass_env?: readonly string[] | undefined;
  readonly permissions?: RuntimePreset['permissions'] | undefined;
  readonly mode?: string | undefined;
  readonly ask_mode?: string | undefined;
  readonly resume?: RuntimePreset['resume'] | undefined;
  readonly nudge?: RuntimePreset['nudge'] | undefined;
}

const section = z.strictObject({
  protocol: z.enum(['claude', 'acp']).optional(),
  program: text.min(1).optional(),
  args: texts.optional(),
  model_args: texts.optional(),
  mcp_args: texts.optional(),
  failed_words: text.optional(),
  env: z.record(variable, text).optional(),
  pass_env: z.array(variable).max(100).optional(),
  permissions: z.enum(['bypass', 'ask']).optional(),
  mode: text.optional(),
  ask_mode: text.optional(),
  resume: z.enum(['none', 'id', 'load', 'resume']).optional(),
  nudge: z.enum(['steer', 'queue', 'cancels']).optional(),
});
export const RUNTIME_KEYS: readonly string[] = Object.keys(section.shape);
export const runtimesSection: z.ZodType<Record<string, RuntimeSection>> = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a runtime is small letters, digits and "-"'),
  section,
);

/** What a new runtime has where its section is silent: the least that can go wrong. */
const PLAIN: Omit<RuntimePreset, 'program'> = {
  protocol: 'acp',
  args: [],
  modelArgs: [],
  mcpArgs: [],
  failedWords: null,
  env: {},
  passEnv: [],
  permissions: 'bypass',
  mode: null,
  askMode: null,
  resume: 'none',
  nudge: 'cancels',
  install: 'install the program that [runtimes.<name>] names, or correct its path there',
  login: { files: [], env: [], how: 'see its own manual' },
};

/** The runtimes that the file adds or changes. Errors (precondition): `bad_config`. */
export function ownRuntimes(
  given: Readonly<Record<string, RuntimeSection>>,
  path: string,
): Readonly<Record<string, RuntimePreset>> {
  const names = Object.keys(given);
  if (names.length > RUNTIMES_MAX)
    throw bad(path, `${String(names.length)} runtimes; ${String(RUNTIMES_MAX)} are the most.`);
  return Object.fromEntries(
    Object.entries(given).map(([name, own]) => {
      if (BUILT_IN_RUNTIMES.some((each) => each === name))
        throw bad(path, `the runtime "${name}" is built in and can't be changed.`);
      const known = Object.hasOwn(RUNTIME_PRESETS, name) ? RUNTIME_PRESETS[name] : undefined;
      const program = own.program ?? known?.program;
      if (program === undefined) throw bad(path, `runtimes.${name} is new and needs a program.`);
      return [name, merge({ ...PLAIN, ...known, program }, own)];
    }),
  );
}

function merge(base: RuntimePreset, own: RuntimeSection): RuntimePreset {
  return {
    ...base,
    protocol: own.protocol ?? base.protocol,
    args: own.args ?? base.args,
    modelArgs: own.model_args ?? base.modelArgs,
    mcpArgs: own.mcp_args ?? base.mcpArgs,
    failedWords: textOrNone(own.failed_words, base.failedWords),
    env: { ...base.env, ...own.env },
    passEnv: own.pass_env ?? base.passEnv,
    permissions: own.permissions ?? base.permissions,
    mode: textOrNone(own.mode, base.mode),
    askMode: textOrNone(own.ask_mode, base.askMode),
    resume: own.resume ?? base.resume,
    nudge: own.nudge ?? base.nudge,
  };
}

/** An empty text takes a preset's away. */
const textOrNone = (own: string | undefined, base: string | null): string | null => {
  if (own === undefined) return base;
  return own === '' ? null : own;
};

const bad = (path: string, what: string) =>
  precondition('bad_config', `${path}: ${what}`, 'Correct it; nothing was changed.');

export interface TownRuntimes {
  /** What `[defaults]` says; null: nothing. */
  readonly defaultRuntime: string | null;
  /** Those of `[runtimes]`. */
  readonly runtimes: Readonly<Record<string, RuntimePreset>>;
}

/** Errors: as for `ownRuntimes`. */
export const townRuntimes = (
  file: {
    readonly defaults?: { readonly runtime?: string | undefined } | undefined;
    readonly runtimes?: Readonly<Record<string, RuntimeSection>> | undefined;
  },
  path: string,
): TownRuntimes => ({
  defaultRuntime: file.defaults?.runtime ?? null,
  runtimes: ownRuntimes(file.runtimes ?? {}, path),
});
