/** The parts of GitLab's answers that are read. Unknown words of an enumeration are kept as text: the host adds some. */
import { z } from 'zod';

const sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const user = z.object({ username: z.string() });
const place = z.object({
  new_path: z.string().nullish(),
  old_path: z.string().nullish(),
  new_line: z.number().int().nullish(),
  old_line: z.number().int().nullish(),
});
const pipeline = z.object({
  id: z.number().int(),
  sha,
  status: z.string(),
  ref: z.string().nullish(),
  web_url: z.string().nullish(),
});

export type Pipeline = z.infer<typeof pipeline>;

export const mergeRequest = z.object({
  iid: z.number().int().positive(),
  web_url: z.string(),
  state: z.enum(['opened', 'closed', 'merged', 'locked']),
  description: z.string().nullish(),
  draft: z.boolean().nullish(),
  source_branch: z.string(),
  target_branch: z.string(),
  source_project_id: z.number().nullish(),
  target_project_id: z.number().nullish(),
  /** Of the source branch as the request knows it; null before it was prepared. */
  sha: sha.nullable(),
  merge_commit_sha: sha.nullish(),
  squash_commit_sha: sha.nullish(),
  detailed_merge_status: z.string().nullish(),
  has_conflicts: z.boolean().nullish(),
  head_pipeline: pipeline.nullish(),
  merge_when_pipeline_succeeds: z.boolean().nullish(),
});
export type MergeRequest = z.infer<typeof mergeRequest>;
export const mergeRequests = z.array(mergeRequest);

export const commit = z.object({ parent_ids: z.array(sha) });
export const branch = z.object({ commit: z.object({ id: sha }) });
export const approvals = z.object({ approved_by: z.array(z.object({ user })) });
export const reviewers = z.array(z.object({ user, state: z.string() }));
export const project = z.object({ merge_method: z.string() });

const note = z.object({
  id: z.number(),
  system: z.boolean().nullish(),
  body: z.string(),
  author: user.nullish(),
  resolvable: z.boolean(),
  resolved: z.boolean().nullish(),
  position: place.nullish(),
});
export const discussions = z.array(z.object({ id: z.string(), notes: z.array(note) }));
export type Discussion = z.infer<typeof discussions>[number];

export const notes = z.array(z.object({ body: z.string() }));

export const statuses = z.array(
  z.object({
    name: z.string(),
    status: z.string(),
    target_url: z.string().nullish(),
    description: z.string().nullish(),
    allow_failure: z.boolean().nullish(),
  }),
);
export type Status = z.infer<typeof statuses>[number];
