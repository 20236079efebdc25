import { spawn } from 'node:child_process';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Repo, StartAgent } from '../../api/contract/runner.ts';
import { TownError } from '../../core/errors.ts';
import { pause } from '../clock.ts';
import type { RunnerContext } from '../context.ts';
import { GitError } from '../git/git.ts';
import { BranchLost, fetchKept } from '../git/keep-branch.ts';
import { checkRef } from '../git/names.ts';
import { fetchedRef, isAncestor, resolve, type RigRepo } from '../git/repos.ts';
import { restoreUncommitted } from '../git/rescue.ts';
import { checkoutDetached, type Worktree } from '../git/worktree.ts';
import { boxFolder, ownGitOf, shutIn } from '../isolation/box.ts';
import { makeOwnGit, type OwnGit } from '../isolation/own-git.ts';
import { stateDir, transcriptFile } from '../paths.ts';
import { runtimeOf } from '../runtimes/registry.ts';
import type { Runtime, RuntimeStart } from '../runtimes/runtime.ts';
import type { FoundSession } from '../store/sessions.ts';
import { errorText } from '../text.ts';
import { recordRefusal } from './conversation-facts.ts';
import { agentEnvironment } from './env.ts';
import { endAttempt } from './exit.ts';
import { fetchPart, inPart, NoStart, partOf, spawnPart, withoutPart } from './failed-part.ts';
import type { LiveAgent } from './live.ts';
import { formerSession, keepsSessions, talkOf } from './talk.ts';
import { makeSessionFolder, sessionEnvironment } from './session.ts';
import { watch } from './watch.ts';

/** Fetches of one start that may fail before it gives up; the start deadline ends them earlier. */
const FETCH_TRIES_MAX = 3;
const FETCH_RETRY_MS = 1_000;
const RESCUE_REFS = 'refs/gt/rescue/';

/** Brings an accepted attempt to a process, or to its exit record. Never throws. */
export async function launch(ctx: RunnerContext, live: LiveAgent): Promise<void> {
  try {
    const start = await prepare(ctx, live);
    await confirm(ctx, live);
    await spawnAgent(ctx, live, start);
    // After the start, so that the spare for the next one does not slow this one down.
    if (live.base !== null) ctx.pool.fill(ctx.repos.known(live.request.rig), live.base);
  } catch (error) {
    const cause = error instanceof NoStart ? error.ending : (live.ending ?? 'spawn_failed');
    const lastLine = explain(withoutPart(error));
    const failed = cause === 'spawn_failed' ? partOf(error) : undefined;
    await endAttempt(ctx, live, { exitCode: null, signal: null, cause, lastLine, failed });
  }
}

/** What went wrong and, where it is known, what to do. */
function explain(error: unknown): string {
  return error instanceof TownError ? `${error.message} ${error.next}` : errorText(error);
}

interface Prepared extends RuntimeStart {
  readonly cwd: string;
  readonly isResumed: boolean;
}

async function prepare(ctx: RunnerContext, live: LiveAgent): Promise<Prepared> {
  const { request } = live;
  if (request.repo === null) return prepareSession(ctx, live);
  const runtime = await inPart('program', () => Promise.resolve().then(() => runtimeOf(request)));
  const repo = await ctx.repos.ensure(request.repo);
  const origin = request.repo;
  // The clone is there: what can't be read now is the origin.
  const target = await inPart(fetchPart, () => fetchTarget(ctx, live, origin));
  const found = runtime.capabilities.continuesWork
    ? await earlierWork(ctx, request, { repo, origin: request.repo })
    : null;
  const start = found?.head ?? (await startCommit(ctx, request, { repo, target, origin: request.repo }));
  // Nothing to continue was found: the work begins here.
  const isContinued = found !== null || request.fixedHead !== null;
  const base = (isContinued ? request.claimBase : null) ?? start;
  mayGoOn(ctx, live);
  const former = runtime.capabilities.resume && keepsSessions(request) ? await formerSession(ctx, request) : null;
  const tree = await ctx.pool.acquire(repo, 'w', { owner: request.attempt, commit: start, at: former?.cwd });
  // What HEAD was on is looked up at the end of the attempt; former users' entries are not this one's.
  await truncate(join(tree.place.gitDir, 'logs', 'HEAD')).catch(() => undefined);
  await checkoutDetached(tree, start);
  ctx.attempts.prepared(request.attempt, base);
  live.base = base;
  mayGoOn(ctx, live);
  const restoreFrom = found === null ? request.restoreFrom : found.rescue;
  return ready(ctx, live, { runtime, tree, former, restoreFrom, base, start, target });
}

interface Ready {
  readonly runtime: Runtime;
  readonly tree: Worktree;
  readonly former: FoundSession | null;
  readonly restoreFrom: string | null;
  readonly base: string;
  /** The commit that is checked out. */
  readonly start: string;
  readonly target: string;
}

