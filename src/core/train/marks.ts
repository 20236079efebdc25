import type { Conclusion } from './conclude.ts';

/**
 * What rounds showed of an entry that stays in line, as a text in its row. `good`: it passed in a list that did not land.
 * `red:<name>`: one of those with the same mark made a list red. `alone:<name>`: it must be this one. `push:<name>`: a push of
 * them together was refused. `kill:<name>`: something kept ending the gates on them together.
 */
const GOOD = 'good';
const RED = 'red:';
const ALONE = 'alone:';
const PUSH = 'push:';
const KILL = 'kill:';

export const pushMark = (name: string): string => `${PUSH}${name}`;
export const killMark = (name: string): string => `${KILL}${name}`;
export const isPush = (mark: string | null): boolean => mark?.startsWith(PUSH) === true;
export const isGood = (mark: string | null): boolean => mark === GOOD;
export const isAlone = (mark: string | null): boolean => mark?.startsWith(ALONE) === true;

/** The marks of a round's entries; the last one of its group in line is the one that made the list red. */
export function marksOf(
  round: readonly (string | null)[],
  line: readonly (string | null)[],
): readonly (string | null)[] {
  return round.map((mark) => {
    if (mark?.startsWith(RED) !== true) return mark;
    const count = [...round, ...line].filter((other) => other === mark).length;
    return count === 1 ? `${ALONE}${mark.slice(RED.length)}` : mark;
  });
}

/** The mark of an entry that stays in line after a round; `marks` are those before it, `name` tells this round from others. */
export function nextMark(
  said: Conclusion,
  round: { readonly marks: readonly (string | null)[]; readonly name: string },
  place: number,
): string | null {
  const group = said.groups.find((one) => one.includes(place));
  if (group !== undefined) return `${group.length === 1 ? ALONE : RED}${round.name}:${String(group[0] ?? 0)}`;
  const mark = round.marks[place] ?? null;
  if (said.good.has(place) || isGood(mark)) return GOOD;
  if (mark === null) return null;
  return explained(said, round.marks).includes(mark) ? null : mark;
}

/** Marks of groups that a smaller group explains: whoever else has them is as good as fresh. */
export const explained = (said: Conclusion, marks: readonly (string | null)[]): readonly string[] => [
  ...new Set(said.groups.flat().flatMap((place) => (marks[place]?.startsWith(RED) === true ? [marks[place]] : []))),
];

/** Red by itself, and not for the first time. */
export const isRedAgain = (said: Conclusion, marks: readonly (string | null)[], place: number): boolean =>
  isAlone(marks[place] ?? null) && said.groups.some((group) => group.length === 1 && group[0] === place);
