/**
 * Agents whose program asks a person before it acts: every fourth sign of life is a question, the next one
 * its answer, and the one after it a host that its sandbox does not let it reach.
 */
import { type Fact, NETWORK_REFUSED } from '../src/core/facts.ts';
import type { LiveAgent } from './machine.ts';

/** The runtime of the workload that stands for real programs. */
const ASKING_RUNTIME = 'claude';
const EVERY = 4;
const counts = new WeakMap<LiveAgent, number>();

/** The sign of life as its program makes it. */
export function signOfLife(live: LiveAgent, fact: Fact): Fact {
  if (fact.type !== 'agent_event' || live.row.request.runtime !== ASKING_RUNTIME) return fact;
  const count = (counts.get(live) ?? 0) + 1;
  counts.set(live, count);
  const key = `asks:${fact.attempt}:${String(count)}`;
  if (count % EVERY === 1) return { ...fact, key, eventType: 'waiting', statusMessage: 'May it? Bash: make' };
  // The same place again and again: it is one fact.
  if (count % EVERY === 3)
    return {
      ...fact,
      key: `refused:${fact.attempt}:evil.example:443`,
      eventType: NETWORK_REFUSED,
      statusMessage: 'refused: evil.example:443: it is not in the list "network" of the rig',
    };
  return count % EVERY === 2 ? { ...fact, key, eventType: 'answered' } : fact;
}
