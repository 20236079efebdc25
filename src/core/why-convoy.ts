/** Why a convoy is where it is: the same sentence in CLI, JSON and API. */
import { convoyOutlook, namesOf } from './convoy-outlook.ts';
import { landedPartially, type Convoy, type ConvoyBead, type ConvoyStatus } from './model/convoy.ts';
import { LANDING_ATTEMPTS_MAX } from './limits.ts';
import { landingRigs } from './landing-order.ts';
import { hasLanded, removedText, type ConvoyLanding } from './model/landing.ts';
import type { ConvoyRevert } from './model/revert.ts';
import type { Why } from './queries.ts';
import { revertedText } from './why-revert.ts';
import { asSentence } from './sentence.ts';

/** The one word for where a convoy is: its status, or `needs_human` while it waits for a person's decision. */
export type ConvoyPhase = ConvoyStatus | 'needs_human';

/** From the counts alone, so that lists need not read the beads; `convoyOutlook` says the same from the beads. */
export function convoyPhase(convoy: Convoy): ConvoyPhase {
  const bad = convoy.failedBeads + convoy.cancelledBeads;
  const asks =
    convoy.status === 'active' &&
    bad > 0 &&
    convoy.onFailure !== 'skip' &&
    !(convoy.onFailure === 'abort' && convoy.failedBeads > 0) &&
    !(bad === convoy.totalBeads && convoy.failedBeads === 0);
  return asks ? 'needs_human' : convoy.status;
}

interface More {
  readonly command?: string;
  readonly sinceMs?: number | null;
}

/** How far its landing is, what the landing that is under way waits for, and what became of its revert. */
export interface LandingFacts {
  readonly landings: readonly ConvoyLanding[];
  readonly now: Why | null;
  readonly reverts: readonly ConvoyRevert[];
  /** Beads of it that only a person can move, as their rigs say. Missing: the rigs were not asked. */
  readonly standing?: readonly string[] | undefined;
}
const NO_LANDING: LandingFacts = { landings: [], now: null, reverts: [] };

export const whyConvoy = (convoy: Convoy, beads: readonly ConvoyBead[], landing: LandingFacts = NO_LANDING): Why =>
  revertedText(whereItIs(convoy, beads, landing), landing.reverts);

function whereItIs(convoy: Convoy, beads: readonly ConvoyBead[], landing: LandingFacts): Why {
  const say = (sentence: string, next: string | null, more: More = {}): Why => ({
    id: convoy.id,
    state: convoyPhase(convoy),
    sentence: asSentence(sentence),
    rule: 'convoy',
    sinceMs: more.sinceMs ?? convoy.createdAtMs,
    next,
    command: more.command ?? null,
    wakeAtMs: null,
  });
  const progress = `${String(convoy.closedBeads)} of ${String(convoy.totalBeads)} beads are merged or needed no change`;
  switch (convoy.status) {
    case 'creating': {
      const rigs = [...new Set(beads.filter((bead) => bead.status === 'creating').map((bead) => bead.rig))];
      return say(`Waits for the rigs ${rigs.join(', ')} to take its beads.`, 'All of them have answered.');
    }
    case 'staged':
      return say('Complete and staged.', 'A person starts it.', { command: `gt convoy start ${convoy.id}` });
    case 'active':
      return whyActive(convoy, beads, { progress, say, standing: landing.standing ?? [] });
    case 'ready_to_land':
      return whyLanding(convoy, beads, landing);
    case 'landed':
      return landedPartially(convoy)
        ? say(`Landed partially: ${progress}; ${endings(beads)}.`, null, { sinceMs: convoy.landedAtMs })
        : say(`Landed: ${progress}.`, null, { sinceMs: convoy.landedAtMs });
    default:
      return say(`Ended as ${convoy.status}${convoy.reason === null ? '' : `: ${convoy.reason}`}.`, null);
  }
}

