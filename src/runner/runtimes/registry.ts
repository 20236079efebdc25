import { precondition } from '../../core/errors.ts';
import { commandRuntime } from './command.ts';
import type { Runtime } from './runtime.ts';
import { scriptRuntime } from './script.ts';

/** Every runtime that this runner can start, by name. A new adapter is one file and one entry here. */
export const RUNTIMES: readonly Runtime[] = [scriptRuntime, commandRuntime];

/** Errors: `runtime_missing`. */
export function runtimeByName(name: string): Runtime {
  const runtime = RUNTIMES.find((each) => each.name === name);
  if (runtime === undefined) {
    const known = RUNTIMES.map((each) => each.name).join(', ');
    throw precondition(
      'runtime_missing',
      `This runner has no runtime ${JSON.stringify(name.slice(0, 80))}.`,
      `Use one of: ${known}.`,
    );
  }
  return runtime;
}
