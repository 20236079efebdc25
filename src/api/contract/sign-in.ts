import { z } from 'zod';
import { ROLES } from './roles.ts';
import { time } from './common.ts';

const roleSchema = z.enum(ROLES);

export const signInLinkSchema = z.strictObject({
  role: roleSchema.optional(),
  /** Also a bearer token of this role, for a program. */
  token: z.boolean().optional(),
});
export const signInLinkAnswerSchema = z.object({
  /** Below the town's own address; good once. */
  path: z.string(),
  expires_at: time,
  token: z.string().nullable(),
});
export type SignInLinkItem = z.infer<typeof signInLinkAnswerSchema>;

/** Who is signed in, for a page that must know what to offer. */
export const meSchema = z.object({ role: roleSchema, town: z.string(), name: z.string() });
