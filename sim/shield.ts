/** What the shield of a rig does when it strikes: no sandbox here, too much of memory or disk, something like a key. */
import type { ExitRecord, Job, JobResult, StartAgent } from '../src/core/facts.ts';
import type { Sim } from './context.ts';
import type { Prng } from './prng.ts';

/** The sandbox of a rig is gone for a while: what asks for it does not start. */
export function isolationFails(sim: Sim, request: StartAgent): Pick<ExitRecord, 'lastLine' | 'failed'> | null {
  if (!sim.weather.hits('isolation_gone')) return null;
  sim.ledger.explain(request.attempt, 'its sandbox did not work');
  return { lastLine: 'isolation_unavailable: bwrap is not installed', failed: 'isolation' };
}

const SOONEST_MS = 50;
const LATEST_MS = 20_000;

/** Says when a process that has just begun will have used too much, and of what; nothing for a modest one. */
export function breachOf(sim: Sim, chance: Prng, then: (afterMs: number, what: 'memory' | 'disk') => void): void {
  if (sim.weather.hits('too_much')) then(chance.between(SOONEST_MS, LATEST_MS), chance.chance(0.5) ? 'memory' : 'disk');
}

/** What would be pushed looks like a key: nothing is. */
export function keyFound(sim: Sim, job: Job): JobResult | null {
  if ((job.kind !== 'verify' && job.kind !== 'push') || !sim.weather.hits('key_found')) return null;
  return {
    result: 'refused',
    code: 'secret_found',
    message: 'What looks like a key was added: conf.ini:3 (github-token).',
  };
}
