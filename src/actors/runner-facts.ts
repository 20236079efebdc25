import type { Fact } from '../core/facts.ts';
import { trusted } from '../core/model/ids.ts';
import { MAYOR_SCOPE } from '../core/model/mayor.ts';
import { LOCAL_RUNNER } from '../core/model/runner.ts';
import type { Log } from '../ports/log.ts';
import type { AskedRig } from './asked.ts';
import type { TownActors } from './town-actors.ts';

interface From {
  readonly runner: string;
  readonly log: Log;
}

/** Gives facts of a runner to the actors they are about; answers the keys that are safe to forget. */
export async function recordFacts(actors: TownActors, facts: readonly Fact[], from: From): Promise<readonly string[]> {
  const byRig = new Map<string, Fact[]>();
  for (const fact of facts) byRig.set(fact.rig, [...(byRig.get(fact.rig) ?? []), fact]);
  const recorded: string[] = [];
  for (const [name, list] of byRig) {
    await recordOf(actors, { name, list, from });
    recorded.push(...list.map((fact) => fact.key));
  }
  return recorded;
}

async function recordOf(
  actors: TownActors,
  { name, list, from }: { readonly name: string; readonly list: readonly Fact[]; readonly from: From },
): Promise<void> {
  const { runner, log } = from;
  if (name === MAYOR_SCOPE) {
    // The mayor's sessions run beside the daemon only.
    if (runner === LOCAL_RUNNER) await actors.mayor?.recordFacts(list);
    else log.warn('fact of another runner dropped', { runner, rig: name, facts: list.length });
    return;
  }
  const rig = actors.rig(name);
  if (rig === null) log.warn('facts of an unknown rig dropped', { rig: name, facts: list.length });
  else await rig.recordFacts(await ownFacts(rig, list, from));
}

/** One runner must not speak for another's attempts, whatever it believes; what it says of them is dropped and logged. */
async function ownFacts(rig: AskedRig, facts: readonly Fact[], from: From): Promise<readonly Fact[]> {
  const own: Fact[] = [];
  for (const fact of facts) if (await isOwn(rig, fact, from)) own.push(fact);
  return own;
}

async function isOwn(rig: AskedRig, fact: Fact, from: From): Promise<boolean> {
  if (fact.type === 'job_finished') return true;
  const id = trusted.attempt(fact.type === 'agent_exited' ? fact.exit.attempt : fact.attempt);
  const owner = (await rig.view.attempt(id))?.runner ?? from.runner;
  if (owner !== from.runner)
    from.log.warn('fact of another runner dropped', { runner: from.runner, attempt: id, type: fact.type });
  return owner === from.runner;
}
