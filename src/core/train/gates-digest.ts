import type { Gate } from '../commands.ts';
import { fingerprint } from '../text.ts';

/** Names what gates do: a tree that passed them need not be tested again until one of them changes. */
export const gatesDigest = (gates: readonly Gate[]): string =>
  fingerprint(JSON.stringify(gates.map(({ name, run }) => [name, run])));
