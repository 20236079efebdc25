import type { RigConfig } from '../core/commands.ts';
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
    refuseEngine(rig, { runtime: rig.runtime, former: was?.runtime, was, own: after.runtimes });
    const reviewer = rig.reviewer?.runtime;
    if (reviewer !== undefined)
      refuseEngine(rig, { runtime: reviewer, former: was?.reviewer?.runtime, was, own: after.runtimes });
  }
}

interface Engine {
  readonly runtime: string;
  readonly former: string | undefined;
  readonly was: RigConfig | undefined;
  readonly own: Settings['runtimes'];
}

function refuseEngine(rig: RigConfig, { runtime, former, was, own }: Engine): void {
  if (runtime !== former) refuseUnknownRuntime(runtime, own);
  if (runtime !== former || rig.command !== was?.command) refuseMissingCommand(runtime, rig);
}
