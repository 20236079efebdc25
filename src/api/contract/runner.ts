/**
 * The runner protocol: what the brain may ask of the muscle, and what the muscle reports. Every call is idempotent,
 * authenticated with a bearer secret and answered within 10 s. Long work is `accepted` and reported as a fact.
 *
 * Brain → runner (unix socket or HTTP):
 *   GET  /health                       RunnerHealth
 *   GET  /health/watch                 stays open while the runner lives: its end is the proof that the process is gone
 *   POST /agents                       StartAgent → StartAnswer            (409 stale_epoch | busy | stopped)
 *   GET  /agents?ids=a,b               { items: AgentReport[] }            (ids are attempt ids)
 *   POST /agents/stop                  StopAgent → StopAnswer
 *   POST /agents/messages              AgentMessage → MessageAnswer       (words into a live session, once per key)
 *   POST /jobs                         Job → JobAnswer                     (verify, promote, merge, gates, push, repo, branch, revert)
 *   POST /jobs/cancel                  CancelJob → CancelAnswer            (ends a job nobody waits for any more)
 *   POST /diff                                            what a piece of work changes (diff.ts)
 *   GET  /agents/:attempt/transcript?from=<byte>&waitMs=<n>   text, with header `x-next-offset`; waits for the next output
 *   GET  /agents/:attempt/stream?from=<byte>       the same as events (SSE), until the attempt ends; not as frames
 *   POST /drain                        Drain → RunnerHealth
 *   POST /undrain                      {} → RunnerHealth
 *
 * Over a connection that the runner dialled, the same calls go as frames: `frames.ts`. Unknown fields are passed over, so
 * that either side may be newer; what an older side would misunderstand raises `PROTOCOL_VERSION`.
 *
 * Runner → brain (unix socket of the daemon, the town's URL, or frames):
 *   POST /api/v1/towns/:town/runner/facts      { facts: Fact[] } → { recorded: string[] }   (keys that are safe to forget)
 *   POST /api/v1/towns/:town/runner/confirm    ConfirmStart → { live: boolean }
 *   POST /api/v1/towns/:town/runner/verdict    { attempt, rig } → Verdict  (waits up to `waitMs`)
 *   everything else an agent calls is forwarded with the agent's own capability token.
 */
import { z } from 'zod';
import { brought, revived, roundAnswer, roundOrder } from './merge-round.ts';

import { ISOLATIONS } from '../../core/model/isolation.ts';
import { exitRecordSchema } from './exit-record.ts';
import { limitsSchema, sandboxSchema } from './sandbox.ts';
import { runtimePresetSchema } from './runtime-preset.ts';
import { usageSchema } from './usage.ts';

/** Commits that one revert may undo: a bead of a convoy merges once, and its landing once. */
const REVERT_COMMITS_MAX = 1_000;
const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const name = z.string().min(1).max(200);
const epoch = z.number().int().positive();

/** What a rig's repository is; enough to make the bare clone when it is missing. */
export const repoSchema = z.object({
  rig: name,
  url: z.string().min(1).max(4_096),
  targetBranch: name,
  /** More than one runner works on the rig: refs that another one may need are pushed to the origin too. */
  shared: z.boolean().optional(),
  /** What may look like a key and be pushed all the same; null: commits are not searched for keys. */
  secretsAllowed: z.array(z.string().max(1_000)).max(1_000).nullish(),
  /** A commit that the target must contain: a branch that the town keeps is put back when it is gone or was rewritten. */
  restore: sha.optional(),
});
export type Repo = z.infer<typeof repoSchema>;

