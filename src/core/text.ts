/** Bytes of a text in UTF-8; the core has no encoder to ask. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

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
