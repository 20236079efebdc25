import type { RunnerContext } from '../context.ts';
import { readTail } from '../files.ts';
import { transcriptFile } from '../paths.ts';
import { sweep } from '../process/sweep.ts';
import { lastLine } from '../text.ts';
import { endAttempt } from './exit.ts';
import { LiveAgent } from './live.ts';
import { removeStrayBoxes } from './set-aside.ts';

/** Bytes of a transcript's end that are searched for the last line. */
const TAIL_BYTES = 4_096;

/**
 * After a start of the runner: ends every process of a predecessor, then every attempt that had no exit record, as lost
 * (or stopped, where a stop had been ordered). Returns when all of it is durable. The caller holds the town's lock.
 */
export async function recover(ctx: RunnerContext): Promise<void> {
  const killed = await sweep({ town: ctx.town.id, runner: ctx.name }, ctx.timings.sweepMs);
  if (killed > 0) ctx.log.warn('processes of a former runner ended', { count: killed });
  await ctx.repos.heal();
  const unfinished = ctx.attempts.unfinished();
  ctx.pool.heal(new Set(unfinished.map((row) => row.attempt)));
  await Promise.all(
    unfinished.map(async (row) => {
      const request = ctx.attempts.request(row.attempt);
      if (request === null) return;
      const live = new LiveAgent(request);
      live.base = row.base;
      live.startedAtMs = row.startedAtMs;
      live.end(row.stopMode === null ? 'runner_lost' : 'stopped');
      ctx.live.set(row.attempt, live);
      const text = await readTail(transcriptFile(ctx.paths, row.attempt), TAIL_BYTES);
      await endAttempt(ctx, live, {
        exitCode: null,
        signal: null,
        cause: live.ending ?? 'runner_lost',
        lastLine: lastLine(text),
      });
    }),
  );
  await removeStrayBoxes(ctx);
}
