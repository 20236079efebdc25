/** The part of the merge job, and of its answer, that is about a round of several entries; see `core/facts.ts`. */
import { z } from 'zod';
import { MERGE_STYLES } from '../../core/facts.ts';
import { OUTSIDE } from '../../core/model/outside.ts';
import { FORMER_TIPS_MAX, LINE_MAX, TRAIN_LANES_MAX } from '../../core/limits.ts';

const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const name = z.string().min(1).max(200);
const ENTRIES_MAX = LINE_MAX;
const LISTS_MAX = 2 * TRAIN_LANES_MAX;

const formerTips = z.array(sha).max(FORMER_TIPS_MAX + 1);
const riders = z.array(
  z.object({
    mergeRequest: name,
    head: sha,
    earlierCandidate: sha.nullable(),
    message: z.string(),
    mayRevive: sha.optional(),
    mayReviveAlso: formerTips.optional(),
  }),
);
const lists = z.array(z.array(z.number().int().min(0).max(ENTRIES_MAX)).max(ENTRIES_MAX));
const made = z.array(
  z.object({
    list: z.number().int().min(0),
    entries: z.array(z.object({ mergeRequest: name, candidate: sha, tree: sha })),
  }),
);
const outside = z.enum(OUTSIDE);
const commits = z.number().int();
/** See `Brought` of the core. */
export const brought: {
  readonly mergeSha: typeof sha;
  readonly outside: z.ZodOptional<typeof outside>;
  readonly madeFor: z.ZodOptional<typeof name>;
} = { mergeSha: sha, outside: outside.optional(), madeFor: name.optional() };
/** See `Revived` of the core. */
export const revived: {
  readonly from: typeof sha;
  readonly commits: typeof commits;
  readonly also: z.ZodOptional<typeof formerTips>;
} = { from: sha, commits, also: formerTips.optional() };
const leftOut = z.array(
  z.discriminatedUnion('why', [
    z.object({ mergeRequest: name, why: z.literal('behind'), paths: z.array(z.string()) }),
    z.object({ mergeRequest: name, why: z.literal('conflict'), paths: z.array(z.string()), message: z.string() }),
    z.object({ mergeRequest: name, why: z.literal('merged'), ...brought }),
    z.object({ mergeRequest: name, why: z.literal('revives'), ...revived }),
  ]),
);
const style = z.enum(MERGE_STYLES);

/** Further entries of the round, and the lists that are made of all of them. */
export const roundOrder: {
  readonly riders: z.ZodOptional<typeof riders>;
  readonly lists: z.ZodOptional<typeof lists>;
  readonly style: z.ZodOptional<typeof style>;
  readonly formerTips: z.ZodOptional<typeof formerTips>;
  readonly mayRevive: z.ZodOptional<typeof sha>;
  readonly mayReviveAlso: z.ZodOptional<typeof formerTips>;
} = {
  riders: riders.max(ENTRIES_MAX).optional(),
  lists: lists.max(LISTS_MAX).optional(),
  style: style.optional(),
  formerTips: formerTips.optional(),
  mayRevive: sha.optional(),
  mayReviveAlso: formerTips.optional(),
};

/** What became of the lists. An older runner does not say. */
export const roundAnswer: {
  readonly targetTree: z.ZodOptional<typeof sha>;
  readonly made: z.ZodOptional<typeof made>;
  readonly leftOut: z.ZodOptional<typeof leftOut>;
} = { targetTree: sha.optional(), made: made.optional(), leftOut: leftOut.optional() };
