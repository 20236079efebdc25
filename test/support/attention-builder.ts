/** A town as attention reads it: rigs of plain worlds, and what the test adds. */
import {
  attention,
  beadOfCause,
  rigFindings,
  type AttentionView,
  type RigAttentionView,
} from '../../src/core/attention.ts';
import type { AttentionItem } from '../../src/core/attention-item.ts';
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
  stoppedTrains: () => [],
  ...over,
});

/** A town with its rigs, which find for themselves. */
export interface TownWorld extends AttentionView {
  readonly rigs: readonly RigAttentionView[];
}

/** A quiet town without rigs. */
export const town = (over: Partial<TownWorld> = {}): TownWorld => ({
  rigs: [],
  convoys: () => [],
  escalations: () => [],
  health: () => [],
  refusedSettings: () => null,
  runnerTrouble: () => null,
  mail: () => [],
  ...over,
});

/** What needs a person in it; each rig is asked about its own beads of the escalations, as the service does. */
export function attentionOf(world: TownWorld, nowMs: number): readonly AttentionItem[] {
  const asked = world.escalations().flatMap(({ causeKey }) => beadOfCause(causeKey) ?? []);
  const findings = world.rigs.map((one) => rigFindings(one, asked, nowMs));
  return attention(world, findings);
}

/** A town whose one rig has these beads, of which these wait for a person. */
export const heldUp = (all: readonly Bead[], held: readonly Bead[] = all, world: Partial<World> = {}): TownWorld =>
  town({ rigs: [rig({ beads: all, ...world }, { heldUp: () => held })] });
