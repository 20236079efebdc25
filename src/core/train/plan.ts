import { isAlone, isGood, isPush } from './marks.ts';
import { groupSize } from './policy.ts';
import type { TrainSetup } from './setup.ts';

/** One merge request in line, as the plan of a round sees it. */
export interface LineEntry {
  /** What earlier rounds showed of it (`marks.ts`); null: nothing. */
  readonly mark: string | null;
}

/**
 * Who takes part in a round (places in the line, in order) and which lists of them are tested, the most useful first. A
 * list holds places in `entries`; the empty one is the untouched target.
 */
export interface RoundPlan {
  readonly entries: readonly number[];
  readonly lists: readonly (readonly number[])[];
}

type List = readonly number[];

/**
 * Plans one round. Each lane tests one list: an entry that was red by itself, again and beside the untouched target; the
 * first half of those that are suspected together; fresh entries in groups of the size that costs the fewest runs. Those
 * that passed in a list that did not land are put together, with the first fresh group behind them. What a refused push held
 * is pushed apart: when it is first in line the first half of it is a round of its own, so that nothing longer lands instead.
 */
export function planRound(line: readonly LineEntry[], setup: TrainSetup): RoundPlan {
  const parts = partsOf(line, setup);
  const oldest = line[0]?.mark ?? null;
  if (isPush(oldest)) return compact([half(line.flatMap(({ mark }, place) => (mark === oldest ? [place] : [])))]);
  // Oldest first: what is suspected was in line before most of what is fresh.
  const order = [...parts.accused, ...parts.halves, ...parts.groups].toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  const good = parts.good.slice(0, setup.batchMax);
  if (good.length === 0) return withTarget(order.slice(0, setup.lanes), parts.accused);
  const first = parts.groups[0] ?? [];
  const whole = [...good, ...first];
  const landing = whole.length <= setup.batchMax && first.length > 0 ? whole.toSorted((a, b) => a - b) : good;
  const others = order.filter((list) => landing === good || list !== first).slice(0, setup.lanes - 1);
  return withTarget([landing, ...others], parts.accused);
}

/**
 * Without gates a round is one push: of all that no refused push held, or of the first half of those that one did, whoever
 * is oldest. Put together again they would be refused again, and nobody would learn whose it is.
 */
export function planUngated(line: readonly LineEntry[], batchMax: number): RoundPlan {
  const lists = new Map<string | null, number[]>();
  for (const [place, { mark }] of line.entries()) {
    const group = isPush(mark) ? mark : null;
    lists.set(group, [...(lists.get(group) ?? []), place]);
  }
  // A map keeps the order in which its keys came: the first list holds the oldest entry.
  const [[mark, places] = [null, []]] = lists;
  return compact([mark === null ? places.slice(0, batchMax) : half(places)]);
}

/** A train whose target is red, as the plan of a round sees it. */
export interface RedTrain {
  readonly changedAtMs: number;
  /** Grows by one with every round that leaves it red. */
  readonly version: number;
  /** The round begins because it was time to try again. */
  readonly isRetry: boolean;
}

/**
 * In a red state nobody is blamed: what could mend the target is tried. What is new in line comes first, the newest before
 * all. Else the target by itself (its red may have been a flake) and those in line have the first place in turn: with one
 * lane only the first list runs, and none of them may be left out for ever.
 */
export function planRepair(line: readonly { readonly queuedAtMs: number }[], train: RedTrain): RoundPlan {
  const queuedAtMs = (place: number): number => line[place]?.queuedAtMs ?? 0;
  const [newest] = line.map((_entry, place) => place).toSorted((a, b) => queuedAtMs(b) - queuedAtMs(a));
  if (newest === undefined) return compact([[]]);
  if (!train.isRetry && queuedAtMs(newest) > train.changedAtMs) return compact([[newest], [], [0]]);
  const next = [Math.floor(train.version / 2) % line.length];
  return compact(train.version % 2 === 0 ? [[], next] : [next, []]);
}

const half = (list: List): List => list.slice(0, Math.ceil(list.length / 2));

interface Parts {
  readonly good: List;
  readonly accused: readonly List[];
  readonly halves: readonly List[];
  readonly groups: readonly List[];
}

function partsOf(line: readonly LineEntry[], setup: TrainSetup): Parts {
  const places = line.map((_entry, place) => place);
  const markOf = (place: number): string | null => line[place]?.mark ?? null;
  const marked = new Map<string, number[]>();
  for (const place of places) {
    const mark = markOf(place);
    if (mark === null || isGood(mark)) continue;
    const known = marked.get(mark);
    if (known === undefined) marked.set(mark, [place]);
    else known.push(place);
  }
  const isOf = (is: (mark: string | null) => boolean, group: List): boolean => is(markOf(group[0] ?? -1));
  const groups = [...marked.values()].filter((group) => !isOf(isPush, group));
  const fresh = places.filter((place) => markOf(place) === null);
  const size = groupSize(setup.rates, setup.batchMax);
  return {
    good: places.filter((place) => isGood(markOf(place))),
    accused: groups.filter((group) => isOf(isAlone, group)),
    halves: groups.filter((group) => !isOf(isAlone, group)).map(half),
    groups: Array.from({ length: Math.ceil(fresh.length / size) }, (_, n) => fresh.slice(n * size, (n + 1) * size)),
  };
}

/** The target passed its gates already unless somebody else moved it, so that its list takes no lane in general. */
const withTarget = (lists: readonly List[], accused: readonly List[]): RoundPlan =>
  compact(lists.some((list) => accused.includes(list)) ? [[], ...lists] : lists);

/** Places of the line to places among those who take part. */
function compact(lists: readonly List[]): RoundPlan {
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
