import { refuseUnknownRuntime } from '../core/runtimes.ts';
import type { Settings } from './settings.ts';

/**
 * What a change may not bring in, though a file that has it is read: a town must start with what it started with before.
 * Errors: `unknown_runtime`.
 */
export function refuseNew(before: Settings, after: Settings): void {
  const runtimes = [
    [before.defaultRuntime, after.defaultRuntime] as const,
    ...after.rigs.map(({ name, runtime }) => [before.rigs.find((rig) => rig.name === name)?.runtime, runtime] as const),
  ];
  for (const [was, is] of runtimes) if (is !== null && is !== was) refuseUnknownRuntime(is, after.runtimes);
}
