import type { Fact } from '../core/facts.ts';
import { trusted, type AttemptId } from '../core/model/ids.ts';
import { MAYOR_SCOPE } from '../core/model/mayor.ts';
import type { Log } from '../ports/log.ts';
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
  const { log } = from;
  if (name === MAYOR_SCOPE) {
    const { mayor } = actors;
    await mayor?.recordFacts(await ownFacts((id) => mayor.runnerOf(id), list, from));
    return;
  }
  const rig = actors.rig(name);
  if (rig === null) log.warn('facts of an unknown rig dropped', { rig: name, facts: list.length });
  else await rig.recordFacts(await ownFacts(async (id) => (await rig.view.attempt(id))?.runner ?? null, list, from));
}

/** Where an attempt is; null: nobody knows it. */
type RunnerOf = (attempt: AttemptId) => string | null | Promise<string | null>;

/** One runner must not speak for another's attempts, whatever it believes; what it says of them is dropped and logged. */
async function ownFacts(runnerOf: RunnerOf, facts: readonly Fact[], from: From): Promise<readonly Fact[]> {
  const own: Fact[] = [];
  for (const fact of facts) if (await isOwn(runnerOf, fact, from)) own.push(fact);
  return own;
}

async function isOwn(runnerOf: RunnerOf, fact: Fact, from: From): Promise<boolean> {
  if (fact.type === 'job_finished') return true;
  const id = trusted.attempt(fact.type === 'agent_exited' ? fact.exit.attempt : fact.attempt);
  const owner = (await runnerOf(id)) ?? from.runner;
  if (owner !== from.runner)
    from.log.warn('fact of another runner dropped', { runner: from.runner, attempt: id, type: fact.type });
  return owner === from.runner;
}
