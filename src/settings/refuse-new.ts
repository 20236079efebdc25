import { refuseMissingCommand, refuseUnknownRuntime } from '../core/runtimes.ts';
import type { Settings } from './settings.ts';

/** What decides whether the work of a town could be started. */
type Started = Pick<Settings, 'defaultRuntime' | 'runtimes' | 'rigs'>;

/**
 * What a change may not bring in, though a file that has it is read: a town must start with what it started with before.
 * Errors: `unknown_runtime`, `no_command`.
 */
export function refuseNew(before: Started, after: Started): void {
  if (after.defaultRuntime !== null && after.defaultRuntime !== before.defaultRuntime)
    refuseUnknownRuntime(after.defaultRuntime, after.runtimes);
  for (const rig of after.rigs) {
    const was = before.rigs.find(({ name }) => name === rig.name);
    if (rig.runtime !== was?.runtime) refuseUnknownRuntime(rig.runtime, after.runtimes);
    if (rig.runtime !== was?.runtime || rig.command !== was.command) refuseMissingCommand(rig.runtime, rig);
  }
}