/** The worktree is there: puts back what was not committed, and says how its program is started. */
async function ready(ctx: RunnerContext, live: LiveAgent, parts: Ready): Promise<Prepared> {
  const { request } = live;
  const { runtime, tree, former, restoreFrom, base, start, target } = parts;
  const folder = await writeState(ctx, request);
  if (runtime.capabilities.continuesWork && restoreFrom !== null) await restore(tree, restoreFrom, folder);
  const targetBranch = request.repo?.targetBranch ?? '';
  const env = agentEnvironment(ctx, request, { base, target, targetBranch });
  const resume = former?.cwd === tree.path ? { id: former.session, counted: former.counted } : null;
  const program = await inPart('program', () =>
    runtime.start({ request, stateDir: folder, worktree: tree.path, env, resume }),
  );
  const own = await ownGit(ctx, live, { tree, start, target });
  return boxed(ctx, live, { program, cwd: tree.path, git: own, isResumed: resume !== null });
}

/** No repository: nothing to fetch, to check out or to hand in. */
async function prepareSession(ctx: RunnerContext, live: LiveAgent): Promise<Prepared> {
  const { request } = live;
  const cwd = await makeSessionFolder(ctx.paths, request);
  mayGoOn(ctx, live);
  const folder = await writeState(ctx, request);
  const env = sessionEnvironment({ paths: ctx.paths, town: ctx.town.id, runner: ctx.name }, request);
  const program = await runtimeOf(request).start({ request, stateDir: folder, worktree: cwd, env, resume: null });
  return boxed(ctx, live, { program, cwd, git: null, isResumed: false });
}

/** A git directory of its own for an attempt that is shut in: the rig's clone is not for it to write. */
async function ownGit(
  ctx: RunnerContext,
  live: LiveAgent,
  at: { readonly tree: Worktree; readonly start: string; readonly target: string },
): Promise<OwnGit | null> {
  const { request } = live;
  if (request.sandbox === undefined || request.repo === null) return null;
  const own = ownGitOf(ctx.paths, request.attempt, at.tree);
  await rm(boxFolder(ctx.paths, request.attempt), { recursive: true, force: true });
  const { url, targetBranch } = request.repo;
  await makeOwnGit(own, at.tree, { commit: at.start, url, target: { branch: targetBranch, sha: at.target } });
  return own;
}

/** The program as it is started: inside the sandbox that the order names, or not at all. */
async function boxed(
  ctx: RunnerContext,
  live: LiveAgent,
  what: {
    readonly program: RuntimeStart;
    readonly cwd: string;
    readonly git: OwnGit | null;
    readonly isResumed: boolean;
  },
): Promise<Prepared> {
  const { program, cwd, git: own, isResumed } = what;
  const { sandbox, attempt } = live.request;
  if (sandbox === undefined) return { ...program, cwd, isResumed };
  const view = {
    name: attempt,
    paths: ctx.paths,
    worktree: cwd,
    git: own,
    state: stateDir(ctx.paths, attempt),
    hasSocket: true,
    onRefused: (target: string, why: string) => {
      recordRefusal(ctx, live, target, why);
    },
    fileBytesMax: live.request.limits?.diskBytes ?? null,
  };
  const start = await inPart('isolation', () => shutIn(sandbox, view, program));
  return { ...program, ...start, cwd, isResumed };
}

async function fetchTarget(ctx: RunnerContext, live: LiveAgent, repo: Repo): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    mayGoOn(ctx, live);
    try {
      return await fetchKept(ctx.repos, repo);
    } catch (error) {
      // The work starts from a commit that is known; the branch is put back before anything is merged into it.
      if (error instanceof BranchLost && live.request.fixedHead !== null) return live.request.fixedHead;
      if (tries >= FETCH_TRIES_MAX) throw error;
      await pause(FETCH_RETRY_MS, live.abort.signal);
    }
  }
}

async function startCommit(
  ctx: RunnerContext,
  request: StartAgent,
  at: { readonly repo: RigRepo; readonly target: string; readonly origin: Repo },
): Promise<string> {
  if (request.fixedHead === null) return at.target;
  if ((await resolve(at.repo.place, request.fixedHead)) === null) await ctx.repos.fetchAll(at.origin);
  // Another runner made it, or this town came from another machine.
  if ((await resolve(at.repo.place, request.fixedHead)) === null) await ctx.repos.fetchWork(at.origin);
  if ((await resolve(at.repo.place, request.fixedHead)) === null) {
    throw new GitError('fetch', null, `the start commit ${request.fixedHead} is neither here nor on the origin`);
  }
  return request.fixedHead;
}

/**
 * What an attempt whose end nobody saw left on the origin. A rescue's first parent is what was committed, its tree what
 * was not; an attempt ref is commits only. Work that does not contain the base it must be ahead of is passed over.
 */
