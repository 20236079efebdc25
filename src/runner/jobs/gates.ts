import { createHash, randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';

import type { Job, JobResult } from '../../api/contract/runner.ts';
import { plainEnvironment } from '../agents/env.ts';
import type { RunnerContext } from '../context.ts';
import { checkoutDetached, cleanWorktree, type Worktree } from '../git/worktree.ts';
import { ownGitOf, removeBox, shutIn } from '../isolation/box.ts';
import { removeContainer } from '../isolation/container.ts';
import type { Start } from '../isolation/view.ts';
import { makeOwnGit } from '../isolation/own-git.ts';
import { GATE_LOG_BYTES_MAX, GATE_TAIL_CHARS_MAX } from '../limits.ts';
import { rigWorktrees } from '../paths.ts';
import { kill, sweep } from '../process/sweep.ts';
import { errorText, plain, tail } from '../text.ts';
import { requireCommit } from './repo-jobs.ts';

type GatesJob = Extract<Job, { kind: 'gates' }>;
type GateRun = Extract<JobResult, { result: 'gates' }>['runs'][number];

/** Runs a rig's gates, in order, on exactly one commit, in a worktree without anything ignored or left over. */
export async function runGates(ctx: RunnerContext, job: GatesJob, cancelled: AbortSignal): Promise<JobResult> {
  const repo = await requireCommit(ctx, job.repo, job.commit);
  const owner = `gate:${job.key}`;
  const marker = gateMarker(job.key);
  const tree = await ctx.pool.acquire(repo, 'gate', { owner, commit: job.commit });
  const log = createWriteStream(join(ctx.paths.transcripts, `${marker}.log`), { flags: 'w', mode: 0o600 });
  log.on('error', () => undefined);
  try {
    await cleanWorktree(tree);
    await checkoutDetached(tree, job.commit);
    const runs: GateRun[] = [];
    const boxed = await boxedGates(ctx, job, { tree, marker, log });
    for (const gate of job.gates) {
      if (cancelled.aborted) return { result: 'error', message: 'cancelled' };
      const at = { marker, cwd: tree.path, rig: job.repo.rig, log };
      const run = await runGate(ctx, { gate, ...at, cancelled, boxed, isBoxed: job.sandbox !== undefined });
      runs.push(run);
      if (run.exitCode !== 0) return { result: 'gates', green: false, runs };
    }
    return { result: 'gates', green: true, runs };
  } finally {
    log.end();
    await tidyUp(ctx, marker, [
      () => removeContainer(job.sandbox, marker),
      () => ctx.pool.release(repo, owner),
      () => removeBox(ctx.paths, marker),
    ]);
  }
}

/** What can't be put away keeps nothing else from being put away, and takes no answer of the gates back. */
async function tidyUp(ctx: RunnerContext, marker: string, steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of steps)
    await step().catch((error: unknown) => {
      ctx.log.warn('a gate left something behind', { job: marker, error: errorText(error) });
    });
}

/** Puts a gate's command into its sandbox. */
type Boxed = (start: Start) => Promise<Start>;

/** Gates run what agents wrote: shut in like agents, with a git directory of their own and without a token or socket. */
async function boxedGates(
  ctx: RunnerContext,
  job: GatesJob,
  at: { readonly tree: Worktree; readonly marker: string; readonly log: WriteStream },
): Promise<Boxed> {
  const { sandbox } = job;
  if (sandbox === undefined) return (start) => Promise.resolve(start);
  await removeBox(ctx.paths, at.marker);
  const own = ownGitOf(ctx.paths, at.marker, at.tree);
  const target = { branch: job.repo.targetBranch, sha: job.commit };
  await makeOwnGit(own, at.tree, { commit: job.commit, url: job.repo.url, target });
  const view = {
    name: at.marker,
    paths: ctx.paths,
    worktree: at.tree.path,
    git: own,
    state: null,
    hasSocket: false,
    onRefused: (target: string, why: string) => {
      at.log.write(`[network] refused: ${target}: ${why}\n`);
    },
    fileBytesMax: null,
  };
  return (start) => shutIn(sandbox, view, start);
}

