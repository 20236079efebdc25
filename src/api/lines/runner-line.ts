/** What a proven line to a runner is used for, on any host. */
import type { RunnerHello } from '../../core/model/runner.ts';
import type { RunnerGateway } from '../../ports/runner-gateway.ts';
import type { WireAnswer, WireCall } from '../contract/frames.ts';
import { saysSession } from '../capability.ts';
import { problem } from '../contract/link.ts';
import type { RunnerHealth } from '../contract/runner-health.ts';
import type { WireRunnerClient } from './wire-runner-client.ts';

const RUNNER_PATH = /^\/api\/v1\/towns\/[^/]+\/(runner|agent)\//;

/**
 * A runner may call what is for runners, with the proof of its connection (`bearer`), and pass on calls of its agents:
 * what is for agents, and anything for a session of the mayor, whose token the town holds against its rights. `fetch` is
 * the town's HTTP application.
 */
export async function serveRunner(
  call: WireCall,
  bearer: string,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<WireAnswer> {
  const part = RUNNER_PATH.exec(call.path)?.[1];
  if (part === undefined ? !saysSession(call.authorization) : part === 'agent' && call.authorization === null)
    return problem(403, 'not_for_runners', 'A runner may not make this call.', 'Use gt in the town itself.');
  const headers: Record<string, string> = {
    authorization: part === 'runner' ? `Bearer ${bearer}` : (call.authorization ?? ''),
  };
  if (call.body !== null) headers['content-type'] = 'application/json';
  if (call.key !== undefined) headers['idempotency-key'] = call.key;
  const answer = await fetch(
    new Request(`http://town${call.path}`, {
      method: call.method,
      headers,
      ...(call.body === null ? {} : { body: call.body }),
    }),
  );
  return {
    status: answer.status,
    type: answer.headers.get('content-type') ?? 'application/json',
    body: await answer.text(),
    next: null,
  };
}

/** Records that it answers now, and tells it what people want of it. False: it was removed meanwhile. */
export async function recordMet(
  gateway: RunnerGateway,
  id: string,
  met: {
    readonly client: WireRunnerClient;
    readonly health: RunnerHealth;
    readonly troubles: NonNullable<RunnerHello['troubles']>;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { client, health, troubles, nowMs } = met;
  const runner = await gateway.seen(id, { ...helloOf(health), troubles });
  if (runner === null) return false;
  // Also when it drains already: until when may have changed while it was away.
  if (runner.draining || health.draining) {
    const { drainUntilMs } = runner;
    // What is left of the time that a person gave, since it may have been away meanwhile.
    await client.drain(runner.draining, drainUntilMs === null ? null : Math.max(0, drainUntilMs - nowMs));
  }
  return true;
}

const helloOf = (health: RunnerHealth): RunnerHello => ({
  instance: health.instance,
  capacity: health.capacity,
  labels: health.labels,
  versions: health.versions,
});
