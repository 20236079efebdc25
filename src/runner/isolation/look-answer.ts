import { z } from 'zod';

import type { LookAnswer } from './look.ts';

const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const text = z.string().max(20_000);

/** Apart from the look, whose process need not load the schemas. */
export const lookAnswerSchema: z.ZodType<LookAnswer> = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('check'),
    outcome: z.union([
      z.object({ state: z.literal('refused'), code: text, message: text, next: text }),
      z.object({ head: sha.nullable() }),
    ]),
  }),
  z.object({
    op: z.literal('rescue'),
    rescued: z.object({
      commit: sha.nullable(),
      head: sha.nullable(),
      ahead: z.number().int().min(0).nullable(),
      dirty: z.boolean(),
    }),
  }),
  z.object({ op: z.literal('failed'), message: text }),
]);
