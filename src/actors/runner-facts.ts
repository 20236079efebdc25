import type { Fact } from '../core/facts.ts';
import { MAYOR_SCOPE } from '../core/model/mayor.ts';
import type { Log } from '../ports/log.ts';
import type { TownActors } from './town-actors.ts';

/** Gives facts of a runner to the actors they are about; answers the keys that are safe to forget. */
export async function recordFacts(actors: TownActors, facts: readonly Fact[], log: Log): Promise<readonly string[]> {
  const byRig = new Map<string, Fact[]>();
  for (const fact of facts) byRig.set(fact.rig, [...(byRig.get(fact.rig) ?? []), fact]);
  const recorded: string[] = [];
  for (const [name, list] of byRig) {
    const actor = name === MAYOR_SCOPE ? actors.mayor : actors.rig(name);
    if (actor === null) log.warn('facts of an unknown rig dropped', { rig: name, facts: list.length });
    else await actor.recordFacts(list);
    recorded.push(...list.map((fact) => fact.key));
  }
  return recorded;
}
