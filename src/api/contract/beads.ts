import { z } from 'zod';
import { BLOCKERS_MAX } from '../../core/limits.ts';
import { OUTCOMES } from '../../core/model/agent.ts';
import {
  BEAD_KINDS,
  BEAD_STATUSES,
  BEAD_TYPES,
  CLOSE_REASONS,
  HOLDS,
  ORIGINS,
  PRIORITIES,
} from '../../core/model/bead.ts';
import { WAITS_FOR } from '../../core/model/proposal.ts';
import { MERGE_STEPS } from '../../core/model/review.ts';
import { usage } from '../../core/errors.ts';
import { reviewText } from '../../core/review-comments.ts';
import {
  body,
  count,
  cursor,
  limit,
  manyLines,
  name,
  pageOf,
  priority,
  reason,
  time,
  title,
  whySchema,
} from './common.ts';
import { formulaSchema, moleculeSchema } from './molecules.ts';

const evidenceSchema = z.object({
  head: z.string().nullable(),
  merge_sha: z.string().nullable(),
  target: z.string().nullable(),
  note: z.string().nullable(),
});

export const beadSchema = z.object({
  id: z.string(),
  type: z.enum(BEAD_TYPES),
  kind: z.enum(BEAD_KINDS),
  title: z.string(),
  body: z.string(),
  rig: z.string(),
  status: z.enum(BEAD_STATUSES),
  /** Derived, the one word for people: `BeadPhase` in `src/core/model/bead.ts`. */
  phase: z.string(),
  hold: z.enum(HOLDS).nullable(),
  hold_reason: z.string().nullable(),
  priority: z.enum(PRIORITIES),
  origin: z.enum(ORIGINS),
  /** The ended bead whose place it takes. */
  reopens: z.string().nullable(),
  /** The bead that took its place after its end. */
  reopened_as: z.string().nullable(),
  convoy_id: z.string().nullable(),
  parent_id: z.string().nullable(),
  branch: z.string().nullable(),
  target_branch: z.string(),
  branch_of: z.string().nullable(),
  base_sha: z.string().nullable(),
  /** Identity of the agent of the live attempt. */
  agent: z.string().nullable(),
  attempts: count,
  failures: count,
  open_blockers: count,
  failed_blockers: count,
  not_before: time.nullable(),
  runtime: z.string().nullable(),
  model: z.string().nullable(),
  pinned_agent: z.string().nullable(),
  created_by: z.string(),
  close_reason: z.enum(CLOSE_REASONS).nullable(),
  evidence: evidenceSchema.nullable(),
  version: count,
  created_at: time,
  updated_at: time,
  closed_at: time.nullable(),
});
export type BeadItem = z.infer<typeof beadSchema>;

const attemptSchema = z.object({
  id: z.string(),
  /** `live`, or the outcome. */
  status: z.string(),
  bead_id: z.string(),
  source_bead_id: z.string(),
  agent: z.string(),
  epoch: count,
  round: count,
  runtime: z.string(),
  model: z.string().nullable(),
  started_at: time,
  running_at: time.nullable(),
  ended_at: time.nullable(),
  outcome: z.enum(OUTCOMES).nullable(),
  exit_code: z.number().int().nullable(),
  reason: z.string().nullable(),
  claimed_head: z.string().nullable(),
  claim_summary: z.string().nullable(),
  claim_refusal: z.string().nullable(),
  head_sha: z.string().nullable(),
  base_sha: z.string().nullable(),
});
export type AttemptItem = z.infer<typeof attemptSchema>;

const reviewSchema = z.object({
  id: z.string(),
  source_bead_id: z.string(),
  branch: z.string(),
  target_branch: z.string(),
  head_sha: z.string(),
  candidate_sha: z.string().nullable(),
  merge_sha: z.string().nullable(),
  strategy: z.enum(['direct', 'pr']),
  step: z.enum(MERGE_STEPS),
  rounds: count,
  races: count,
  queued_at: time,
  deadline_at: time.nullable(),
  held_reason: z.string().nullable(),
  gate_log: z.string().nullable(),
  pull_request: z
    .object({
      number: count,
      url: z.string(),
      state: z.enum(['open', 'merged', 'closed']),
      checks: z.enum(['none', 'running', 'green', 'red', 'unknown']),
      approvals: count,
      waits_for: z.enum(WAITS_FOR).nullable(),
      wait_reason: z.string().nullable(),
      silent_since: time.nullable(),
    })
    .nullable(),
});
export type ReviewItem = z.infer<typeof reviewSchema>;

/** A merge request in its train: its `status` is the bead's. */
export const queueEntrySchema = reviewSchema.extend({
  rig: z.string(),
  title: z.string(),
  status: z.enum(BEAD_STATUSES),
  open_blockers: count,
  place: count.nullable(),
  why: whySchema,
});
export type QueueItem = z.infer<typeof queueEntrySchema>;

