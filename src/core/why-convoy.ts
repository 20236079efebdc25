/** Why a convoy is where it is: the same sentence in CLI, JSON and API. */
import { convoyOutlook, namesOf } from './convoy-outlook.ts';
import { landedPartially, type Convoy, type ConvoyBead } from './model/convoy.ts';
import type { Why } from './queries.ts';

export function whyConvoy(convoy: Convoy, beads: readonly ConvoyBead[]): Why {
  const say = (sentence: string, next: string | null, sinceMs: number | null = convoy.createdAtMs): Why => ({
    id: convoy.id,
    state: convoy.status,
    sentence,
    rule: 'convoy',
    sinceMs,
    next,
    wakeAtMs: null,
  });
  const progress = `${String(convoy.closedBeads)} of ${String(convoy.totalBeads)} beads are merged or needed no change`;
  switch (convoy.status) {
    case 'creating': {
      const rigs = [...new Set(beads.filter((bead) => bead.status === 'creating').map((bead) => bead.rig))];
      return say(`Waits for the rigs ${rigs.join(', ')} to take its beads.`, 'All of them have answered.');
    }
    case 'staged':
      return say('Complete and staged.', `Run "gt convoy start ${convoy.id}".`);
    case 'active':
      return whyActive(convoy, beads, { progress, say });
    case 'ready_to_land':
      return say('What could run has ended; it lands now.', 'The landing evidence.');
    case 'landed':
      return landedPartially(convoy)
        ? say(`Landed partially: ${progress}; ${endings(beads)}.`, null, convoy.landedAtMs)
        : say(`Landed: ${progress}.`, null, convoy.landedAtMs);
    default:
      return say(`Ended as ${convoy.status}${convoy.reason === null ? '' : `: ${convoy.reason}`}.`, null);
  }
}

const endings = (beads: readonly ConvoyBead[]): string =>
  `left out ${namesOf(beads.filter((bead) => bead.status === 'failed' || bead.status === 'cancelled'))}`;

interface Saying {
  readonly progress: string;
  readonly say: (sentence: string, next: string | null) => Why;
}

function whyActive(convoy: Convoy, beads: readonly ConvoyBead[], { progress, say }: Saying): Why {
  const outlook = convoyOutlook(convoy, beads);
  if (outlook.kind === 'held')
    return say(
      `${progress}; held because of ${namesOf(outlook.because)}.`,
      `A person decides: "gt convoy update ${convoy.id} --on-failure skip" goes on without them, "gt convoy remove ${convoy.id} <bead>" takes one out, "gt convoy close ${convoy.id}" ends it.`,
    );
  const bad = beads.filter((bead) => bead.status === 'failed' || bead.status === 'cancelled');
  return bad.length === 0
    ? say(`${progress}.`, 'The rest of its beads.')
    : say(`${progress}; ${endings(beads)}; the rest goes on.`, 'The rest of its beads.');
}
