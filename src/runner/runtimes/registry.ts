import type { StartAgent } from '../../api/contract/runner.ts';
import { precondition } from '../../core/errors.ts';
import { RUNTIME_PRESETS } from '../../core/runtime-presets.ts';
import { RUNTIMES } from '../../core/runtimes.ts';
import { commandRuntime } from './command.ts';
import { presetRuntime } from './preset.ts';
import type { Runtime } from './runtime.ts';
import { scriptRuntime } from './script.ts';

/** Runtimes that are code; every other one is a preset (`src/core/runtime-presets.ts`, or the town's own). */
const BUILT_IN: readonly Runtime[] = [scriptRuntime, commandRuntime];

/** The runtime that a start asks for. Errors: `runtime_missing`. */
export function runtimeOf(request: Pick<StartAgent, 'runtime' | 'preset'>): Runtime {
  const { runtime: name } = request;
  const builtIn = BUILT_IN.find((each) => each.name === name);
  if (builtIn !== undefined) return builtIn;
  const preset = request.preset ?? (Object.hasOwn(RUNTIME_PRESETS, name) ? RUNTIME_PRESETS[name] : undefined);
  if (preset !== undefined) return presetRuntime(name, preset);
  throw precondition(
    'runtime_missing',
    `This runner has no runtime ${JSON.stringify(name.slice(0, 80))}.`,
    `Use one of: ${RUNTIMES.join(', ')}.`,
  );
}