export const startAgentSchema = z.object({
  attempt: name,
  epoch,
  /** Identity, unique in the town: `<rig>/polecats/<name>`. */
  agent: name,
  rig: name,
  bead: name,
  /** Lineage: the bead whose branch is worked on; equals `bead` for a task. */
  sourceBead: name,
  kind: z.enum(['task', 'rework', 'conflict', 'feedback', 'landing', 'revert', 'review']),
  /** Rework round, 0 for a task. */
  round: z.number().int().min(0),
  runtime: name,
  model: z.string().nullable(),
  title: z.string(),
  /** The bead's text; for `script` the recipe is read from its fenced `gt-script` blocks (of `recipeBody`). */
  body: z.string(),
  /** The source bead's body: `branch_of` beads inherit the recipe of their source. */
  recipeBody: z.string(),
  /** True only where a person wrote the recipe; `script` refuses otherwise. */
  recipeAllowed: z.boolean(),
  prompt: z.string(),
  checkpoint: z.string().nullable(),
  /** Null: a session of the town itself (the mayor), in a folder of its own; nothing is fetched, rescued or handed in. */
  repo: repoSchema.nullable(),
  /** Start commit. `fixedHead` (branch_of beads, or a task that goes on) wins; else the target branch as fetched now. */
  fixedHead: sha.nullable(),
  /**
   * What a claim must be ahead of, when that is not the start commit: the base of the earlier attempt whose commits are
   * continued. Its finished work would otherwise count as nothing.
   */
  claimBase: sha.nullable(),
  /** Rescue ref whose uncommitted state a runtime that continues work gets back in its worktree. */
  restoreFrom: z.string().nullable(),
  /**
   * Refs of an earlier attempt whose end nobody saw, newest first: where its runner may have left work on the origin. The
   * first that is there is where a runtime that continues work goes on.
   */
  resumeRefs: z.array(z.string()).max(20).optional(),
  branch: name,
  author: z.object({ name, email: z.string().min(1).max(320) }),
  /** The attempt's capability; the agent shows it on every call. */
  capability: z.string(),
  env: z.record(z.string(), z.string()),
  /** What the town's file says of its runtime; without it the runner uses its own preset of that name. */
  preset: runtimePresetSchema.optional(),
  /** A former session of the bead is not to be taken up again: somebody asked for a new one. */
  fresh: z.boolean().optional(),
  /** Absolute time after which the process must not be spawned any more. */
  startDeadlineMs: z.number().int(),
  /** The same as a span from when the call comes; clocks of two machines differ. It goes before the absolute time. */
  startWithinMs: z.number().int().optional(),
  wallClockMs: z.number().int().positive(),
  /** Missing: not shut in. A runner that can't do this starts nothing. */
  sandbox: sandboxSchema.optional(),
  limits: limitsSchema.optional(),
});
export type StartAgent = z.infer<typeof startAgentSchema>;

export const startAnswerSchema = z.object({ state: z.literal('accepted') });
export type StartAnswer = z.infer<typeof startAnswerSchema>;

export const agentReportSchema = z.object({
  attempt: name,
  /** `unknown`: this runner has never heard of the attempt. */
  state: z.enum(['unknown', 'accepted', 'running', 'exited']),
  epoch: z.number().int(),
  pid: z.number().int().nullable(),
  base: sha.nullable(),
  lastOutputAtMs: z.number().int().nullable(),
  exit: exitRecordSchema.nullable(),
});
export type AgentReport = z.infer<typeof agentReportSchema>;

export const stopAgentSchema = z.object({
  attempt: name,
  epoch,
  mode: z.enum(['graceful', 'now']),
});
export type StopAgent = z.infer<typeof stopAgentSchema>;
/** `gone`: proven gone, rescue done, exit record (null when it never ran) attached. `stopping`: asked again later. */
export const stopAnswerSchema = z.object({
  state: z.enum(['gone', 'stopping']),
  exit: exitRecordSchema.nullable(),
});
export type StopAnswer = z.infer<typeof stopAnswerSchema>;

/** Words for a live session, delivered once per key. */
export const agentMessageSchema = z.object({
  attempt: name,
  epoch,
  key: name,
  text: z.string().min(1).max(4_000),
  mode: z.enum(['immediate', 'wait-idle']),
});
export type AgentMessage = z.infer<typeof agentMessageSchema>;
/** `not_possible`: the runtime takes no words in mid-session, or there is no session; `reason` says which. */
export const messageAnswerSchema = z.object({ state: z.enum(['delivered', 'not_possible']), reason: z.string() });
export type MessageAnswer = z.infer<typeof messageAnswerSchema>;

