/** Plans of a round that know which entries change the same files: what was tried beside the town's own (decision 15). */
import type { RoundPlan } from '../../src/core/train/plan.ts';
import { isAlone, isGood } from '../../src/core/train/marks.ts';
import { groupSize } from '../../src/core/train/policy.ts';
import type { TrainSetup } from '../../src/core/train/setup.ts';
import type { OverlapLine } from '../overlap-world.ts';
import type { Entry, Planner } from '../train-world.ts';

type List = readonly number[];

interface Known {
  readonly line: OverlapLine;
  readonly front: readonly Entry[];
  readonly setup: TrainSetup;
  /** Places that are good or under suspicion. */
  readonly marked: List;
}

/** Fresh places, in order, to lists of those that are tested together. */
type Groups = (fresh: List, known: Known) => readonly List[];

export const PATH_PLANS: Readonly<Record<string, (line: OverlapLine) => Planner>> = {
  'lists of disjoint ones': (line) => planner(line, disjoint),
  'behind those ahead': (line) => planner(line, behind),
  'behind suspects': (line) => planner(line, behindSuspects),
  'lists by risk': (line) => planner(line, byRisk),
};

const chunks = (list: List, size: number): readonly List[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, n) => list.slice(n * size, (n + 1) * size));

const usual: Groups = (fresh, { setup }) => chunks(fresh, groupSize(setup.rates, setup.batchMax));

const meets = ({ line, front }: Known, one: number, others: List): boolean => {
  const entry = front[one];
  return entry !== undefined && others.some((other) => line.overlap(front[other] ?? entry, entry));
};

/** An entry goes into the first list that changes none of its files. */
const disjoint: Groups = (fresh, known) => {
  const size = groupSize(known.setup.rates, known.setup.batchMax);
  const groups: number[][] = [];
  for (const place of fresh) {
    const group = groups.find((one) => one.length < size && !meets(known, place, one));
    if (group === undefined) groups.push([place]);
    else group.push(place);
  }
  return groups;
};

/** Whoever changes a file of somebody ahead of it waits until that one has landed or left. */
const behind: Groups = (fresh, known) => {
  const taken = [...known.marked];
  const free = fresh.filter((place) => {
    const ahead = taken.filter((other) => other < place);
    if (meets(known, place, ahead)) return false;
    taken.push(place);
    return true;
  });
  return usual(free, known);
};

/** Whoever changes a file of a suspect waits until that one is told apart. */
const behindSuspects: Groups = (fresh, known) => {
  const suspects = known.marked.filter((place) => !isGood(known.front[place]?.mark ?? null));
  return usual(
    fresh.filter((place) => !meets(known, place, suspects)),
    known,
  );
};

/** Those that change files of others have lists of their own, as large as it pays at the rate that was seen of them. */
const byRisk: Groups = (fresh, known) => {
  const { line, front, setup } = known;
  const sizeOf = (kind: 'tangled' | 'calm'): number =>
    groupSize({ ...setup.rates, bad: line.badOf(kind) }, setup.batchMax);
  if (sizeOf('tangled') === sizeOf('calm')) return usual(fresh, known);
  const isTangled = (place: number): boolean => {
    const entry = front[place];
    return entry !== undefined && line.isTangled(entry);
  };
  const tangled = fresh.filter(isTangled);
  const calm = fresh.filter((place) => !isTangled(place));
  return [...chunks(calm, sizeOf('calm')), ...chunks(tangled, sizeOf('tangled'))].toSorted(oldest);
};

const oldest = (a: List, b: List): number => (a[0] ?? 0) - (b[0] ?? 0);

/** `planRound` with other groups of what is fresh. */
function planner(line: OverlapLine, groupsOf: Groups): Planner {
  return (front, setup) => {
    const places = front.map((_entry, place) => place);
    const markOf = (place: number): string | null => front[place]?.mark ?? null;
    const marked = places.filter((place) => markOf(place) !== null);
    const suspects = new Map<string | null, List>();
    for (const place of marked)
      if (!isGood(markOf(place))) suspects.set(markOf(place), [...(suspects.get(markOf(place)) ?? []), place]);
    const accused = [...suspects.values()].filter((group) => isAlone(markOf(group[0] ?? -1)));
    const halves = [...suspects.values()]
      .filter((group) => !accused.includes(group))
      .map((group) => group.slice(0, Math.ceil(group.length / 2)));
    const fresh = places.filter((place) => markOf(place) === null);
    const groups = groupsOf(fresh, { line, front, setup, marked });
    const order = [...accused, ...halves, ...groups].toSorted(oldest);
    const good = places.filter((place) => isGood(markOf(place))).slice(0, setup.batchMax);
    const first = groups[0] ?? [];
    const isWhole = good.length > 0 && first.length > 0 && good.length + first.length <= setup.batchMax;
    const landing = isWhole ? [...good, ...first].toSorted((a, b) => a - b) : good;
    const others = order.filter((list) => !isWhole || list !== first);
    return planOf(landing.length === 0 ? others : [landing, ...others], setup, accused);
  };
}

/** As many lists as there are lanes, and the untouched target beside somebody who is accused. */
function planOf(lists: readonly List[], { lanes }: TrainSetup, accused: readonly List[]): RoundPlan {
  const tested = lists.slice(0, lanes);
  const all = tested.some((list) => accused.includes(list)) ? [[], ...tested] : tested;
  const entries = [...new Set(all.flat())].toSorted((a, b) => a - b);
  return { entries, lists: all.map((list) => list.map((place) => entries.indexOf(place))) };
}
