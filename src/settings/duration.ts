import { usage } from '../core/errors.ts';

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
/** Go writes its durations as integers of nanoseconds; both forms are read. */
const NANOSECONDS_PER_MS = 1e6;
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g;
/** A year: anything longer is a mistake in the unit. */
const DURATION_MS_MAX = 365 * 24 * 3_600_000;

/** Reads `"90s"`, `"1h30m"`, or an integer of nanoseconds as Go's JSON has it. Errors: `bad_duration`. */
export function parseDurationMs(value: string | number | bigint, field: string): number {
  const durationMs = typeof value === 'string' ? fromText(value.trim()) : Number(value) / NANOSECONDS_PER_MS;
  if (durationMs === null || !(durationMs >= 1) || durationMs > DURATION_MS_MAX) {
    throw usage(
      'bad_duration',
      `${field}: ${JSON.stringify(String(value))} is not a duration.`,
      'Write it like "60s", "15m" or "1h30m".',
      field,
    );
  }
  return Math.round(durationMs);
}

function fromText(text: string): number | null {
  if (/^\d{4,}$/.test(text)) return Number(text) / NANOSECONDS_PER_MS;
  let sumMs = 0;
  let read = 0;
  for (const match of text.matchAll(PART)) {
    if (match.index !== read) return null;
    read += match[0].length;
    sumMs += Number(match[1]) * (MS_PER_UNIT[match[2] ?? ''] ?? Number.NaN);
  }
  return read === text.length && read > 0 ? sumMs : null;
}