/** Attempt marker of a gate job: what it starts is found by a sweep, also after a crash. Job keys are free text. */
export const gateMarker = (key: string): string =>
  `gate-${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;

interface GateStart {
  readonly gate: GatesJob['gates'][number];
  readonly marker: string;
  readonly cwd: string;
  readonly rig: string;
  readonly log: WriteStream;
  readonly cancelled: AbortSignal;
  readonly boxed: Boxed;
  readonly isBoxed: boolean;
}

async function runGate(ctx: RunnerContext, start: GateStart): Promise<GateRun> {
  const began = performance.now();
  const output = new GateOutput(start.log);
  const ended = await runShell(ctx, start, output);
  // Whatever the gate left running would hold ports and files of the next one.
  await sweep({ town: ctx.town.id, runner: ctx.name, attempt: start.marker }, ctx.timings.sweepMs);
  return {
    name: start.gate.name,
    exitCode: ended.timedOut ? null : ended.exitCode,
    timedOut: ended.timedOut,
    ...(ended.killedBy === null ? {} : { killedBy: ended.killedBy }),
    durationMs: Math.round(performance.now() - began),
    tail: output.tail,
  };
}

interface ShellEnd {
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly killedBy: string | null;
}

/**
 * Signals that come from outside: a shutdown, a person, the kernel out of memory. All others (a crash) are the gate's own.
 * A shell that reports them of its child adds 128.
 */
const OUTSIDE_SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGKILL: 137,
  SIGTERM: 143,
};

/** Null: it ended by itself. */
function killerOf(exitCode: number | null, signal: string | null): string | null {
  if (signal !== null) return Object.hasOwn(OUTSIDE_SIGNALS, signal) ? signal : null;
  return Object.entries(OUTSIDE_SIGNALS).find(([, code]) => code === exitCode)?.[0] ?? null;
}

async function runShell(ctx: RunnerContext, start: GateStart, output: GateOutput): Promise<ShellEnd> {
  const env = {
    ...plainEnvironment(),
    GT_TOWN: ctx.town.id,
    GT_ATTEMPT: start.marker,
    GT_RUNNER: ctx.name,
    GT_RIG: start.rig,
    GIT_CEILING_DIRECTORIES: rigWorktrees(ctx.paths, start.rig),
  };
  output.write(Buffer.from(`$ ${start.gate.run}\n`));
  const begin = start.isBoxed ? new GateBegin() : null;
  const program = await start.boxed({
    command: 'sh',
    args: begin?.args(start.gate.run) ?? ['-c', start.gate.run],
    env,
  });
  const ended = await new Promise<ShellEnd>((resolve) => {
    const child = spawn(program.command, [...program.args], {
      cwd: start.cwd,
      env: program.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let timedOut = false;
    const killAll = (): void => {
      if (child.pid !== undefined) kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killAll();
    }, start.gate.timeoutMs);
    start.cancelled.addEventListener('abort', killAll, { once: true });
    // An abort while the box was made came before anybody listened.
    if (start.cancelled.aborted) killAll();
    child.stdout.on('data', (chunk: Buffer) => {
      output.write(begin?.pass(chunk) ?? chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.write(chunk);
    });
    const end = (exitCode: number | null, signal: string | null): void => {
      clearTimeout(timer);
      start.cancelled.removeEventListener('abort', killAll);
      resolve({ exitCode, timedOut, killedBy: timedOut ? null : killerOf(exitCode, signal) });
    };
    child.once('error', (error) => {
      output.write(Buffer.from(`${error.message}\n`));
      end(null, null);
    });
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) kill(-child.pid, 'SIGKILL');
      // A process that left the group may hold the pipes open: the sweep ends it, we do not wait for it here.
      setTimeout(() => {
        end(code, signal);
      }, ctx.timings.retryMsMin / 10);
    });
  });
  if (begin === null || begin.isSeen || start.cancelled.aborted || ended.killedBy !== null) return ended;
  const how = ended.timedOut ? 'took too long' : `ended with ${String(ended.exitCode)}`;
  throw new Error(`isolation_unavailable: what shuts gates in ${how} before the gate began: ${output.tail}`);
}

/**
 * Tells a gate that failed from a sandbox that was never made: the first word inside is ours, and not guessed by what is
 * around it. Without it nothing was tested, so nothing is red.
 */
class GateBegin {
  readonly #word = `gt-begin-${randomBytes(8).toString('hex')}\n`;
  #held: Buffer = Buffer.alloc(0);
  isSeen = false;

  args(run: string): readonly string[] {
    return ['-c', 'echo "$0"; exec sh -c "$1"', this.#word.trim(), run];
  }

  /** What the gate printed, without our word; before that comes, the end of what the launcher printed is kept back. */
  pass(chunk: Buffer): Buffer {
    if (this.isSeen) return chunk;
    this.#held = Buffer.concat([this.#held, chunk]).subarray(-GATE_TAIL_CHARS_MAX);
    const at = this.#held.indexOf(this.#word);
    if (at === -1) return Buffer.alloc(0);
    this.isSeen = true;
    return Buffer.concat([this.#held.subarray(0, at), this.#held.subarray(at + this.#word.length)]);
  }
}

/** A gate's output: all of it in the log up to a limit, its end for the result. */
class GateOutput {
  readonly #log: WriteStream;
  #bytes = 0;
  #tail = '';

  constructor(log: WriteStream) {
    this.#log = log;
  }

  get tail(): string {
    return tail(plain(this.#tail), GATE_TAIL_CHARS_MAX);
  }

  write(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= GATE_LOG_BYTES_MAX) this.#log.write(chunk);
    this.#tail = (this.#tail + chunk.toString('utf8')).slice(-2 * GATE_TAIL_CHARS_MAX);
  }
}
