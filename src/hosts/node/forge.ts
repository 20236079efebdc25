import type { Forge } from '../../ports/forge.ts';
import { readSecret } from './secret-reference.ts';

/** Code hosts from this machine. Their client is loaded by the first call: most towns never make one. */
export function nodeForge(env: NodeJS.ProcessEnv, nowMs: () => number): Forge {
  let loaded: Promise<Forge> | null = null;
  const load = async (): Promise<Forge> => {
    const { TownForge } = await import('../../forge/town-forge.ts');
    return new TownForge({ secret: (reference) => readSecret(reference, env), nowMs });
  };
  const forge = (): Promise<Forge> => (loaded ??= load());
  return {
    open: async (request) => (await forge()).open(request),
    look: async (ref, tag) => (await forge()).look(ref, tag),
    merge: async (request) => (await forge()).merge(request),
    close: async (request) => (await forge()).close(request),
  };
}
