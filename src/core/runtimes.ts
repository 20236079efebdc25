import type { RigConfig } from './commands.ts';
import { precondition, usage } from './errors.ts';
import { presetsOf, RUNTIME_PRESETS, type RuntimePreset } from './runtime-presets.ts';

/** What needs no preset: recipes, and any program that reads a prompt. */
export const BUILT_IN_RUNTIMES = ['script', 'command'] as const;

/** What can run a bead where the town names no runtimes of its own. */
export const RUNTIMES: readonly string[] = [...BUILT_IN_RUNTIMES, ...Object.keys(RUNTIME_PRESETS)];

/** What of a rig says which programs may work there. */
type Engines = Pick<RigConfig, 'name' | 'runtime' | 'command' | 'runtimes'>;

/** Names of all runtimes of a town. */
const runtimeNames = (own: Readonly<Record<string, RuntimePreset>> | undefined): readonly string[] => [
  ...BUILT_IN_RUNTIMES,
  ...Object.keys(presetsOf(own)),
];

/** Runtimes that begin anew instead of continuing earlier work: running a recipe over its own result would apply it twice. */
export const RESTARTING_RUNTIMES: ReadonlySet<string> = new Set(['script']);

/**
 * Refuses a runtime that no runner has, at the moment when somebody names it: found out only at the start, it would
 * count as broken infrastructure and stop the whole rig. Errors: `unknown_runtime`, `no_command`.
 */
export function checkRuntime(runtime: string | null, config: Engines): void {
  const chosen = runtime ?? config.runtime;
  refuseUnknownRuntime(chosen, config.runtimes);
  refuseMissingCommand(chosen, config);
}

/** Errors: `no_command`. */
export function refuseMissingCommand(chosen: string, { name, command }: Pick<RigConfig, 'name' | 'command'>): void {
  if (chosen !== 'command' || command !== null) return;
  throw precondition(
    'no_command',
    `The runtime "command" needs a program, and the rig "${name}" names none.`,
    `Name it: --command "<line>" of gt rig add and gt rig config, or command in [rigs.${name}] of gastown.toml.`,
  );
}

/** `own`: runtimes that the town's file names. Errors: `unknown_runtime`. */
export function refuseUnknownRuntime(chosen: string, own: Readonly<Record<string, RuntimePreset>> | undefined): void {
  const known = runtimeNames(own);
  if (known.includes(chosen)) return;
  throw usage(
    'unknown_runtime',
    `There is no runtime ${JSON.stringify(chosen.slice(0, 80))}.`,
    `Choose one of: ${known.join(', ')}. A new one is a section [runtimes.<name>] of gastown.toml.`,
    'runtime',
  );
}
