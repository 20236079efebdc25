import type { RigConfig } from './commands.ts';
import { precondition, usage } from './errors.ts';

/** What can run a bead in this version. */
export const RUNTIMES = ['script', 'command'] as const;

/** Runtimes that begin anew instead of continuing earlier work: running a recipe over its own result would apply it twice. */
export const RESTARTING_RUNTIMES: ReadonlySet<string> = new Set(['script']);

/**
 * Refuses a runtime that no runner has, at the moment when somebody names it: found out only at the start, it would
 * count as broken infrastructure and stop the whole rig. Errors: `unknown_runtime`, `no_command`.
 */
export function checkRuntime(runtime: string | null, config: RigConfig): void {
  const chosen = runtime ?? config.runtime;
  if (!RUNTIMES.some((known) => known === chosen)) {
    throw usage(
      'unknown_runtime',
      `There is no runtime ${JSON.stringify(chosen.slice(0, 80))}.`,
      `Choose one of: ${RUNTIMES.join(', ')}.`,
      'runtime',
    );
  }
  if (chosen === 'command' && config.command === null) {
    throw precondition(
      'no_command',
      `The runtime "command" needs a program, and the rig "${config.name}" names none.`,
      `Set command = "…" in [rigs.${config.name}] of gastown.toml.`,
    );
  }
}