export const beadDetailSchema = beadSchema.extend({
  blockers: z.array(
    z.object({ id: z.string(), scope: z.enum(['local', 'remote']), status: z.enum(['open', 'cleared', 'failed']) }),
  ),
  attempt_list: z.array(attemptSchema),
  review: reviewSchema.nullable(),
  rework_beads: z.array(z.string()),
  /** Its steps, when it follows a formula. */
  molecule: moleculeSchema.nullable(),
  why: whySchema,
});
export type BeadDetailItem = z.infer<typeof beadDetailSchema>;

export const beadPageSchema = pageOf(beadSchema);
export const queuePageSchema = pageOf(queueEntrySchema);

/** The one agent that may take it; the rig refuses what is no polecat of its own. */
const polecat = name.describe("Identity of a polecat of the bead's rig, or its name there");

export const createBeadSchema = z.strictObject({
  rig: name,
  title,
  body: body.optional(),
  priority: priority.optional(),
  depends_on: z.array(name).max(BLOCKERS_MAX).optional(),
  runtime: name.optional(),
  model: name.optional(),
  target_branch: name.optional(),
  /** True: it runs as soon as it can. Otherwise it is recorded with the hold `staged` until it is slung. */
  sling: z.boolean().optional(),
  agent: polecat.optional(),
  parent_id: name.optional(),
  /** Steps that its agent follows. */
  formula: formulaSchema.optional(),
});
export type CreateBeadBody = z.infer<typeof createBeadSchema>;

/** A review comment longer than this is a document; put it into the repository. */
const COMMENT_CHARS_MAX = 32 * 1024;

export const slingSchema = z.strictObject({
  runtime: name.optional(),
  model: name.optional(),
  agent: polecat.optional(),
});
export type SlingBody = z.infer<typeof slingSchema>;

export const closeSchema = z.strictObject({
  reason: z.enum(['cancelled', 'no_change']).optional(),
  note: reason.optional(),
});
export const reassignSchema = z.strictObject({ agent: polecat });
export const holdSchema = z.strictObject({ note: reason.optional() });
export const updateBeadSchema = z.strictObject({
  title: title.optional(),
  body: body.optional(),
  priority: priority.optional(),
  runtime: name.optional(),
  model: name.optional(),
  target_branch: name.optional(),
});
export type UpdateBeadBody = z.infer<typeof updateBeadSchema>;
/** More remarks than anybody makes of one branch. */
const LINE_COMMENTS_MAX = 200;
const PATH_CHARS_MAX = 1_000;
const LINE_MAX = 100_000_000;
const lineCommentSchema = z.strictObject({
  path: z.string().min(1).max(PATH_CHARS_MAX),
  line: z.number().int().min(1).max(LINE_MAX),
  /** `old`: a line that the work removes, counted in the file before it. */
  side: z.enum(['old', 'new']).optional(),
  text: manyLines(COMMENT_CHARS_MAX).min(1),
});
/** A comment, remarks at lines, or both. */
export const requestChangesSchema = z.strictObject({
  comment: z.string().max(COMMENT_CHARS_MAX).optional(),
  comments: z.array(lineCommentSchema).max(LINE_COMMENTS_MAX).optional(),
  /** The commit that was looked at; when the branch has another one by now, nothing is sent back. */
  head: z
    .string()
    .regex(/^[0-9a-f]{40,64}$/)
    .optional(),
});
export type RequestChangesBody = z.infer<typeof requestChangesSchema>;

/** The whole of a review as one text. Errors: `no_comment`, `comment_too_long`. */
export function reviewOf({ comment = '', comments = [] }: RequestChangesBody): string {
  const text = reviewText(
    comment,
    comments.map((one) => ({ ...one, side: one.side ?? 'new' })),
  );
  if (text === '')
    throw usage('no_comment', 'A request for changes needs a comment.', 'Say what should change.', 'comment');
  if (text.length > COMMENT_CHARS_MAX)
    throw usage(
      'comment_too_long',
      `A review has at most ${String(COMMENT_CHARS_MAX)} characters, this one ${String(text.length)}.`,
      'Say less, or put it into the repository.',
      'comment',
    );
  return text;
}

export const approveSchema = z.strictObject({ comment: z.string().max(COMMENT_CHARS_MAX).optional() });

export const beadQuerySchema = z.strictObject({
  rig: name.optional(),
  /** One or more statuses, joined by commas. */
  status: name.optional(),
  convoy: name.optional(),
  /** `true` lists merge requests as well. */
  merge_requests: z.enum(['true', 'false']).optional(),
  /** `oldest` where it is missing. With `after`, the same as of the page before. */
  order: z.enum(['oldest', 'newest']).optional(),
  limit: limit.optional(),
  after: cursor.optional(),
});
