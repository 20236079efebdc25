import { TownForge } from '../../forge/town-forge.ts';
import type { Forge } from '../../ports/forge.ts';
import type { BoundSecret } from './env.ts';

/** Code hosts from an object. A token is a secret that was bound to the Worker; there are no files. */
export const objectForge = (secret: BoundSecret): Forge =>
  new TownForge({
    secret: (reference) => (reference.startsWith('env:') ? secret(reference.slice('env:'.length)) : null),
    nowMs: Date.now,
  });
