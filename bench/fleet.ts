/** Fifty agents and ten thousand closed beads: what a sign of life and a look at everything that lives cost. */
import { RESYNC } from '../src/core/refs.ts';
import { median, type Bench } from './result.ts';
import { openRig, runAgents, signOfLife, timed } from './rig.ts';

const ROUNDS = 15;
const AGENTS = [1, 50];
const CLOSED = [0, 10_000];
/** Signs of life that are timed together. */
const SIGNS = 100;
const GROWTH_GOAL = 2;

interface Cost {
  readonly sign: number;
  readonly resync: number;
}

async function measure(agents: number, closed: number, rounds: number): Promise<Cost> {
  const made = await openRig({ closed, polecatsMax: agents });
  const live = await runAgents(made, agents);
  if (live.length !== agents) throw new Error(`${String(live.length)} of ${String(agents)} agents run`);
  const sign: number[] = [];
  const resync: number[] = [];
  let n = 0;
  for (let round = 0; round <= rounds; round += 1) {
    const signMs = await timed(async () => {
      for (let at = 0; at < SIGNS; at += 1) {
        const attempt = live[at % live.length];
        if (attempt !== undefined) await made.rig.recordFacts([signOfLife(attempt, (n += 1))]);
      }
    });
    const resyncMs = await timed(() =>
      made.rig.actor.ask(
        (turn) => {
          turn.dirty(RESYNC);
        },
        ['resync'],
      ),
    );
    if (round === 0) continue;
    sign.push(signMs / SIGNS);
    resync.push(resyncMs);
  }
  made.rig.actor.close();
  return { sign: median(sign), resync: median(resync) };
}

const us = (ms: number): string => `${(ms * 1_000).toFixed(0)} µs`;

export const fleet: Bench = async (rounds) => {
  const figures: Record<string, string> = {};
  const signs: number[] = [];
  for (const closed of CLOSED)
    for (const agents of AGENTS) {
      const cost = await measure(agents, closed, rounds ?? ROUNDS);
      signs.push(cost.sign);
      figures[`${String(agents)} agents, ${String(closed)} closed beads`] =
        `a sign of life ${us(cost.sign)}, a look at all that lives ${us(cost.resync)}`;
    }
  const ratio = (signs.at(-1) ?? Number.NaN) / (signs[0] ?? Number.NaN);
  return {
    bench: 'fleet',
    figures,
    goal: `a sign of life costs at most ${String(GROWTH_GOAL)} times as much with 50 agents and 10,000 closed beads as with one and none`,
    holds: ratio <= GROWTH_GOAL,
    ratio,
    ratioOf: 'a sign of life among 50 agents and 10,000 closed beads : one agent, no history',
  };
};
