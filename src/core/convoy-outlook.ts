import type { Convoy, ConvoyBead } from './model/convoy.ts';

/** What becomes of a convoy, from its policy and its beads: one answer for the rule, `gt why` and the status. */
export type ConvoyOutlook =
  /** Beads still run, or can. */
  | { readonly kind: 'moving' }
  /** Some ended badly and the policy does not say what follows: a person decides. */
  | { readonly kind: 'held'; readonly because: readonly ConvoyBead[] }
  /** Nothing runs any more and what ended well may land. */
  | { readonly kind: 'ready'; readonly without: readonly ConvoyBead[] }
  /** Policy `abort`, and one failed. */
  | { readonly kind: 'abort'; readonly because: readonly ConvoyBead[] }
  /** Nothing is left that could land. */
  | { readonly kind: 'nothing'; readonly to: 'failed' | 'cancelled'; readonly reason: string };

const hasEnded = (bead: ConvoyBead): boolean =>
  bead.status === 'closed' || bead.status === 'failed' || bead.status === 'cancelled';

export function convoyOutlook(convoy: Convoy, beads: readonly ConvoyBead[]): ConvoyOutlook {
  const failed = beads.filter((bead) => bead.status === 'failed');
  const bad = beads.filter((bead) => bead.status === 'failed' || bead.status === 'cancelled');
  const closed = beads.filter((bead) => bead.status === 'closed');
  if (closed.length > 0 && closed.length === beads.length) return { kind: 'ready', without: [] };
  if (convoy.onFailure === 'abort' && failed.length > 0) return { kind: 'abort', because: failed };
  if (bad.length === beads.length && failed.length === 0)
    return { kind: 'nothing', to: 'cancelled', reason: 'every bead was cancelled' };
  if (convoy.onFailure !== 'skip') return bad.length > 0 ? { kind: 'held', because: bad } : { kind: 'moving' };
  if (!beads.every(hasEnded)) return { kind: 'moving' };
  return closed.length > 0
    ? { kind: 'ready', without: bad }
    : { kind: 'nothing', to: 'failed', reason: `no bead ended well: ${namesOf(bad)}` };
}

/** The beads and how they ended, for a sentence. */
export const namesOf = (beads: readonly ConvoyBead[]): string =>
  beads.map((bead) => `${bead.beadId ?? bead.title} (${bead.closeReason ?? bead.status})`).join(', ');
