import { ACCUSED_AT_ONCE_MAX } from '../limits.ts';
import { prefixLengths } from './policy.ts';
import type { TrainSetup } from './setup.ts';

/** One merge request in line, as the plan of a round sees it. */
export interface LineEntry {
  /** Entries with the same name are suspected together: at least one of them made a list red. */
  readonly suspect: string | null;
}

/**
 * Who takes part in a round (places in the line, in order) and which lists of them are tested, the most useful first. A
 * list holds places in `entries`; the empty one is the untouched target.
 */
export interface RoundPlan {
  readonly entries: readonly number[];
  readonly lists: readonly (readonly number[])[];
}

/**
 * Plans one round. An entry that is suspected alone is tested by itself, beside the untouched target; the others go on
 * without it, before it where they are before it in line. Entries that are suspected together are split; without
 * suspects, the front of the line is tested in lists of the lengths that land most.
 */
export function planRound(line: readonly LineEntry[], setup: TrainSetup): RoundPlan {
  const groups = groupsOf(line);
  const accused = groups.filter((group) => group.length === 1).flat();
  const chain = line.flatMap((_entry, place) => (accused.includes(place) ? [] : [place])).slice(0, setup.batchMax);
  const atOnce = Math.min(ACCUSED_AT_ONCE_MAX, setup.lanes);
  const first = accused.filter((place) => place < (chain[0] ?? line.length)).slice(0, atOnce);
  const later = accused.filter((place) => !first.includes(place)).slice(0, ACCUSED_AT_ONCE_MAX);
  const free = Math.max(0, setup.lanes - first.length);
  const spare = chain.length === 0 ? free : Math.min(later.length, Math.max(0, free - 1));
  const lanes = free - spare;
  return compact([
    ...alone(first),
    ...(lanes > 0 ? splitLists(chain, groups, { ...setup, lanes }) : []),
    ...alone(later.slice(0, spare)),
  ]);
}

/** The target passed its gates already unless somebody else moved it, so that its list takes no lane in general. */
const alone = (accused: readonly number[]): readonly (readonly number[])[] =>
  accused.length === 0 ? [] : [[], ...accused.map((place) => [place])];

/** In a red state nobody is blamed: what could mend the target is tried, the newest first. */
export function planRepair(line: readonly (LineEntry & { readonly queuedAtMs: number })[]): RoundPlan {
  const places = line.map((_entry, place) => place);
  const newest = places.toSorted((a, b) => (line[b]?.queuedAtMs ?? 0) - (line[a]?.queuedAtMs ?? 0))[0];
  return compact([[], ...(newest === undefined ? [] : [[newest]]), ...(newest === 0 ? [] : [[0]])]);
}

function groupsOf(line: readonly LineEntry[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const [place, { suspect }] of line.entries()) {
    if (suspect === null) continue;
    const known = groups.get(suspect);
    if (known === undefined) groups.set(suspect, [place]);
    else known.push(place);
  }
  return [...groups.values()];
}

function splitLists(
  chain: readonly number[],
  groups: readonly (readonly number[])[],
  setup: TrainSetup,
): readonly (readonly number[])[] {
  const suspects = groups.find((group) => group.length > 1 && group.every((place) => chain.includes(place)));
  if (suspects === undefined) return prefixLengths(chain.length, setup).map((length) => chain.slice(0, length));
  return isolate(chain, suspects, setup);
}

/**
 * Suspects are told apart: by lists that end within them, and with lanes left by lists that leave one of them out and go on
 * behind them, since one bad entry is the likeliest cause.
 */
function isolate(
  chain: readonly number[],
  suspects: readonly number[],
  { lanes, rates, batchMax }: TrainSetup,
): readonly (readonly number[])[] {
  const places = suspects.map((place) => chain.indexOf(place));
  const cuts = Math.min(lanes, suspects.length - 1);
  const inside = Array.from({ length: cuts }, (_, n) => {
    const count = Math.ceil(((n + 1) * suspects.length) / (cuts + 1));
    return chain.slice(0, (places[count - 1] ?? 0) + 1);
  });
  const behind = (places.at(-1) ?? 0) + 1;
  const left = lanes - cuts;
  const each = Math.ceil(left / suspects.length);
  const lengths = [0, ...prefixLengths(Math.min(chain.length, batchMax) - behind, { lanes: each, rates, batchMax })];
  const without = lengths
    .slice(left > suspects.length ? 1 : 0)
    .flatMap((length) => suspects.map((place) => chain.slice(0, behind + length).filter((other) => other !== place)));
  return [...inside, ...without.slice(0, left)].filter((list) => list.length > 0);
}

/** Places of the line to places among those who take part. */
function compact(lists: readonly (readonly number[])[]): RoundPlan {
  const entries = [...new Set(lists.flat())].toSorted((a, b) => a - b);
  const seen = new Set<string>();
  const unique = lists
    .map((list) => list.map((place) => entries.indexOf(place)))
    .filter((list) => {
      const name = list.join(' ');
      if (seen.has(name)) return false;
      seen.add(name);
      return true;
    });
  return { entries, lists: unique };
}
