import type { Conclusion } from './conclude.ts';

/**
 * What rounds showed of an entry that stays in line, as a text in its row. `good`: it passed in a list that did not land.
 * `red:<name>*<count>`: one of so many made a list red, and those of them who are in line have the
 * same mark. `alone:<name>`: it must be this one. `push:<name>`: a push of
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

/** How many of a group are still under suspicion; null: the mark does not say (an older program wrote it, or it is no red one). */
function suspectsIn(mark: string): number | null {
  const count = Number(mark.split('*')[1] ?? Number.NaN);
  return mark.startsWith(RED) && Number.isInteger(count) ? count : null;
}

const redMark = (name: string, count: number): string =>
  count === 1 ? `${ALONE}${name}` : `${RED}${name}*${String(count)}`;

/** What a round proved: by the mark that entries had before it, the one that those have who stay under it. */
export type Remarks = ReadonlyMap<string, string | null>;

/**
 * New marks of groups. A smaller group explains what was red, and whoever else had that mark is as good as fresh. Those that
 * passed are suspects no more, and the last one of its group that did not must be the one. Members who left the line without
 * an answer (held, cancelled) still count: perhaps it was one of them.
 */
export function remarks(said: Conclusion, marks: readonly (string | null)[]): Remarks {
  const found = new Map<string, string | null>();
  for (const place of said.good) {
    const mark = marks[place] ?? null;
    const count = mark === null ? null : suspectsIn(mark);
    if (mark === null || count === null || found.has(mark)) continue;
    const passed = marks.filter((other, at) => other === mark && said.good.has(at)).length;
    const name = mark.slice(RED.length).split('*')[0] ?? '';
    found.set(mark, redMark(name, Math.max(1, count - passed)));
  }
  for (const place of said.groups.flat()) {
    const mark = marks[place] ?? null;
    if (mark?.startsWith(RED) === true) found.set(mark, null);
  }
  return found;
}

/** The mark of an entry that stays in line after a round; `marks` are those before it, `name` tells this round from others. */
export function nextMark(
  said: Conclusion,
  round: { readonly marks: readonly (string | null)[]; readonly name: string },
  place: number,
): string | null {
  const group = said.groups.find((one) => one.includes(place));
  if (group !== undefined) return redMark(`${round.name}:${String(group[0] ?? 0)}`, group.length);
  const mark = round.marks[place] ?? null;
  // What a remote refused is not made good by gates.
  if (isPush(mark)) return mark;
  if (said.good.has(place) || isGood(mark)) return GOOD;
  if (mark === null) return null;
  const to = remarks(said, round.marks).get(mark);
  return to === undefined ? mark : to;
}

/** Red by itself, and not for the first time. */
export const isRedAgain = (said: Conclusion, marks: readonly (string | null)[], place: number): boolean =>
  isAlone(marks[place] ?? null) && said.groups.some((group) => group.length === 1 && group[0] === place);
