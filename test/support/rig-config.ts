import type { RigConfig } from '../../src/core/commands.ts';
import { trusted } from '../../src/core/model/ids.ts';

/** A rig with room for four polecats and one gate. Apart from the virtual town, so that tests of rules load no actors. */
export function rigConfig(name: string, over: Partial<RigConfig> = {}): RigConfig {
  return {
    name: trusted.rig(name),
    prefix: name,
    url: `/remotes/${name}.git`,
    targetBranch: 'main',
    polecatsMax: 4,
    gates: [{ name: 'test', run: 'true', timeoutMs: 1_000 }],
    runtime: 'script',
    model: null,
    command: null,
    wallClockMs: 3_600_000,
    ownerEmail: 'owner@example.org',
    parked: false,
    ...over,
  };
}
