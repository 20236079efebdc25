import { z } from 'zod';
import type { RigCaps } from '../core/commands.ts';
import type { Price } from '../core/prices.ts';

const CAP_MAX = 1_000;
const PRICE_MAX = 10_000;
const NAME_CHARS_MAX = 200;
const cap = z.number().int().min(0).max(CAP_MAX);
const price = z.number().min(0).max(PRICE_MAX);
const account = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,79}$/, 'an account is letters, digits, "-", "_", "." and "@"');

type Cap = z.ZodOptional<z.ZodNumber>;

/** Settings that stand in `[defaults]` and in a rig's section. */
export const capSettings: {
  readonly account: z.ZodOptional<z.ZodString>;
  readonly polecats_per_account: Cap;
  readonly polecats_per_runtime: z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodNumber>>;
  readonly reviews_waiting_max: Cap;
} = {
  account: account.optional(),
  polecats_per_account: cap.optional(),
  polecats_per_runtime: z.record(z.string(), cap).optional(),
  reviews_waiting_max: cap.optional(),
};

interface PriceSection {
  readonly input: number;
  readonly output: number;
  readonly cached?: number | undefined;
}

/** `[prices."<start of a model's name>"]`: US dollars for a million tokens. */
export const pricesSection: z.ZodType<Record<string, PriceSection>> = z.record(
  z.string().min(1).max(NAME_CHARS_MAX),
  z.strictObject({ input: price, output: price, cached: price.optional() }),
);

export interface CapSection {
  readonly account?: string | undefined;
  readonly polecats_per_account?: number | undefined;
  readonly polecats_per_runtime?: Readonly<Record<string, number>> | undefined;
  readonly reviews_waiting_max?: number | undefined;
}

/** The rig's own settings win over the town's. */
export function rigCaps(
  section: CapSection,
  defaults: CapSection | undefined,
  prices: Readonly<Record<string, PriceSection>> | undefined,
): RigCaps {
  return {
    account: section.account ?? defaults?.account ?? null,
    perAccountMax: section.polecats_per_account ?? defaults?.polecats_per_account ?? null,
    perRuntimeMax: { ...defaults?.polecats_per_runtime, ...section.polecats_per_runtime },
    reviewsWaitingMax: section.reviews_waiting_max ?? defaults?.reviews_waiting_max ?? null,
    prices: townPrices(prices),
  };
}

/** What the provider had already is never dearer than what is new to it. */
export const townPrices = (
  prices: Readonly<Record<string, PriceSection>> | undefined,
): Readonly<Record<string, Price>> =>
  Object.fromEntries(
    Object.entries(prices ?? {}).map(([model, row]) => [model, { ...row, cached: row.cached ?? row.input }]),
  );
