import { isolationOf, type Isolation } from '../../core/model/isolation.ts';
import { type BwrapFound, probeBubblewrap } from '../../runner/isolation/bubblewrap.ts';
import { loadConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

/** What agents of this machine's rigs are shut in with, and whether that works here. */
export interface IsolationHere {
  /** Rigs by the isolation of their own runtime, and of runtimes that have one of their own. */
  readonly rigs: ReadonlyMap<Isolation, readonly string[]>;
  readonly bubblewrap: BwrapFound;
}

/** Makes an empty sandbox. Errors: those of the configuration. */
export async function isolationHere(paths: TownPaths, env: NodeJS.ProcessEnv): Promise<IsolationHere> {
  const rigs = new Map<Isolation, string[]>();
  for (const { name, shield, runtime } of loadConfig(paths, env).rigs) {
    if (shield === undefined) continue;
    for (const kind of new Set([isolationOf(shield, runtime), ...Object.values(shield.perRuntime)]))
      rigs.set(kind, [...(rigs.get(kind) ?? []), name]);
  }
  return { rigs, bubblewrap: await probeBubblewrap() };
}
