/** What a piece of work changes: asked of a runner, answered to people. */
import { z } from 'zod';
import { count } from './common.ts';
import { repoSchema } from './runner.ts';

const sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const PATH_CHARS_MAX = 8_192;

/** What the town asks a runner: the difference between where the work began and `head`. */
export const diffRequestSchema = z.object({
  repo: repoSchema,
  head: sha,
  /** The commit by which it came to the target: the work is then what was not in that commit's first parent. */
  merged: sha.nullable(),
  /** Where the work began, where git can't say it from the target. */
  base: sha.nullable(),
});
export type DiffRequest = z.infer<typeof diffRequestSchema>;

const fileSchema = z.object({
  path: z.string().max(PATH_CHARS_MAX),
  oldPath: z.string().max(PATH_CHARS_MAX).nullable(),
  status: z.string().max(1),
  added: count.nullable(),
  removed: count.nullable(),
});

export const diffAnswerSchema = z.object({
  base: sha,
  head: sha,
  files: z.array(fileSchema),
  /** Files that differ beside those that are listed. */
  more: count,
  /** As git prints it, from the first file on. */
  text: z.string(),
  /** There is more than `text` has. */
  isCut: z.boolean(),
});
export type DiffAnswer = z.infer<typeof diffAnswerSchema>;

export const beadDiffSchema = z.object({
  bead: z.string(),
  base: z.string(),
  head: z.string(),
  /** `review`: it can be sent back; `merged`: it is on the target; `attempt`: nobody has claimed it yet. */
  of: z.enum(['review', 'merged', 'attempt']),
  files: z.array(
    z.object({
      path: z.string(),
      old_path: z.string().nullable(),
      /** Git's letter. */
      status: z.string(),
      added: count.nullable(),
      removed: count.nullable(),
      binary: z.boolean(),
      /** `part`: the text ends before the file does; `none`: nothing of it is here, because there is too much before it. */
      shown: z.enum(['all', 'part', 'none']),
      hunks: z.array(
        z.object({
          header: z.string(),
          lines: z.array(
            z.object({
              kind: z.enum(['same', 'added', 'removed']),
              old: count.nullable(),
              new: count.nullable(),
              text: z.string(),
            }),
          ),
        }),
      ),
    }),
  ),
  /** Files that differ beside those that are listed. */
  more_files: count,
});
export type BeadDiffItem = z.infer<typeof beadDiffSchema>;
