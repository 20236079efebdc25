import type { HostPorts } from '../../src/ports/host.ts';
import type { RunnerClient } from '../../src/ports/runner-client.ts';
import type { FakeRunner } from '../support/fake-runner.ts';
import type { Life } from './life.ts';

/** Whose runner it is. */
export interface LateWorld {
  readonly runner: FakeRunner;
  /** The runner's answers about this rig come so late; null: all are in time. */
  readonly late: { readonly rig: string; readonly ms: number } | null;
  lateAnswers: number;
}

/**
 * A runner whose answers may come so late that the call was repeated meanwhile; what it was told is done at once. The
 * answer is waited for where the call was made: an object's promises are no other object's business.
 */
export function lateRunner(world: LateWorld, life: Life, after: HostPorts['after']): RunnerClient {
  const { runner } = world;
  const late = async <T>(rig: string, answer: Promise<T>): Promise<T> => {
    // Of one rig at a time: when two are late alike, which of them is first with the town is the host's own matter.
    const { late } = world;
    if (late?.rig !== rig) return answer;
    world.lateAnswers += 1;
    const arrived = life.waits();
    await new Promise<void>((resolve) => {
      after(late.ms, resolve);
    });
    arrived();
    return answer;
  };
  return {
    instance: () => runner.instance(),
    health: () => runner.health(),
    start: (request) => late(request.rig, runner.start(request)),
    report: (attempts) => runner.report(attempts),
    stop: (request) => runner.stop(request),
    job: (job) => late(job.repo.rig, runner.job(job)),
    cancelJob: (key) => runner.cancelJob(key),
    message: (message) => runner.message(message),
  };
}