/** Long git work. `key` makes a repeat the same job: running → accepted, finished → its stored result. */
export const jobSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('repo'), key: name, repo: repoSchema }),
  /** Makes the target branch when it is missing: from `repo.restore`, else from `from`. */
  z.object({ kind: z.literal('branch'), key: name, repo: repoSchema, from: name }),
  /** Checks a claim against git: ref at the claimed head, ahead of its base, descending from it. */
  z.object({
    kind: z.literal('verify'),
    key: name,
    repo: repoSchema,
    ref: name,
    claimedHead: sha,
    /** Task: its base. branch_of: the merge request's present head, which must be a strict ancestor. */
    base: sha,
    /** See `ClaimJob` of the core. */
    against: sha.optional(),
    elsewhere: z.boolean().optional(),
  }),
  /** Moves `gt/<bead>` on the origin to a verified head, with the expected old value (null: must not exist). */
  z.object({
    kind: z.literal('promote'),
    key: name,
    repo: repoSchema,
    branch: name,
    head: sha,
    expectedOld: sha.nullable(),
    elsewhere: z.boolean().optional(),
  }),
  /** Merge in the object database; makes the candidate commit and keeps it in `refs/gt/merging/<mr>`. No push. */
  z.object({
    kind: z.literal('merge'),
    key: name,
    repo: repoSchema,
    mergeRequest: name,
    head: sha,
    /** A candidate of an earlier try: if it is an ancestor of the target by now, the answer is `already_merged`. */
    earlierCandidate: sha.nullable(),
    message: z.string(),
    author: z.object({ name, email: z.string().min(1).max(320) }),
    /** Fixes the commit's date, so that a repeat makes the same commit id. */
    dateMs: z.number().int(),
    ...roundOrder,
  }),
  /** Runs the gate commands in a prepared worktree of exactly this commit's tree. */
  z.object({
    kind: z.literal('gates'),
    key: name,
    repo: repoSchema,
    commit: sha,
    gates: z
      .array(z.object({ name, run: z.string().min(1).max(10_000), timeoutMs: z.number().int().positive() }))
      .max(50),
    /** Gates run agents' code: shut in like agents, without their token. */
    sandbox: sandboxSchema.optional(),
  }),
  /** Pushes the candidate with the expected old value and verifies the ref. */
  z.object({
    kind: z.literal('push'),
    key: name,
    repo: repoSchema,
    mergeRequest: name,
    candidate: sha,
    expectedOld: sha,
    /** A push that was not begun by then is not begun; an older town does not say. */
    notAfterMs: z.int().optional(),
  }),
  /** Undoes merge commits on top of the target, one commit for each, and brings them to the origin as `branch`. */
  z.object({
    kind: z.literal('revert'),
    key: name,
    repo: repoSchema,
    bead: name,
    branch: name,
    commits: z.array(sha).max(REVERT_COMMITS_MAX),
    landed: z
      .array(z.object({ sha, mergeRequest: name, head: sha }))
      .max(REVERT_COMMITS_MAX)
      .optional(),
    author: z.object({ name, email: z.string().min(1).max(320) }),
    dateMs: z.number().int(),
  }),
]);
export type Job = z.infer<typeof jobSchema>;

/** Result of a job, by kind. `error` is infrastructure: it may be tried again and says nothing about the work. */
export const jobResultSchema = z.discriminatedUnion('result', [
  z.object({ result: z.literal('error'), message: z.string() }),
  z.object({ result: z.literal('repo_ready'), targetSha: sha }),
  z.object({ result: z.literal('branch_ready'), head: sha }),
  z.object({ result: z.literal('verified'), head: sha, ahead: z.number().int() }),
  /** `code`: ref_missing, head_moved, no_commits, not_descendant, branch_lost, not_on_target, not_a_merge, secret_found, still_conflicts, push_refused. `message` tells the agent what to do. */
  z.object({ result: z.literal('refused'), code: z.string(), message: z.string() }),
  z.object({ result: z.literal('promoted'), head: sha }),
  /** The branch is elsewhere than expected: somebody else pushed to it. */
  z.object({ result: z.literal('branch_moved'), actual: sha.nullable() }),
  z.object({ result: z.literal('candidate'), candidate: sha, tree: sha, targetSha: sha, ...roundAnswer }),
  z.object({ result: z.literal('conflict'), targetSha: sha, paths: z.array(z.string()), message: z.string() }),
  z.object({ result: z.literal('already_merged'), targetSha: sha, ...brought }),
  z.object({
    result: z.literal('rewritten'),
    from: sha,
    targetSha: sha,
    commits: z.number().int().nullable(),
    merged: z.number().int().nullable(),
  }),
  z.object({ result: z.literal('revives'), targetSha: sha, ...revived }),
  z.object({
    result: z.literal('gates'),
    green: z.boolean(),
    /** One entry per gate that ran, in order; the first red one ends the list. */
    runs: z.array(
      z.object({
        name,
        exitCode: z.number().int().nullable(),
        timedOut: z.boolean(),
        /** Something else ended it by this signal (a shutdown, out of memory): that says nothing about the work. */
        killedBy: z.string().max(20).optional(),
        durationMs: z.number().int(),
        tail: z.string(),
      }),
    ),
  }),
  z.object({ result: z.literal('pushed'), targetSha: sha }),
  z.object({ result: z.literal('lost_race'), targetSha: sha.nullable() }),
  z.object({ result: z.literal('reverted'), head: sha }),
  z.object({ result: z.literal('nothing_to_revert'), message: z.string() }),
]);
export type JobResult = z.infer<typeof jobResultSchema>;

