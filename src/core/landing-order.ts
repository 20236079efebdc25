import type { Convoy, ConvoyBead } from './model/convoy.ts';

/** The rigs of a convoy in the order in which they land: as named, then as they first appear in the plan. */
export function landingRigs(
  convoy: Pick<Convoy, 'landingOrder'>,
  beads: readonly Pick<ConvoyBead, 'rig'>[],
): readonly string[] {
  const present = [...new Set(beads.map((bead) => bead.rig))];
  const named = [...new Set(convoy.landingOrder)].filter((rig) => present.some((other) => other === rig));
  return [...named, ...present.filter((rig) => !named.includes(rig))];
}
