import { rescueRef } from '../../core/model/agent.ts';
import { trusted } from '../../core/model/ids.ts';
import type { RunnerContext } from '../context.ts';
import { errorText } from '../text.ts';
import type { LiveAgent } from './live.ts';
import { siteOf } from './site.ts';

/** How often it is looked whether somebody's work has to be stored. */
const LOOK_EVERY_MS = 10_000;

/**
 * Stores what an agent has done so far, off every branch, while it works: every five minutes of activity and when a turn
 * of it ends. The agent's index, stash and branches stay as they are; what did not change since costs no commit.
 */
export function startSaving(ctx: RunnerContext): () => void {
  const timer = setInterval(
    () => {
      for (const live of ctx.live.values()) {
        live.turnEnded = () => void saveWork(ctx, live);
        const activeAtMs = live.lastActivityAtMs;
        const since = Math.max(live.savedAtMs, live.startedAtMs ?? 0);
        if (activeAtMs !== null && activeAtMs > since && ctx.clock.now() - since >= ctx.timings.saveMs)
          void saveWork(ctx, live);
      }
    },
    Math.min(LOOK_EVERY_MS, ctx.timings.saveMs),
  );
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** Never throws: the next time is soon, and the exit stores everything again. */
async function saveWork(ctx: RunnerContext, live: LiveAgent): Promise<void> {
  const atMs = ctx.clock.now();
  live.savedAtMs = atMs;
  try {
    await live.saving.run(async () => {
      if (live.exiting || live.base === null || live.pid === null) return;
      const { request } = live;
      const site = siteOf(ctx, live);
      if (site === null) return;
      const ref = rescueRef(trusted.bead(request.sourceBead), trusted.attempt(request.attempt));
      const saved = await site.rescue({ ref, atMs, keepStashes: true });
      if (saved.ref !== null) await ctx.pushes.push(request.repo, saved.ref, 0);
    });
  } catch (error) {
    ctx.log.warn('work of a live agent is not stored yet', { attempt: live.request.attempt, error: errorText(error) });
  }
}
