import { z } from 'zod';
import { FORMULA_STEPS_MAX, REASON_CHARS_MAX } from '../../core/limits.ts';
import { STEP_STATUSES } from '../../core/model/molecule.ts';
import { body, name, title } from './common.ts';

const stepSchema = z.strictObject({
  /** Its name within the formula, for `needs`. */
  id: name.optional(),
  title,
  instructions: body.optional(),
  /** Ids of earlier steps; without it, the step before it. */
  needs: z.array(name).max(FORMULA_STEPS_MAX).optional(),
  /** True: the work may be handed in while it is open. */
  optional: z.boolean().optional(),
});

export const formulaSchema = z.strictObject({
  name,
  steps: z.array(stepSchema).min(1).max(FORMULA_STEPS_MAX),
});
export type FormulaBody = z.infer<typeof formulaSchema>;

export const moleculeSchema = z.object({
  formula: z.string(),
  /** Number of the present step; null when none is open. */
  current: z.number().int().nullable(),
  steps: z.array(
    z.object({
      number: z.number().int(),
      title: z.string(),
      instructions: z.string(),
      /** Numbers of the steps before it. */
      needs: z.array(z.number().int()),
      optional: z.boolean(),
      status: z.enum(STEP_STATUSES),
      summary: z.string().nullable(),
      /** The attempt that settled it. */
      settled_by: z.string().nullable(),
    }),
  ),
});
export type MoleculeItem = z.infer<typeof moleculeSchema>;

export const advanceSchema = z.strictObject({
  step: z.number().int().positive(),
  status: z.enum(['done', 'skipped']).optional(),
  summary: z
    .string()
    .max(REASON_CHARS_MAX)
    .refine((value) => value.trim() !== '', 'must not be blank')
    .refine((value) => !value.includes('\0'), 'NUL is not allowed'),
});
