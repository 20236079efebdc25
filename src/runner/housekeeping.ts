import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { RunnerContext } from './context.ts';
import { maintain } from './git/maintain.ts';
import { ATTEMPTS_KEPT_MAX, JOBS_KEPT_MAX } from './limits.ts';
import { errorText } from './text.ts';

/** Between two rounds: growth is by attempts, and a busy town makes some hundreds an hour. */
const EVERY_MS = 60 * 60_000;

/** Keeps what grows within its bounds, now and every hour, in the background. Answers a function that ends it. */
export function startHousekeeping(ctx: RunnerContext): () => Promise<void> {
  let round = Promise.resolve();
  const next = (): void => {
    round = round
      .then(() => keepHouse(ctx))
      .catch((error: unknown) => {
        ctx.log.warn('housekeeping failed', { error: errorText(error) });
      });
  };
  const timer = setInterval(next, EVERY_MS);
  timer.unref();
  next();
  return () => {
    clearInterval(timer);
    return round;
  };
}

async function keepHouse(ctx: RunnerContext): Promise<void> {
  ctx.attempts.prune();
  ctx.jobs.prune();
  ctx.said.prune();
  // Names begin with a sortable time (attempts), so the first ones are the oldest; gate logs are as many as jobs at most.
  await keepNewest(ctx, ctx.paths.attempts, ATTEMPTS_KEPT_MAX);
  await keepNewest(ctx, ctx.paths.transcripts, ATTEMPTS_KEPT_MAX + JOBS_KEPT_MAX);
  for (const name of await readdir(ctx.paths.repos)) {
    if (name.endsWith('.git') && !name.startsWith('.')) await maintain(ctx.repos.known(name.slice(0, -'.git'.length)));
  }
}

async function keepNewest(ctx: RunnerContext, folder: string, countMax: number): Promise<void> {
  const names = (await readdir(folder)).toSorted();
  const gates = names.filter((name) => name.startsWith('gate-'));
  const surplus = Math.max(0, names.length - countMax);
  const oldest = [...gates, ...names.filter((name) => !name.startsWith('gate-'))].slice(0, surplus);
  for (const name of oldest.filter((each) => !ctx.live.has(each.replace(/\.log$/, ''))))
    await rm(join(folder, name), { recursive: true, force: true });
}
