import type { Caller } from '../../core/commands.ts';
import { notFound, precondition, TownError } from '../../core/errors.ts';
import { isConvoyEnded, type Convoy } from '../../core/model/convoy.ts';
import type { ConvoyId } from '../../core/model/ids.ts';
import { convoyRef } from '../../core/refs.ts';
import { landedCommits, type LandedOn } from '../../core/landed-commits.ts';
import type { Turn } from '../kernel/turn.ts';
import type { TownContext } from './town-context.ts';

/**
 * Orders one revert for each branch that the convoy landed on. Where one is under way or was merged nothing happens, so
 * asking twice is asking once; one that failed is tried again. Errors: `convoy_not_found`, `convoy_runs`,
 * `nothing_landed`, `rig_removed`.
 */
export function revertConvoy(town: TownContext, turn: Turn, id: ConvoyId, caller: Caller): ConvoyId {
  const convoy = town.view.convoy(id);
  if (convoy === null) throw notFound('convoy', id);
  const places = checkRevert(town, convoy);
  const known = town.view.convoyReverts(id);
  for (const place of places) {
    const before = known.find((row) => row.rig === place.rig && row.target === place.target);
    if (before !== undefined && before.state !== 'failed') continue;
    if (town.view.isRemovedRig(place.rig))
      throw precondition(
        'rig_removed',
        `${id} landed in ${place.rig}, which was removed from the town.`,
        `Add the rig again with "gt rig add ${place.rig} <url>".`,
      );
    const attempt = town.reverts(turn).order(id, place, caller.actor);
    const { rig, target, commits } = place;
    town.tell(turn, rig, {
      type: 'revert_convoy',
      convoy: id,
      title: convoy.title,
      target,
      attempt,
      commits,
      by: caller.actor,
    });
    turn.journal({
      entity: convoyRef(id),
      action: 'revert_convoy',
      rule: 'command',
      reason: `by ${caller.actor}: ${String(commits.length)} merges on ${target} of ${rig}`,
      to: `attempt ${String(attempt)}`,
    });
  }
  return id;
}

/** Where the convoy landed. What still runs could land after its revert, so it has to end first. */
function checkRevert(town: TownContext, convoy: Convoy): readonly LandedOn[] {
  if (!isConvoyEnded(convoy.status))
    throw precondition(
      'convoy_runs',
      `The convoy ${convoy.id} has not ended (${convoy.status}); what it does next could land after the revert.`,
      `End it first with "gt convoy close ${convoy.id}".`,
    );
  const beads = town.view.convoyBeads(convoy.id);
  const landings = town.view.convoyLandings(convoy.id);
  const live = [
    ...beads.flatMap((bead) =>
      bead.status === 'live' || bead.status === 'creating' ? [bead.beadId ?? bead.title] : [],
    ),
    ...landings.flatMap((landing) =>
      landing.state === 'ordered' ? [landing.beadId ?? `the landing in ${landing.rig}`] : [],
    ),
  ];
  if (live.length > 0)
    throw new TownError('busy', 'convoy_runs', {
      message: `${convoy.id} has ended as ${convoy.status}, but ${live.join(', ')} has not and may still be merged.`,
      next: `Wait for its end ("gt why ${live[0] ?? convoy.id}"), or close it, then ask again.`,
    });
  const places = landedCommits(convoy, {
    beads,
    landings,
    defaultTarget: (rig) => town.view.rig(rig)?.config.targetBranch,
  });
  if (places.length === 0)
    throw precondition(
      'nothing_landed',
      `Nothing of ${convoy.id} was merged into the target of a rig, so there is nothing to undo.`,
      `See what became of it with "gt convoy show ${convoy.id}".`,
    );
  return places;
}
