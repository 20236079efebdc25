import { usage } from './errors.ts';

/** How far each actor's journal was read: the newest row's number by address. The cursor of the feed and the stream. */
export type Places = Readonly<Record<string, number>>;

/** Names the form, so that a later one can be told from it. */
const FORM = 'g1';
/** Numbers in few characters: a town of fifty rigs has fifty of them in each cursor. */
const RADIX = 36;
const RIG = 'rig/';
const NUMBER = /^[0-9a-z]{1,11}$/;

/** An actor's address without characters that a query string would escape. */
const keyOf = (address: string): string =>
  address.startsWith(RIG) ? `r${address.slice(RIG.length)}` : address === 'town' ? 't' : 'm';

/** Opaque to callers; about twelve characters per actor. */
export function encodePlaces(places: Places): string {
  const parts = Object.entries(places).flatMap(([address, seq]) => [keyOf(address), seq.toString(RADIX)]);
  return [FORM, ...parts].join('.');
}

/** Errors: `bad_cursor` for anything that `encodePlaces` did not make. */
export function decodePlaces(cursor: string): Record<string, number> {
  const [form, ...parts] = cursor.split('.');
  if (form !== FORM) throw badCursor();
  const places: Record<string, number> = {};
  for (let at = 0; at < parts.length; at += 2) {
    const [key = '', number = ''] = parts.slice(at, at + 2);
    if (!NUMBER.test(number)) throw badCursor();
    places[addressOf(key)] = Number.parseInt(number, RADIX);
  }
  return places;
}

function addressOf(key: string): string {
  if (key === 't') return 'town';
  if (key === 'm') return 'mayor';
  if (!/^r[a-z][a-z0-9_-]{0,31}$/.test(key)) throw badCursor();
  return `${RIG}${key.slice(1)}`;
}

/** Of lists too. */
export const badCursor = (): Error =>
  usage('bad_cursor', 'This cursor does not come from here.', 'Start without a cursor.', 'after');
