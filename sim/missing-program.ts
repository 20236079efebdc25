import type { ExitRecord, StartAgent } from '../src/core/facts.ts';
import type { Sim } from './context.ts';
import { isolationFails } from './shield.ts';

/** The runtime whose program goes missing; the others start meanwhile. */
const ITS_RUNTIME = 'command';

/** Why a start can't come to a process now, or null. */
export function failsToStart(sim: Sim, request: StartAgent): Pick<ExitRecord, 'lastLine' | 'failed'> | null {
  if (request.runtime === ITS_RUNTIME && sim.weather.hits('program_missing')) {
    sim.ledger.explain(request.attempt, 'its program was missing');
    return { lastLine: 'agent: not found', failed: 'program' };
  }
  const shut = isolationFails(sim, request);
  if (shut !== null) return shut;
  if (!sim.weather.hits('spawn_fails')) return null;
  sim.ledger.explain(request.attempt, 'the program could not be started');
  return { lastLine: 'spawn: no room for a process', failed: 'machine' };
}
