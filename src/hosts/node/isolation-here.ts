import { parseAllowed } from '../../core/model/allowed-hosts.ts';
import { isolationOf, type Isolation } from '../../core/model/isolation.ts';
import { reachOf } from '../../runner/isolation/addresses.ts';
import { type BwrapFound, probeBubblewrap } from '../../runner/isolation/bubblewrap.ts';
import { addressesOf, addressFor } from '../../runner/isolation/way-out.ts';
import { isList } from '../../runner/isolation/way.ts';
import { loadConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

/** What agents of this machine's rigs are shut in with, and whether that works here. */
export interface IsolationHere {
  /** Rigs by the isolation of their own runtime, and of runtimes that have one of their own. */
  readonly rigs: ReadonlyMap<Isolation, readonly string[]>;
  readonly bubblewrap: BwrapFound;
  /** Names that agents may reach and that lead nowhere from here, with why. */
  readonly lost: readonly { readonly entry: string; readonly why: string }[];
}

/** Makes an empty sandbox. Errors: those of the configuration. */
export async function isolationHere(paths: TownPaths, env: NodeJS.ProcessEnv): Promise<IsolationHere> {
  const rigs = new Map<Isolation, string[]>();
  const listed = new Set<string>();
  for (const { name, shield, runtime } of loadConfig(paths, env).rigs) {
    if (shield === undefined) continue;
    if (isList(shield.sandbox.network)) for (const entry of shield.sandbox.network) listed.add(entry);
    for (const kind of new Set([isolationOf(shield, runtime), ...Object.values(shield.perRuntime)]))
      rigs.set(kind, [...(rigs.get(kind) ?? []), name]);
  }
  const judged = await Promise.all([...listed].map(async (entry) => ({ entry, why: await whyLost(entry) })));
  const lost = judged.flatMap(({ entry, why }) => (why === null ? [] : [{ entry, why }]));
  return { rigs, bubblewrap: await probeBubblewrap(), lost };
}

/** Judged as the way out of a sandbox does; null: it leads somewhere, or only a request can tell. */
async function whyLost(entry: string): Promise<string | null> {
  const allowed = parseAllowed(entry);
  if (allowed === null || allowed.host.startsWith('*.')) return null;
  const found = await addressesOf(allowed.host);
  if (found.length === 0) return 'the name has no address here';
  if (addressFor(allowed, found) !== undefined) return null;
  return `it leads to ${found[0] ?? ''}, which is ${reachOf(found[0] ?? '') === 'never' ? 'never allowed' : 'private'}`;
}
