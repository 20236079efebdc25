/** A list of a round whose gates have an answer: places of entries, in order; none for the untouched target. */
export interface Judged {
  readonly entries: readonly number[];
  readonly isGreen: boolean;
}

export interface Conclusion {
  /** The list that may land; null when none passed. */
  readonly land: Judged | null;
  /** Places in some list that passed: they are under no suspicion. */
  readonly good: ReadonlySet<number>;
  /** Places that are suspected together, each of one group at most; the smaller group first. */
  readonly groups: readonly (readonly number[])[];
  readonly isTargetRed: boolean;
}

/**
 * What the answers of a round say. The longest list that passed lands. Of a list that failed, those are suspects who are in
 * no list that passed; where all of them are, they do not go together, and those are suspects who do not land.
 */
export function conclude(judged: readonly Judged[]): Conclusion {
  const green = judged.filter((list) => list.isGreen);
  const land = green.reduce<Judged | null>(
    (best, list) => (list.entries.length > (best?.entries.length ?? 0) ? list : best),
    null,
  );
  const good = new Set(green.flatMap((list) => list.entries));
  const red = judged.filter((list) => !list.isGreen);
  const groups: (readonly number[])[] = [];
  for (const group of red.map((list) => suspectsOf(list, good, land)).toSorted((a, b) => a.length - b.length))
    if (group.length > 0 && !groups.some((other) => other.some((place) => group.includes(place)))) groups.push(group);
  return { land, good, groups, isTargetRed: red.some((list) => list.entries.length === 0) };
}

function suspectsOf(list: Judged, good: ReadonlySet<number>, land: Judged | null): readonly number[] {
  const unknown = list.entries.filter((place) => !good.has(place));
  return unknown.length > 0 ? unknown : list.entries.filter((place) => land?.entries.includes(place) !== true);
}

/** True when an answer of this list could still change what lands or who is suspected. */
export const isOpen = (entries: readonly number[], land: Pick<Judged, 'entries'> | null): boolean =>
  land === null || entries.length === 0 || entries.some((place) => !land.entries.includes(place));
