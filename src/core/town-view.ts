import type { Convoy, ConvoyBead } from './model/convoy.ts';
import type { ConvoyId, RigName } from './model/ids.ts';

/** What rules of the town may read. */
export interface TownView {
  convoy(id: ConvoyId): Convoy | null;
  /** Its beads in order of position. */
  convoyBeads(id: ConvoyId): readonly ConvoyBead[];
  rigNames(): readonly RigName[];
}
