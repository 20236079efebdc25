import type { RunnerContext } from '../context.ts';

/** Reports signs of life of all agents, at most one per heartbeat and agent, and none without activity. */
export function startHeartbeat(ctx: RunnerContext): () => void {
  const timer = setInterval(() => {
    for (const live of ctx.live.values()) {
      const atMs = live.lastActivityAtMs;
      if (live.pid === null || atMs === null || atMs <= live.lastReportedAtMs) continue;
      live.lastReportedAtMs = atMs;
      const { rig, attempt, epoch } = live.request;
      ctx.facts.record({
        type: 'agent_event',
        key: `event:${attempt}:${String(atMs)}`,
        rig,
        attempt,
        epoch,
        eventType: 'output',
        atMs,
        activeTools: [],
        statusMessage: null,
      });
    }
  }, ctx.timings.heartbeatMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
