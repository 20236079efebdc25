import { usage } from '../core/errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
  tb: 1024 ** 4,
};
/** Below this no program runs at all: such a value is a mistake of a unit. */
const SIZE_BYTES_MIN = 16 * 1024 ** 2;
/** Stands for no limit. */
export const SIZE_OFF = 'off';

/** Reads a size like `4GB` (1024-based, as memory is sold; `4GiB` is the same). Errors (usage): `bad_size`. */
export function parseSizeBytes(value: string | number | bigint, field: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)\s*([kmgt])i?b$/i.exec(String(value).trim());
  const unit = UNITS[`${(match?.[2] ?? '').toLowerCase()}b`];
  const bytes = match === null || unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit);
  if (bytes >= SIZE_BYTES_MIN) return bytes;
  throw usage(
    'bad_size',
    `${field}: ${JSON.stringify(String(value).slice(0, 40))} is not a size of at least 16MB.`,
    `Write a number with a unit, like 512MB or 4GB, or "${SIZE_OFF}".`,
    field,
  );
}
