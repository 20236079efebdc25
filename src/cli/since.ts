import { usage } from '../core/errors.ts';
import { parseDurationMs } from '../settings/duration.ts';

/** A length of time back from now, or a day, as milliseconds since 1970. Errors: `bad_time`. */
export function sinceOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return String(moment);
  if (/^\d/.test(text) && /[smh]$/.test(text)) return String(Date.now() - parseDurationMs(text, 'since'));
  throw usage(
    'bad_time',
    `${JSON.stringify(text.slice(0, 40))} is neither a length of time nor a day.`,
    'Write it like 24h or 2026-01-31.',
    'since',
  );
}