async function earlierWork(
  ctx: RunnerContext,
  request: StartAgent,
  at: { readonly repo: RigRepo; readonly origin: Repo },
): Promise<{ readonly head: string; readonly rescue: string | null } | null> {
  const refs = request.resumeRefs ?? [];
  if (refs.length === 0) return null;
  const { repo } = at;
  await ctx.repos.fetchWork(at.origin);
  for (const ref of refs.map(checkRef)) {
    const commit = (await resolve(repo.place, fetchedRef(ref))) ?? (await resolve(repo.place, ref));
    if (commit === null) continue;
    const isRescue = ref.startsWith(RESCUE_REFS);
    const head = isRescue ? await resolve(repo.place, `${commit}^1`) : commit;
    const base = request.claimBase;
    if (head === null || (base !== null && !(await isAncestor(repo.place, base, head)))) continue;
    return { head, rescue: isRescue ? commit : null };
  }
  return null;
}

/** Everything the agent may want to read, outside its worktree. */
async function writeState(ctx: RunnerContext, request: StartAgent): Promise<string> {
  const folder = stateDir(ctx.paths, request.attempt);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'prompt.md'), request.prompt, { mode: 0o600 });
  const bead = {
    bead: request.bead,
    sourceBead: request.sourceBead,
    kind: request.kind,
    round: request.round,
    title: request.title,
    body: request.body,
  };
  await writeFile(join(folder, 'bead.json'), JSON.stringify(bead), { mode: 0o600 });
  if (request.checkpoint !== null)
    await writeFile(join(folder, 'checkpoint.json'), request.checkpoint, { mode: 0o600 });
  return folder;
}

/** Work that does not fit on the new base stays in its ref; the agent is told where. */
async function restore(tree: Worktree, ref: string, folder: string): Promise<void> {
  if (await restoreUncommitted(tree, ref)) return;
  await writeFile(
    join(folder, 'restore.txt'),
    `The uncommitted changes of the last attempt do not apply here. They are in ${ref}.\n`,
  );
}

/** Asks the brain, as often as it takes, whether this attempt is still wanted: no answer means no process. */
async function confirm(ctx: RunnerContext, live: LiveAgent): Promise<void> {
  const { rig, attempt, epoch } = live.request;
  let waitMs = ctx.timings.retryMsMin;
  for (;;) {
    mayGoOn(ctx, live);
    const answer = await ctx.brain.confirm({ rig, attempt, epoch }).catch(() => null);
    if (answer === true) return;
    if (answer === false) throw new NoStart('refused', 'The rig says that this attempt is no longer the live one.');
    await pause(waitMs, live.abort.signal);
    waitMs = Math.min(waitMs * 2, ctx.timings.retryMsMax);
  }
}

/** A stop that came meanwhile wins, and so does the start deadline. */
function mayGoOn(ctx: RunnerContext, live: LiveAgent): void {
  if (live.ending !== null) throw new NoStart(live.ending, 'Ended before its process was started.');
  if (ctx.attempts.isStopped(live.request.attempt))
    throw new NoStart('stopped', 'Stopped before its process was started.');
  if (ctx.clock.now() > live.request.startDeadlineMs) {
    throw new NoStart(
      'spawn_failed',
      'Not started: the start deadline passed (repository or daemon did not answer in time).',
    );
  }
}

/** Synchronous from the last look at the tombstone to the process, so that no stop can come between. */
function spawnAgent(ctx: RunnerContext, live: LiveAgent, start: Prepared): Promise<void> {
  mayGoOn(ctx, live);
  const child = spawn(start.command, [...start.args], {
    cwd: start.cwd,
    env: start.env,
    detached: true,
    stdio: [start.stdin === null && start.session === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) {
    return new Promise((_resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        const message = `The program "${start.command}" could not be started (${error.code ?? error.message}).`;
        reject(new NoStart('spawn_failed', message, spawnPart(error.code, start.cwd)));
      });
    });
  }
  const { request, base } = live;
  const nowMs = ctx.clock.now();
  live.child = child;
  live.pid = pid;
  live.startedAtMs = nowMs;
  const transcript = transcriptFile(ctx.paths, request.attempt);
  watch(ctx, live, { child, transcript, stdin: start.stdin, talk: talkOf(ctx, live, { child, start }) });
  ctx.db.tx(() => {
    ctx.attempts.running(request.attempt, pid, nowMs);
    ctx.facts.record({
      type: 'agent_started',
      key: `started:${request.attempt}`,
      rig: request.rig,
      attempt: request.attempt,
      epoch: request.epoch,
      instance: ctx.instance,
      pid,
      base,
      isolation: request.sandbox?.kind ?? 'none',
      atMs: nowMs,
    });
  });
  return Promise.resolve();
}
