/** Tells histories to both hosts, several at once, and says where they ended otherwise. */
import { request } from 'node:http';
import { firstDifference } from './compare.ts';
import { tellHistory, type Faults, type HistoryEnd, type HistoryOrder } from './history.ts';
import { NodeBench } from './node-bench.ts';

/** Asks the Worker under test. */
export type Ask = <T>(path: string, body: unknown) => Promise<T>;

/** A workerd of its own, with an empty disk. */
export interface Workerd {
  readonly ask: Ask;
  /** The process ends and its disk is given back. */
  readonly end: () => Promise<void>;
}

export interface Telling {
  readonly firstSeed: number;
  readonly count: number;
  readonly steps: number;
  /** Processes of workerd at once. */
  readonly jobs: number;
  readonly start: () => Promise<Workerd>;
  readonly told: (seed: number, difference: string | null) => void;
  /** What happened on each, when it is asked for. */
  readonly traced: ((seed: number, here: readonly string[], there: readonly string[]) => void) | null;
}

export interface Told {
  readonly steps: number;
  readonly done: Readonly<Record<string, number>>;
  readonly faults: Faults;
}

/** Histories that one process tells at once: while one waits for a call between its objects, another goes on. */
const AT_ONCE = 2;
/** Then it is ended with all it kept, and another takes its place: a long history leaves some ten megabytes. */
const PER_PROCESS = 10;

export async function tellBoth(telling: Telling): Promise<Told> {
  const { firstSeed, count } = telling;
  const seeds = Array.from({ length: count }, (_, index) => firstSeed + index);
  const sum = new Sum();
  const perProcess = Math.min(PER_PROCESS, Math.ceil(count / telling.jobs));
  const job = async (): Promise<void> => {
    for (let own = seeds.splice(0, perProcess); own.length > 0; own = seeds.splice(0, perProcess)) {
      const workerd = await telling.start();
      try {
        const next = async (): Promise<void> => {
          for (let seed = own.shift(); seed !== undefined; seed = own.shift()) await one(telling, workerd, seed, sum);
        };
        await Promise.all(Array.from({ length: AT_ONCE }, next));
      } finally {
        await workerd.end();
      }
    }
  };
  await Promise.all(Array.from({ length: telling.jobs }, job));
  return sum;
}

async function one(telling: Telling, workerd: Workerd, seed: number, sum: Sum): Promise<void> {
  const order: HistoryOrder = { seed, steps: telling.steps, trace: telling.traced !== null };
  try {
    const [here, there] = await Promise.all([
      tellHistory(new NodeBench(seed), order),
      workerd.ask<HistoryEnd>('/history', { order }),
    ]);
    sum.add(order, there);
    telling.traced?.(seed, here.trace, there.trace);
    telling.told(seed, firstDifference(here, there));
  } catch (error) {
    // The others are told all the same: one that can't be told to its end must not hide what they show.
    telling.told(seed, `it came to no end: ${String(error)}`);
  }
}

class Sum implements Told {
  steps = 0;
  readonly done: Record<string, number> = {};
  faults: Faults = { evictions: 0, diedWaiting: 0, diedInTurn: 0, failedTurns: 0, lateAnswers: 0 };

  add({ steps }: HistoryOrder, { done, faults }: HistoryEnd): void {
    this.steps += steps;
    for (const [verb, times] of Object.entries(done)) this.done[verb] = (this.done[verb] ?? 0) + times;
    this.faults = {
      evictions: this.faults.evictions + faults.evictions,
      diedWaiting: this.faults.diedWaiting + faults.diedWaiting,
      diedInTurn: this.faults.diedInTurn + faults.diedInTurn,
      failedTurns: this.faults.failedTurns + faults.failedTurns,
      lateAnswers: this.faults.lateAnswers + faults.lateAnswers,
    };
  }
}

/** One request to the bench: a history of a thousand steps on a loaded machine is the longest. A hang must have a name. */
const ANSWER_MS = 30 * 60_000;

/** `fetch` gives an answer up that takes more than five minutes. Errors: what the Worker said; no answer in time. */
export function askOf(url: () => string): Ask {
  return async <T>(path: string, body: unknown): Promise<T> => {
    const text = await posted(`${url()}/bench${path}`, JSON.stringify(body)).catch((error: unknown) => {
      throw new Error(`${path} had no answer`, { cause: error });
    });
    const answer = JSON.parse(text) as { value: T; error?: string };
    if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
    return answer.value;
  };
}

function posted(url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve(text);
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
