/** A town as attention reads it: rigs of plain worlds, and what the test adds. */
import type { AttentionView, RigAttentionView } from '../../src/core/attention.ts';
import type { Bead } from '../../src/core/model/bead.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { rigView, type World } from './rig-view-builder.ts';

/** The rig `api`, in which nothing waits for a person. */
export const rig = (world: Partial<World> = {}, over: Partial<RigAttentionView> = {}): RigAttentionView => ({
  name: trusted.rig('api'),
  view: rigView(world),
  blockers: () => [],
  heldUp: () => [],
  questions: () => [],
  waiting: () => 0,
  ...over,
});

/** A quiet town without rigs. */
export const town = (over: Partial<AttentionView> = {}): AttentionView => ({
  rigs: [],
  rigOf: (id) => (over.rigs ?? []).find((one) => one.view.bead(id) !== null) ?? null,
  convoys: () => [],
  escalations: () => [],
  health: () => [],
  mail: () => [],
  ...over,
});

/** A town whose one rig has these beads, of which these wait for a person. */
export const heldUp = (all: readonly Bead[], held: readonly Bead[] = all, world: Partial<World> = {}): AttentionView =>
  town({ rigs: [rig({ beads: all, ...world }, { heldUp: () => held })] });
