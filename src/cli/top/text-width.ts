/** Columns of text on a terminal, without a table of all of Unicode: scripts that are wide, and what is shown as a picture. */

const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];
const NOTHING = /^[\p{M}\p{Cf}]$/u;
const PICTURE = /^\p{Emoji_Presentation}$/u;
/** As a terminal is told it: what `paint` adds takes no room. */
export const PAINTED: RegExp = new RegExp(`${String.fromCodePoint(27)}\\[\\d+m`, 'g');

function columnsOf(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (NOTHING.test(char)) return 0;
  return PICTURE.test(char) || WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** How many columns the text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text.replaceAll(PAINTED, '')) width += columnsOf(char);
  return width;
}

/** Exactly so many columns: cut with an ellipsis, or filled up. Takes plain text. */
export function fitted(text: string, columns: number): string {
  if (columns <= 0) return '';
  const width = widthOf(text);
  if (width <= columns) return text + ' '.repeat(columns - width);
  let out = '';
  let used = 0;
  for (const char of text) {
    const more = columnsOf(char);
    if (used + more > columns - 1) break;
    out += char;
    used += more;
  }
  return `${out}…${' '.repeat(columns - 1 - used)}`;
}
