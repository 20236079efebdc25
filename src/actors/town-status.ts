import { whyConvoy } from '../core/why.ts';
import type { AttentionItem, TownStatus } from '../core/queries.ts';
import { checkRig } from '../core/invariants.ts';
import type { HostPorts } from '../ports/host.ts';
import { readInvariantFacts } from '../store/invariant-facts.ts';
import type { TownActors } from './town-actors.ts';

const RANK = { critical: 0, high: 1, medium: 2, low: 3 } as const;

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
  const escalations: AttentionItem[] = view.escalations(true).map((item) => ({
    severity: item.severity,
    subject: item.subject,
    sentence: item.message,
    sinceMs: item.createdAtMs,
    next: `gt why ${item.subject.slice(item.subject.indexOf(':') + 1)}`,
  }));
  const held: AttentionItem[] = convoys
    .filter((convoy) => convoy.failedBeads + convoy.cancelledBeads > 0)
    .map((convoy) => ({
      severity: 'medium',
      subject: convoy.id,
      sentence: whyConvoy(convoy, view.convoyBeads(convoy.id)).sentence,
      sinceMs: convoy.createdAtMs,
      next: `gt convoy show ${convoy.id}`,
    }));
  const known = new Set(escalations.map((item) => item.subject.slice(item.subject.indexOf(':') + 1)));
  const own = rigs.flatMap((rig) => rig.queries.attention()).filter((item) => !known.has(item.subject));
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
    attention: [...escalations, ...held, ...own].toSorted(
      (a, b) => RANK[a.severity] - RANK[b.severity] || a.sinceMs - b.sinceMs,
    ),
    runner: { instance, state: instance === null ? 'unknown' : 'up', pid: null },
    violations: rigs.flatMap((rig) =>
      checkRig(readInvariantFacts(rig.sql), nowMs).map(
        (violation) => `${rig.address}: ${violation.code} ${violation.text}`,
      ),
    ),
  };
}
