import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

import type { RunnerContext } from '../context.ts';
import { boxFolder } from '../isolation/box.ts';
import { DISK_LOOK_AGAIN_TIMEOUT_MS, DISK_LOOK_TIMEOUT_MS } from '../limits.ts';
import { stateDir } from '../paths.ts';
import { memoryOf, processesByAttempt } from '../process/memory.ts';
import { errorText } from '../text.ts';
import type { LiveAgent } from './live.ts';
import { orderEnd } from './stop.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** Of du. */
const KIB = 1024;

/** Looks at what agents use of memory and disk, and ends those that use more than they may. Answers how to stop looking. */
export function startAllowance(ctx: RunnerContext): () => void {
  const timers = [every(ctx, ctx.timings.memoryLookMs, lookAtMemory), every(ctx, ctx.timings.diskLookMs, lookAtDisk)];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}

/** A look that takes longer than its interval is not joined by a second one. */
function every(ctx: RunnerContext, ms: number, look: (ctx: RunnerContext) => Promise<void>): NodeJS.Timeout {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void look(ctx)
      .catch((error: unknown) => {
        ctx.log.warn('what agents use is not known', { error: errorText(error) });
      })
      .finally(() => {
        busy = false;
      });
  }, ms);
  timer.unref();
  return timer;
}

const running = (ctx: RunnerContext): readonly LiveAgent[] =>
  [...ctx.live.values()].filter((live) => live.pid !== null && live.ending === null && !live.exiting);

async function lookAtMemory(ctx: RunnerContext): Promise<void> {
  const limited = running(ctx).filter((live) => typeof live.request.limits?.memoryBytes === 'number');
  if (limited.length === 0) return;
  const processes = await processesByAttempt(ctx.town.id);
  for (const live of limited) {
    const limit = live.request.limits?.memoryBytes ?? Number.POSITIVE_INFINITY;
    const used = memoryOf(processes.get(live.request.attempt) ?? [], limit);
    if (used > limit) end(ctx, live, 'memory', { used, limit, setting: 'memory_max' });
  }
}

async function lookAtDisk(ctx: RunnerContext): Promise<void> {
  for (const live of running(ctx)) {
    const limit = live.request.limits?.diskBytes ?? null;
    if (limit === null) continue;
    const timeoutMs = live.isDiskUnknown ? DISK_LOOK_AGAIN_TIMEOUT_MS : DISK_LOOK_TIMEOUT_MS;
    const used = await diskOf(foldersOf(ctx, live), timeoutMs);
    if (used === null) tellUnknown(ctx, live, timeoutMs);
    else if (used > limit && live.ending === null) end(ctx, live, 'disk', { used, limit, setting: 'disk_max' });
  }
}

/** Once per attempt: without it a limit that holds nobody would look like one that does. */
function tellUnknown(ctx: RunnerContext, live: LiveAgent, timeoutMs: number): void {
  if (live.isDiskUnknown) return;
  live.isDiskUnknown = true;
  ctx.log.warn('what an agent uses of the disk is not known: disk_max does not hold it until a look succeeds', {
    attempt: live.request.attempt,
    timeoutMs,
  });
}

function foldersOf(ctx: RunnerContext, live: LiveAgent): readonly string[] {
  const { request } = live;
  const tree = request.repo === null ? null : ctx.pool.ownedTree(ctx.repos.known(request.rig), request.attempt);
  const own = [stateDir(ctx.paths, request.attempt), boxFolder(ctx.paths, request.attempt)];
  return [...(tree === null ? [] : [tree.path]), ...own].filter((path) => existsSync(path));
}

/**
 * Bytes on the disk; null when it can't be known in time. A file that vanished meanwhile makes `du` fail, and its sums are
 * right all the same: only what was ended or printed too little is unknown.
 */
export function diskOf(folders: readonly string[], timeoutMs: number): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn('du', ['-s', '-k', '-x', '--', ...folders], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    child.once('error', () => {
      resolve(null);
    });
    child.once('close', (_code, signal) => {
      const sizes = [...text.matchAll(/^(\d+)\t/gm)].map(([, size]) => Number(size) * KIB);
      const isWhole = signal === null && (sizes.length > 0 || folders.length === 0);
      resolve(isWhole ? sizes.reduce((sum, size) => sum + size, 0) : null);
    });
  });
}

/** At once: what grows is not asked to end. Its work is rescued like that of any other. */
function end(
  ctx: RunnerContext,
  live: LiveAgent,
  what: 'memory' | 'disk',
  { used, limit, setting }: { readonly used: number; readonly limit: number; readonly setting: string },
): void {
  live.breach = `It used ${sizeText(used)} of ${what}, and may use ${sizeText(limit)} (${setting}).`;
  void orderEnd(ctx, live, { ending: what, graceMs: 0 });
}

const sizeText = (bytes: number): string =>
  bytes < GIB ? `${String(Math.round(bytes / MIB))} MiB` : `${(bytes / GIB).toFixed(1)} GiB`;
