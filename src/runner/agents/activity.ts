import type { RunnerContext } from '../context.ts';
import type { LiveAgent } from './live.ts';
import { reportUsage } from './usage.ts';
import { errorText } from '../text.ts';

/** Reports signs of life of all agents, at most one per heartbeat and agent, and none without activity. */
export function startHeartbeat(ctx: RunnerContext): () => void {
  const timer = setInterval(() => {
    try {
      report(ctx);
    } catch (error) {
      ctx.log.error('activity not recorded', { error: errorText(error) });
    }
  }, ctx.timings.heartbeatMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

function report(ctx: RunnerContext): void {
  for (const live of ctx.live.values()) {
    void reportUsage(ctx, live, false);
    const atMs = live.lastActivityAtMs;
    // Who waits for a person shows no activity, and must not be taken for going on.
    if (live.asks || live.pid === null || atMs === null || atMs <= live.lastReportedAtMs) continue;
    const { rig, attempt, epoch } = live.request;
    const key = `event:${attempt}:${String(atMs)}`;
    ctx.facts.record({
      type: 'agent_event',
      key,
      rig,
      attempt,
      epoch,
      eventType: 'output',
      atMs,
      activeTools: toolsOf(live),
      statusMessage: null,
    });
    live.lastReportedAtMs = atMs;
  }
}

/** As many as the contract takes, each short enough to read in a list. */
const TOOLS_MAX = 20;
const TOOL_CHARS_MAX = 120;

const toolsOf = (live: LiveAgent): string[] =>
  (live.conversation?.activeTools ?? []).slice(0, TOOLS_MAX).map((title) => title.slice(0, TOOL_CHARS_MAX));
