import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { saveSetAside } from './agents/set-aside.ts';
import type { RunnerContext } from './context.ts';
import { maintain } from './git/maintain.ts';
import { ATTEMPTS_KEPT_MAX, JOBS_KEPT_MAX, TRANSCRIPTS_BYTES_MAX } from './limits.ts';
import { errorText } from './text.ts';

/** Between two rounds: growth is by attempts, and a busy town makes some hundreds an hour. */
const EVERY_MS = 60 * 60_000;

/** Keeps what grows within its bounds, now and every hour, in the background. Answers a function that ends it. */
export function startHousekeeping(ctx: RunnerContext): () => Promise<void> {
  let round = Promise.resolve();
  const run = (work: () => Promise<void>): void => {
    round = round.then(work).catch((error: unknown) => {
      ctx.log.warn('housekeeping failed', { error: errorText(error) });
    });
  };
  const next = (): void => {
    run(() => keepHouse(ctx));
  };
  const again = (): void => {
    run(() => saveSetAside(ctx));
  };
  const timers = [setInterval(next, EVERY_MS), setInterval(again, ctx.timings.setAsideMs)];
  for (const timer of timers) timer.unref();
  again();
  next();
  return () => {
    for (const timer of timers) clearInterval(timer);
    return round;
  };
}

async function keepHouse(ctx: RunnerContext): Promise<void> {
  ctx.attempts.prune();
  ctx.jobs.prune();
  ctx.said.prune();
  ctx.sessions.prune();
  // Names begin with a sortable time (attempts), so the first ones are the oldest; gate logs are as many as jobs at most.
  await keepNewest(ctx, ctx.paths.attempts, ATTEMPTS_KEPT_MAX);
  await keepNewest(ctx, ctx.paths.transcripts, ATTEMPTS_KEPT_MAX + JOBS_KEPT_MAX, TRANSCRIPTS_BYTES_MAX);
  for (const name of await readdir(ctx.paths.repos)) {
    if (name.endsWith('.git') && !name.startsWith('.')) await maintain(ctx.repos.known(name.slice(0, -'.git'.length)));
  }
}

async function keepNewest(ctx: RunnerContext, folder: string, countMax: number, bytesMax?: number): Promise<void> {
  const files: Kept[] = [];
  for (const name of await readdir(folder))
    if (!ctx.live.has(name.replace(/\.log$/, '')))
      files.push({ name, bytes: bytesMax === undefined ? 0 : (await stat(join(folder, name))).size });
  for (const name of surplusOf(files, { count: countMax - ctx.live.size, bytes: bytesMax ?? 0 }))
    await rm(join(folder, name), { recursive: true, force: true });
}

interface Kept {
  readonly name: string;
  readonly bytes: number;
}

/** Names that go so that the rest is within its bounds: logs of gates first, then the oldest. Names begin with their time. */
export function surplusOf(
  files: readonly Kept[],
  max: { readonly count: number; readonly bytes: number },
): readonly string[] {
  const isGate = ({ name }: Kept): boolean => name.startsWith('gate-');
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const oldestFirst = [...sorted.filter(isGate), ...sorted.filter((file) => !isGate(file))];
  let count = oldestFirst.length;
  let bytes = oldestFirst.reduce((sum, file) => sum + file.bytes, 0);
  const gone: string[] = [];
  for (const file of oldestFirst) {
    if (count <= max.count && bytes <= max.bytes) break;
    gone.push(file.name);
    count -= 1;
    bytes -= file.bytes;
  }
  return gone;
}
