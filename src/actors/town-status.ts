import type { TownStatus } from '../core/queries.ts';
import { checkChannel } from '../core/channels.ts';
import { checkTown } from '../core/invariants.ts';
import { RUNNER_SUBJECT, type Health } from '../core/model/health.ts';
import type { Runner } from '../core/model/runner.ts';
import type { RunnerTrouble } from '../core/runner-trouble.ts';
import type { HostPorts } from '../ports/host.ts';
import { readTownFacts } from '../store/town-facts.ts';
import { askAll } from './asked.ts';
import type { TownActors } from './town-actors.ts';
import { readAttention } from './town-attention.ts';
import { TOWN_ADDRESS } from './town/town-context.ts';

/** The five-second answer: alive, what needs a person, what moves. */
export async function readTownStatus(
  town: { readonly id: string; readonly name: string },
  actors: TownActors,
  ports: HostPorts,
  nowMs: number,
): Promise<TownStatus> {
  const rigs = actors.rigs();
  const agents = await askAll(rigs, (rig) => rig.queries.agents());
  const merged = await askAll(rigs, (rig) => rig.queries.mergedLastHour(nowMs));
  const ofRigs = await Promise.all(
    rigs.map(async (rig) => (await rig.violations()).map(({ code, text }) => `${rig.address}: ${code} ${text}`)),
  );
  const ofMayor = (await actors.mayor?.violations()) ?? [];
  const ofChannels = await channelViolations(actors);
  const { view } = actors.town.program;
  const instance = ports.runner.instance();
  const convoys = view.liveConvoys();
  const health = actors.town.health();
  return {
    id: town.id,
    name: town.name,
    rigs: await askAll(rigs, (rig) => rig.summary()),
    convoys,
    workingAgents: agents.flat().filter((agent) => agent.status === 'working').length,
    mergedLastHour: merged.reduce((sum, count) => sum + count, 0),
    attention: await readAttention(actors),
    health,
    runner:
      ports.hasLocalRunner === false
        ? registered(actors.town.runnerStore.all())
        : { instance, state: runnerState(instance, health, ports.runnerTrouble?.() ?? null), pid: null },
    violations: [
      ...checkTown(readTownFacts(actors.town.sql)).map((violation) => `town: ${violation.code} ${violation.text}`),
      ...ofMayor.map((violation) => `mayor: ${violation.code} ${violation.text}`),
      ...ofRigs.flat(),
      ...ofChannels,
    ],
  };
}

/** Of a host without a runner of its own: up while any registered one answers. */
function registered(runners: readonly Runner[]): TownStatus['runner'] {
  const answers = runners.find(({ state }) => state === 'healthy' || state === 'draining');
  const state = answers !== undefined ? 'up' : runners.length === 0 ? 'unknown' : 'down';
  return { instance: answers?.instance ?? null, state, pid: null };
}

/** The watchdog's word counts where it has one: a process may be there and answer nobody. */
function runnerState(
  instance: string | null,
  health: readonly Health[],
  trouble: RunnerTrouble | null,
): 'up' | 'down' | 'unknown' {
  if (trouble !== null) return 'down';
  if (health.some((item) => item.subject === RUNNER_SUBJECT && item.state === 'down')) return 'down';
  return instance === null ? 'unknown' : 'up';
}

/** What each actor and the town have of each other; all messages go through the town. */
async function channelViolations(actors: TownActors): Promise<readonly string[]> {
  const { kernel: town } = actors.town;
  const others = actors.all().filter(({ address }) => address !== TOWN_ADDRESS);
  const found = await askAll(others, async ({ address, kernel }) => {
    const before = town.channel(address);
    const other = await kernel.channel(TOWN_ADDRESS);
    return checkChannel(other, { before, after: town.channel(address) }).map(
      ({ code, text }) => `${address}: ${code} ${text}`,
    );
  });
  return found.flat();
}