export const jobAnswerSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('accepted') }),
  z.object({ state: z.literal('done'), result: jobResultSchema }),
]);
export type JobAnswer = z.infer<typeof jobAnswerSchema>;

export const cancelJobSchema = z.object({ key: name });
/** `cancelled`: it ran and is being ended; its result is told to nobody. `idle`: it does not run here. */
export const cancelAnswerSchema = z.object({ state: z.enum(['cancelled', 'idle']) });

/** No new starts; agents that still run when the time is up are stopped and their work is rescued. */
export const drainSchema = z.object({ graceMs: z.number().int().min(0).optional() });

/** What the runner reports; stored durably before it is sent, repeated until the brain answers that it is recorded. */
export const factSchema = z.discriminatedUnion('type', [
  /** The process runs. */
  z.object({
    type: z.literal('agent_started'),
    key: name,
    rig: name,
    attempt: name,
    epoch,
    instance: name,
    pid: z.number().int(),
    /** Null without a repository. */
    base: sha.nullable(),
    /** How it is shut in; a runner that does not say so shuts nothing in. */
    isolation: z.enum(ISOLATIONS).optional(),
    atMs: z.number().int(),
  }),
  /** The agent's claim: its work is at `head`, kept in the attempt ref. */
  z.object({
    type: z.literal('agent_done'),
    key: name,
    rig: name,
    attempt: name,
    epoch,
    head: sha,
    summary: z.string(),
    atMs: z.number().int(),
  }),
  /** The agent claims that nothing needs to change. */
  z.object({
    type: z.literal('agent_no_change'),
    key: name,
    rig: name,
    attempt: name,
    epoch,
    reason: z.string(),
    atMs: z.number().int(),
  }),
  /** All that the attempt has used until now: totals. */
  z.object({
    type: z.literal('agent_usage'),
    key: name,
    rig: name,
    attempt: name,
    epoch,
    models: z.array(usageSchema).max(100),
    atMs: z.number().int(),
  }),
  /** The quota of the attempt's account for its model is used up; `resetsAtMs` is null when nobody said until when. */
  z.object({
    type: z.literal('quota_limited'),
    key: name,
    rig: name,
    attempt: name,
    epoch,
    resetsAtMs: z.number().int().nullable(),
    reason: z.string().max(2_000),
    atMs: z.number().int(),
  }),
  /** The process is gone, nothing of it is left, its work is rescued. */
  z.object({ type: z.literal('agent_exited'), key: name, rig: name, exit: exitRecordSchema }),
  /** Activity watermark: output or tools since the last one; at most one per heartbeat and attempt. */
  z.object({
    type: z.literal('agent_event'),
    key: name,
    rig: name,
    attempt: name,
    epoch,
    eventType: z.string(),
    atMs: z.number().int(),
    activeTools: z.array(z.string()).max(20),
    statusMessage: z.string().nullable(),
  }),
  z.object({ type: z.literal('job_finished'), key: name, rig: name, jobKey: name, result: jobResultSchema }),
]);
export type Fact = z.infer<typeof factSchema>;

export const confirmStartSchema = z.object({ rig: name, attempt: name, epoch });
export type ConfirmStart = z.infer<typeof confirmStartSchema>;

/** What became of a claim. `pending`: not decided within the wait. */
export const verdictSchema = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('accepted'), message: z.string() }),
  z.object({ verdict: z.literal('refused'), code: z.string(), message: z.string() }),
  z.object({ verdict: z.literal('superseded'), message: z.string() }),
  z.object({ verdict: z.literal('pending'), message: z.string() }),
]);
export type Verdict = z.infer<typeof verdictSchema>;
export const verdictRequestSchema = z.object({
  rig: name,
  attempt: name,
  epoch,
  waitMs: z.number().int().min(0).max(60_000),
});
export type VerdictRequest = z.infer<typeof verdictRequestSchema>;
