/** What one bead's life costs: durable commits, and the time of its scheduling, against a loop that looks every 5 s (goal G10). */
import type { Sql, SqlRow, SqlValue } from '../src/ports/sql.ts';
import { finishAll, human, newBead } from '../test/support/town-story.ts';
import { rigConfig, VirtualTown } from '../test/support/virtual-town.ts';
import { median, ms, type Bench } from './result.ts';

const ROUNDS = 21;
const COMMITS_GOAL = 12;
const LATENCY_GOAL = 500;
/** Dispatch, verification, promotion and merge: each is found by the next look of a loop. */
const STAGES = 4;
/** A loop that looks every 5 s finds a change after half of that on average. */
const LOOP_WAIT_MS = 2_500;

/** Counts commits that wrote something. */
class Commits implements Sql {
  count = 0;
  #depth = 0;
  readonly #inner: Sql;
  constructor(inner: Sql) {
    this.#inner = inner;
  }
  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    return this.#inner.all(text, ...args);
  }
  tx<T>(work: () => T): T {
    const before = this.#depth === 0 ? this.#changes() : 0;
    this.#depth += 1;
    try {
      return this.#inner.tx(work);
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0 && this.#changes() !== before) this.count += 1;
    }
  }
  #changes(): number {
    return Number(this.#inner.all('SELECT total_changes() AS n')[0]?.['n']);
  }
}

export const life: Bench = async (rounds) => {
  const counters: Commits[] = [];
  const virtual: VirtualTown = new VirtualTown({
    ports: (plain) => ({
      ...plain,
      openSql: (address) => {
        const counter = new Commits(plain.openSql(address));
        counters.push(counter);
        return counter;
      },
    }),
    handOver: async (runner) => {
      await virtual.service.recordFacts(runner.facts.splice(0));
    },
  });
  await virtual.service.start([rigConfig('api', { gates: [] })]);
  await virtual.settle();
  const commits: number[] = [];
  const times: number[] = [];
  for (let round = 0; round <= (rounds ?? ROUNDS); round += 1) {
    const before = counters.reduce((sum, counter) => sum + counter.count, 0);
    const startedMs = virtual.nowMs;
    const began = performance.now();
    const bead = await virtual.service.createBead(newBead(`bead ${String(round)}`), human);
    await virtual.settle();
    await finishAll(virtual, 1_000 + round);
    await virtual.settle();
    const tookMs = performance.now() - began + (virtual.nowMs - startedMs);
    if ((await virtual.service.getBead(bead.id)).status !== 'closed') throw new Error(`${bead.id} was not merged`);
    if (round === 0) continue;
    commits.push(counters.reduce((sum, counter) => sum + counter.count, 0) - before);
    times.push(tookMs);
  }
  virtual.service.stop();
  const ratio = (STAGES * LOOP_WAIT_MS) / median(times);
  return {
    bench: 'life',
    figures: {
      'durable commits of one bead alone, sling to merged': `median ${String(median(commits))}, most ${String(Math.max(...commits))}`,
      "the engine's part of its four stages (checks and fakes included)": ms(median(times)),
      'a loop of 5 s': ms(STAGES * LOOP_WAIT_MS),
    },
    goal: `at most ${String(COMMITS_GOAL)} durable commits, and 1/${String(LATENCY_GOAL)} of the loop's time`,
    holds: median(commits) <= COMMITS_GOAL && ratio >= LATENCY_GOAL,
    ratio,
    ratioOf: 'four stages of a 5 s loop : ours',
  };
};
