import type { TownStatus } from '../core/queries.ts';
import { checkRig, checkTown } from '../core/invariants.ts';
import { checkMayor } from '../core/mayor-invariants.ts';
import { readMayorFacts } from '../store/mayor-facts.ts';
import { RUNNER_SUBJECT, type Health } from '../core/model/health.ts';
import type { HostPorts } from '../ports/host.ts';
import { readInvariantFacts } from '../store/invariant-facts.ts';
import { readTownFacts } from '../store/town-facts.ts';
import type { TownActors } from './town-actors.ts';
import { readAttention } from './town-attention.ts';

/** The five-second answer: alive, what needs a person, what moves. */
export function readTownStatus(
  town: { readonly id: string; readonly name: string },
  actors: TownActors,
  ports: HostPorts,
  nowMs: number,
): TownStatus {
  const rigs = actors.rigs();
  const { view } = actors.town.program;
  const instance = ports.runner.instance();
  const convoys = view.liveConvoys();
  const health = actors.town.health();
  return {
    id: town.id,
    name: town.name,
    rigs: rigs.map((rig) => rig.summary()),
    convoys,
    workingAgents: rigs.reduce(
      (sum, rig) => sum + rig.queries.agents().filter((agent) => agent.status === 'working').length,
      0,
    ),
    mergedLastHour: rigs.reduce((sum, rig) => sum + rig.queries.mergedLastHour(nowMs), 0),
    attention: readAttention(actors, nowMs),
    health,
    runner: { instance, state: runnerState(instance, health), pid: null },
    violations: [
      ...checkTown(readTownFacts(actors.town.sql)).map((violation) => `town: ${violation.code} ${violation.text}`),
      ...(actors.mayor === null ? [] : checkMayor(readMayorFacts(actors.mayor.sql))).map(
        (violation) => `mayor: ${violation.code} ${violation.text}`,
      ),
      ...rigs.flatMap((rig) =>
        checkRig(readInvariantFacts(rig.sql), nowMs).map(
          (violation) => `${rig.address}: ${violation.code} ${violation.text}`,
        ),
      ),
    ],
  };
}

/** The watchdog's word counts where it has one: a process may be there and answer nobody. */
function runnerState(instance: string | null, health: readonly Health[]): 'up' | 'down' | 'unknown' {
  if (health.some((item) => item.subject === RUNNER_SUBJECT && item.state === 'down')) return 'down';
  return instance === null ? 'unknown' : 'up';
}
