import { z } from 'zod';

import type { UsageOfModel } from '../../core/facts.ts';

const amount = z.number().int().min(0);
/** What an attempt used of one model; money in millionths of a US dollar. */
export const usageSchema: z.ZodType<UsageOfModel> = z.object({
  model: z.string().max(200).nullable(),
  tokensIn: amount,
  tokensOut: amount,
  tokensCached: amount,
  microUsd: amount.nullable(),
  /** The part of the tokens whose cost was not said. */
  unpricedIn: amount,
  unpricedOut: amount,
  unpricedCached: amount,
});
