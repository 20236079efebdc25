import { z } from 'zod';

const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const name = z.string().min(1).max(200);

const FAILED = ['program', 'repository', 'branch', 'isolation', 'machine'] as const;

/** How a process ended, as the runner saw it; written durably before anybody is told. */
export const exitRecordSchema = z.object({
  attempt: name,
  epoch: z.number().int().positive(),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /**
   * Why it ended. `exited`: by itself. `stopped`: ordered by the brain. `wall_clock`,
   * `memory`, `disk`: limit reached. `runner_lost`: the
   * runner died under it. `spawn_failed`: no process ever ran. `refused`: the rig said that the attempt is not live.
   * `drained`: its runner was drained and its time was up.
   */
  cause: z.enum([
    'exited',
    'stopped',
    'wall_clock',
    'memory',
    'disk',
    'runner_lost',
    'spawn_failed',
    'refused',
    'drained',
  ]),
  /** Last non-empty line of output, or the spawn error: at most 400 characters. */
  lastLine: z.string(),
  startedAtMs: z.number().int().nullable(),
  endedAtMs: z.number().int(),
  /** Worktree facts at exit. */
  head: sha.nullable(),
  base: sha.nullable(),
  ahead: z.number().int().nullable(),
  dirty: z.boolean(),
  /** Ref that holds all committed and uncommitted work, verified; null when there was none. */
  rescueRef: z.string().nullable(),
  /** A done intent was found; its `agent_done` fact was recorded before this one. */
  doneIntent: z.boolean(),
  /**
   * What kept it from running. `program`: the program of its runtime is missing or may not be run. `repository`: the
   * origin could not be read. `branch`: it answers, and has no branch of the target's name. `isolation`: the sandbox that
   * was asked for does not work here. `machine`, or nothing: anything else here, also a former session that could not be
   * taken up. A runner of a newer version may know more of them: that is nothing, the end itself is taken.
   */
  failed: z
    .string()
    .transform((word) => FAILED.find((known) => known === word))
    .optional(),
});
export type ExitRecord = z.infer<typeof exitRecordSchema>;
