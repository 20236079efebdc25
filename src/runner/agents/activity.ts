import type { RunnerContext } from '../context.ts';
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
    if (live.pid === null || atMs === null || atMs <= live.lastReportedAtMs) continue;
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
      activeTools: [],
      statusMessage: null,
    });
    live.lastReportedAtMs = atMs;
  }
}