function whyLanding(convoy: Convoy, beads: readonly ConvoyBead[], { landings, now }: LandingFacts): Why {
  const base = {
    id: convoy.id,
    state: convoy.status,
    rule: 'convoy-landing',
    sinceMs: convoy.createdAtMs,
    command: now?.command ?? null,
    wakeAtMs: null,
  };
  const next = landings.find((landing) => !hasLanded(landing));
  if (next === undefined)
    return { ...base, sentence: 'What could run has ended; it lands now.', next: 'The landing evidence.' };
  const done = landings.filter((landing) => landing.state === 'landed').map((landing) => landing.rig);
  const order = landingRigs(convoy, beads).join(', ');
  const so = `${done.length === 0 ? 'Nothing has landed yet' : `Landed in ${done.join(', ')}`} (order: ${order})`;
  return { ...base, ...stageOf(convoy, next, { so, now }) };
}

/** What becomes of the rig that is next to land. */
function stageOf(
  convoy: Convoy,
  next: ConvoyLanding,
  { so, now }: { readonly so: string; readonly now: Why | null },
): Pick<Why, 'sentence' | 'next' | 'wakeAtMs'> & Partial<Pick<Why, 'command'>> {
  const attempt = `attempt ${String(Math.max(1, next.attempt))} of ${String(LANDING_ATTEMPTS_MAX)}`;
  const bead = next.beadId === null ? '' : ` as ${next.beadId}`;
  if (next.state === 'ordered')
    return {
      sentence: `${so}; lands in ${next.rig} now, ${attempt}${bead}${now === null ? '.' : `: ${now.sentence}`}`,
      next: now?.next ?? `${next.rig} makes its merge request.`,
      wakeAtMs: now?.wakeAtMs ?? null,
    };
  if (next.reason === removedText(next.rig))
    return {
      sentence: `${so}; ${next.reason}.`,
      next: `A person adds the rig again, and it lands by itself; "gt convoy close ${convoy.id}" ends it without what has not landed.`,
      wakeAtMs: null,
      command: `gt rig add ${next.rig} <url>`,
    };
  if (next.attempt === 0)
    return { sentence: `${so}; ${next.rig} is next.`, next: 'It is ordered now.', wakeAtMs: null };
  return {
    sentence: `${so}; ${attempt} to land in ${next.rig} failed: ${next.reason ?? 'it was given up'}.`,
    next: `The next attempt comes by itself; "gt convoy close ${convoy.id}" gives the rest up.`,
    wakeAtMs: next.notBeforeMs,
  };
}

const endings = (beads: readonly ConvoyBead[]): string =>
  `left out ${namesOf(beads.filter((bead) => bead.status === 'failed' || bead.status === 'cancelled'))}`;

interface Saying {
  readonly progress: string;
  readonly say: (sentence: string, next: string | null, more?: More) => Why;
  readonly standing: readonly string[];
}

function whyActive(convoy: Convoy, beads: readonly ConvoyBead[], { progress, say, standing }: Saying): Why {
  const outlook = convoyOutlook(convoy, beads);
  if (outlook.kind === 'held')
    return say(
      `${progress}; waits for a person because of ${namesOf(outlook.because)}.`,
      `A person decides: "gt convoy update ${convoy.id} --on-failure skip" goes on without them, "gt convoy remove ${convoy.id} <bead>" takes one out, "gt convoy close ${convoy.id}" ends it.`,
      { command: `gt convoy update ${convoy.id} --on-failure skip` },
    );
  const bad = beads.filter((bead) => bead.status === 'failed' || bead.status === 'cancelled');
  const so = bad.length === 0 ? progress : `${progress}; ${endings(beads)}`;
  const [first] = standing;
  if (first !== undefined)
    return say(
      `${so}; ${standing.join(', ')} ${standing.length === 1 ? 'waits' : 'wait'} for a person.`,
      `A person looks at ${first}.`,
      {
        command: `gt why ${first}`,
      },
    );
  return say(bad.length === 0 ? `${so}.` : `${so}; the rest goes on.`, 'The rest of its beads.');
}
