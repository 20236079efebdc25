import type { StopAgent, StopAnswer } from '../../api/contract/runner.ts';
import { pause, within } from '../clock.ts';
import type { RunnerContext } from '../context.ts';
import { CANCEL_MS } from '../limits.ts';
import { childrenOf, kill } from '../process/sweep.ts';
import type { Ending, LiveAgent } from './live.ts';

/**
 * Ends an attempt for good, also one that never came here: its tombstone is durable before anything else, so no later or
 * concurrent start can win. `gone` is said only with the exit record, after rescue.
 */
export async function stopAgent(ctx: RunnerContext, order: StopAgent): Promise<StopAnswer> {
  ctx.attempts.tombstone(order.attempt, order.epoch, { mode: order.mode, nowMs: ctx.clock.now() });
  const live = ctx.live.get(order.attempt);
  if (live === undefined) return { state: 'gone', exit: ctx.attempts.get(order.attempt)?.exit ?? null };
  const graceMs = order.mode === 'now' ? 0 : ctx.timings.stopGraceMs;
  void orderEnd(ctx, live, { ending: 'stopped', graceMs });
  const exit = await within(live.ended, ctx.timings.stopAnswerMs);
  return exit === null ? { state: 'stopping', exit: null } : { state: 'gone', exit };
}

/** The ladder: SIGTERM to the group, grace, SIGKILL; the sweep and the rescue follow in the exit pipeline. */
export async function orderEnd(
  ctx: RunnerContext,
  live: LiveAgent,
  order: { readonly ending: Ending; readonly graceMs: number },
): Promise<void> {
  live.end(order.ending);
  if (running(live) && order.graceMs > 0) {
    // By its own protocol first: many programs leave their tools behind when a signal ends them.
    if (live.conversation !== null)
      await within(Promise.all([live.conversation.cancel(), pause(CANCEL_MS)]), CANCEL_MS);
    askToEnd(live);
    await within(exited(live), order.graceMs);
  }
  if (running(live)) signalGroup(live, 'SIGKILL');
  await live.ended;
}

const running = (live: LiveAgent): boolean =>
  live.child !== null && live.child.exitCode === null && live.child.signalCode === null;

/** Inside a sandbox, what ends is the program: ended itself, the sandbox would take the program with it at once. */
export function askToEnd(live: LiveAgent): void {
  const inside = live.pid !== null && live.request.sandbox?.kind === 'bubblewrap' ? childrenOf(live.pid) : [];
  if (inside.length === 0) signalGroup(live, 'SIGTERM');
  for (const pid of inside) kill(-pid, 'SIGTERM');
}

function signalGroup(live: LiveAgent, signal: NodeJS.Signals): void {
  if (live.pid !== null) kill(-live.pid, signal);
}

function exited(live: LiveAgent): Promise<void> {
  return new Promise((resolve) => {
    if (running(live))
      live.child?.once('exit', () => {
        resolve();
      });
    else resolve();
  });
}
