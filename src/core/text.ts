/** Bytes of a text in UTF-8; the core has no encoder to ask. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** A number of things for people: `1 commit`, `2 commits`; `many` only where an "s" does not make it. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${String(count)} ${count === 1 ? one : many}`;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time for people: the largest unit that fits. */
export function duration(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE) return `${String(Math.ceil(span / SECOND))} s`;
  if (span < HOUR) return `${String(Math.round(span / MINUTE))} min`;
  if (span < DAY) return `${String(Math.round(span / HOUR))} h`;
  return `${String(Math.round(span / DAY))} d`;
}

/**
 * What others wrote, made harmless for terminals and prompts: control characters and those that turn the direction of
 * writing are shown as codes. Line ends and tabs stay.
 */
export function inert(text: string): string {
  let out = '';
  for (const char of text) out += isActive(char.codePointAt(0) ?? 0) ? escaped(char) : char;
  return out;
}

const NEWLINE = 0x0a;
const TAB = 0x09;

function isActive(code: number): boolean {
  if (code === NEWLINE || code === TAB) return false;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  return code === 0x200e || code === 0x200f || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

const escaped = (char: string): string => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;

/** The start of a text that fits into so many bytes of UTF-8, never ending inside a character. */
export function cutToBytes(text: string, bytesMax: number): string {
  let out = '';
  let bytes = 0;
  for (const char of text) {
    bytes += utf8Length(char);
    if (bytes > bytesMax) break;
    out += char;
  }
  return out;
}

/** Two FNV-1a sums as 16 digits: tells texts apart in keys. Not for secrets. */
export function fingerprint(text: string): string {
  const sum = (start: number): string => {
    let hash = start;
    for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    return hash.toString(16).padStart(8, '0');
  };
  return sum(0x811c9dc5) + sum(0x01234567);
}
