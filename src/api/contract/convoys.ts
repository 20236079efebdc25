import { z } from 'zod';
import { BLOCKERS_MAX, CONVOY_BEADS_MAX } from '../../core/limits.ts';
import {
  CONVOY_BEAD_STATUSES,
  CONVOY_STATUSES,
  FAILURE_POLICIES,
  MERGE_MODES,
  REVERTED,
} from '../../core/model/convoy.ts';
import { LANDING_STATES } from '../../core/model/landing.ts';
import { CONVOY_REVERT_STATES } from '../../core/model/revert.ts';
import { beadSchema } from './beads.ts';
import { body, count, cursor, limit, name, pageOf, priority, reason, time, title, whySchema } from './common.ts';

export const convoySchema = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(CONVOY_STATUSES),
  /** The status, or `needs_human` while it waits for a person's decision. */
  phase: z.string(),
  merge_mode: z.enum(MERGE_MODES),
  on_failure: z.enum(FAILURE_POLICIES),
  /** Landed without some of its beads: they failed or were cancelled. */
  partial: z.boolean(),
  total_beads: count,
  closed_beads: count,
  failed_beads: count,
  cancelled_beads: count,
  /** Mode review-then-land: the branch that its beads merge into, in each of its rigs. */
  feature_branch: z.string().nullable(),
  landing_order: z.array(z.string()),
  created_by: z.string(),
  reason: z.string().nullable(),
  version: count,
  created_at: time,
  landed_at: time.nullable(),
  /** What became of `gt convoy revert`; null: nobody asked for it. */
  reverted: z.enum(REVERTED).nullable(),
});
export type ConvoyItem = z.infer<typeof convoySchema>;

export const convoyDetailSchema = convoySchema.extend({
  beads: z.array(
    z.object({
      /** Null until its rig has minted it. */
      id: z.string().nullable(),
      position: count,
      rig: z.string(),
      title: z.string(),
      status: z.enum(CONVOY_BEAD_STATUSES),
      depends_on: z.array(count),
      merge_sha: z.string().nullable(),
      merge_target: z.string().nullable(),
      close_reason: z.string().nullable(),
      bead: beadSchema.nullable(),
    }),
  ),
  /** Mode review-then-land: one entry per rig, in the order in which they land; empty before all beads have ended. */
  landings: z.array(
    z.object({
      rig: z.string(),
      state: z.enum(LANDING_STATES),
      attempt: count,
      bead_id: z.string().nullable(),
      merge_sha: z.string().nullable(),
      not_before: time,
      reason: z.string().nullable(),
    }),
  ),
  /** One entry per branch of a rig that the convoy landed on, once its revert was asked for. */
  reverts: z.array(
    z.object({
      rig: z.string(),
      target: z.string(),
      state: z.enum(CONVOY_REVERT_STATES),
      attempt: count,
      bead_id: z.string().nullable(),
      merge_sha: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  why: whySchema,
});
export type ConvoyDetailItem = z.infer<typeof convoyDetailSchema>;

export const convoyPageSchema = pageOf(convoySchema);

const task = z.strictObject({
  rig: name,
  title,
  body: body.optional(),
  priority: priority.optional(),
  runtime: name.optional(),
  model: name.optional(),
  /** Positions in this list, from 0, or ids of beads that exist. */
  depends_on: z
    .array(z.union([z.number().int().min(0), name]))
    .max(BLOCKERS_MAX)
    .optional(),
});

const plan = {
  tasks: z.array(task).max(CONVOY_BEADS_MAX).optional(),
  beads: z.array(name).max(CONVOY_BEADS_MAX).optional(),
};

export const createConvoySchema = z.strictObject({
  title,
  ...plan,
  merge_mode: z.enum(MERGE_MODES).optional(),
  on_failure: z.enum(FAILURE_POLICIES).optional(),
  /** Mode review-then-land: rigs in the order in which they land. */
  landing_order: z.array(name).max(CONVOY_BEADS_MAX).optional(),
  staged: z.boolean().optional(),
});
export type CreateConvoyBody = z.infer<typeof createConvoySchema>;

export const addToConvoySchema = z.strictObject(plan);
export type ConvoyPlanBody = z.infer<typeof addToConvoySchema>;
export const removeFromConvoySchema = z.strictObject({ beads: z.array(name).min(1).max(CONVOY_BEADS_MAX) });
export const updateConvoySchema = z.strictObject({
  title: title.optional(),
  on_failure: z.enum(FAILURE_POLICIES).optional(),
  landing_order: z.array(name).max(CONVOY_BEADS_MAX).optional(),
});
export const closeConvoySchema = z.strictObject({ note: reason.optional() });

export const convoyQuerySchema = z.strictObject({ limit: limit.optional(), after: cursor.optional() });
