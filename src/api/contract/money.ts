import { z } from 'zod';
import { BUDGET_AMOUNT_MAX, BUDGET_KINDS, BUDGET_UNITS } from '../../core/budget.ts';
import { COST_KEYS } from '../../core/money.ts';
import { count, name, pageOf, time } from './common.ts';

/** `town`, `rig:<name>`, `convoy:<id>` or `bead:<id>`. */
const scope = name.refine(
  (value) => /^(?:town|(?:rig|convoy|bead):.+)$/.test(value),
  'must be town, rig:<name>, convoy:<id> or bead:<id>',
);

export const setBudgetSchema = z.strictObject({
  scope,
  unit: z.enum(['usd', 'tokens']),
  kind: z.enum(BUDGET_KINDS).default('hard'),
  /** Millionths of a US dollar, or tokens. */
  amount: z.number().int().min(0).max(BUDGET_AMOUNT_MAX),
});

export const budgetSchema = z.object({
  id: z.string(),
  scope: z.string(),
  unit: z.enum(BUDGET_UNITS),
  kind: z.enum(BUDGET_KINDS),
  amount: count,
  /** `command`, or `config`: set in gastown.toml. */
  source: z.enum(['command', 'config']),
  spent: count,
  reserved: count,
  waited_for: z.boolean(),
  parts: z.array(z.object({ rig: z.string(), given: count, spent: count, reserved: count, waiting: z.boolean() })),
});
export type BudgetItem = z.infer<typeof budgetSchema>;
export const budgetPageSchema: z.ZodObject<{
  items: z.ZodArray<typeof budgetSchema>;
  next: z.ZodNullable<z.ZodString>;
}> = pageOf(budgetSchema);

export const costQuerySchema = z.strictObject({
  rig: name.optional(),
  convoy: name.optional(),
  bead: name.optional(),
  /** Epoch milliseconds. */
  since: z.coerce.number().int().min(0).optional(),
  by: z.enum(COST_KEYS).optional(),
});

const sum = z.object({
  attempts: count,
  tokens_in: count,
  tokens_out: count,
  tokens_cached: count,
  /** The known part, in millionths of a US dollar; null: nothing of it is known. */
  micro_usd: count.nullable(),
  /** Attempts that ran and whose cost (tokens) is not or not all known. */
  unknown_cost: count,
  unknown_tokens: count,
  reserved_micro_usd: count,
  reserved_tokens: count,
  assumed_micro_usd: count,
  assumed_tokens: count,
});
export const costsSchema = z.object({
  total: sum,
  merged: count,
  per_merged_micro_usd: count.nullable(),
  waste: z.array(z.object({ cause: z.string(), sum })),
  engines: z.array(z.object({ runtime: z.string(), model: z.string().nullable(), sum })),
  rigs: z.array(z.object({ rig: z.string(), sum })),
  /** Sums by what `by` says; null: of none (no convoy, a model that nobody named). */
  groups: z.array(z.object({ key: z.string().nullable(), sum })),
});
export type CostsItem = z.infer<typeof costsSchema>;

export const quotaSchema = z.object({
  scope: z.string(),
  account: z.string(),
  model: z.string(),
  closed_at: time,
  resets_at: time,
  /** The provider said until when. */
  known: z.boolean(),
  reason: z.string(),
  rigs: z.array(z.string()),
  parked: count,
});
export type QuotaItem = z.infer<typeof quotaSchema>;
export const quotaPageSchema: z.ZodObject<{ items: z.ZodArray<typeof quotaSchema>; next: z.ZodNullable<z.ZodString> }> =
  pageOf(quotaSchema);
