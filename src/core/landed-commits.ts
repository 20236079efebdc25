import type { Convoy, ConvoyBead } from './model/convoy.ts';
import type { ConvoyLanding } from './model/landing.ts';

/** One branch of one rig, and the merge commits by which a convoy's work came there. */
export interface LandedOn {
  readonly rig: string;
  readonly target: string;
  readonly commits: readonly string[];
}

interface Ended {
  readonly beads: readonly ConvoyBead[];
  readonly landings: readonly ConvoyLanding[];
  /** Target of a rig, for merges that were recorded before their target was. */
  readonly defaultTarget: (rig: string) => string | undefined;
}

/** Where a convoy landed, by evidence: what it merged into its feature branch came to the target with the landing only. */
export function landedCommits(convoy: Convoy, { beads, landings, defaultTarget }: Ended): readonly LandedOn[] {
  const merges = [
    ...beads
      .filter((bead) => bead.closeReason === 'merged' && !isOnFeature(convoy, bead))
      .map(({ rig, mergeTarget, mergeSha }) => ({ rig, target: mergeTarget, sha: mergeSha })),
    ...landings
      .filter((landing) => landing.state === 'landed')
      .map(({ rig, target, mergeSha }) => ({ rig, target, sha: mergeSha })),
  ];
  const places = new Map<string, { readonly rig: string; readonly target: string; readonly commits: string[] }>();
  for (const { rig, target: known, sha } of merges) {
    const target = known ?? defaultTarget(rig);
    if (sha === null || target === undefined) continue;
    const key = `${rig} ${target}`;
    const place = places.get(key) ?? { rig, target, commits: [] };
    if (!place.commits.includes(sha)) place.commits.push(sha);
    places.set(key, place);
  }
  return [...places.values()];
}

const isOnFeature = (convoy: Convoy, bead: ConvoyBead): boolean =>
  convoy.featureBranch !== null && bead.mergeTarget === convoy.featureBranch;
