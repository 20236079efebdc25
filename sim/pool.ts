import { Worker } from 'node:worker_threads';
import type { Selection } from './run.ts';
import type { Result } from './world.ts';

/** What a worker is asked and answers; a `Result` crosses the threads as it is. */
export interface Order {
  readonly selection: Selection;
  readonly twice: boolean;
}

/**
 * Runs selections on several threads and yields their results in the order in which they were given, so that the output
 * does not depend on the number of threads. Stops taking new ones when the consumer stops.
 */
export async function* runAll(
  selections: Iterable<Selection>,
  options: { readonly jobs: number; readonly twice: boolean },
): AsyncGenerator<{ readonly selection: Selection; readonly result: Result }> {
  const queue = selections[Symbol.iterator]();
  const pending: { readonly selection: Selection; readonly result: Promise<Result> }[] = [];
  const idle = Array.from({ length: options.jobs }, () => new Lane());
  const lanes = [...idle];
  const give = (): void => {
    for (let lane = idle.pop(); lane !== undefined; lane = idle.pop()) {
      const next = pending.length < options.jobs * AHEAD ? queue.next() : null;
      if (next === null || next.done === true) {
        idle.push(lane);
        return;
      }
      const mine = lane;
      const result = mine.ask({ selection: next.value, twice: options.twice }).finally(() => {
        idle.push(mine);
        give();
      });
      // A failure of a thread is heard when its turn comes.
      result.catch(() => undefined);
      pending.push({ selection: next.value, result });
    }
  };
  try {
    give();
    for (let first = pending.shift(); first !== undefined; first = pending.shift()) {
      const result = await first.result;
      give();
      yield { selection: first.selection, result };
    }
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

/** Results that may be ready before the oldest one is; per thread. */
const AHEAD = 20;

/** One thread, one order at a time. */
class Lane {
  readonly #worker = new Worker(new URL('worker.ts', import.meta.url));

  ask(order: Order): Promise<Result> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#worker.removeAllListeners('message').removeAllListeners('error').removeAllListeners('exit');
      };
      this.#worker.on('message', (result: Result) => {
        done();
        resolve(result);
      });
      this.#worker.on('error', (error) => {
        done();
        reject(error instanceof Error ? error : new Error(String(error)));
      });
      this.#worker.on('exit', (code) => {
        done();
        reject(
          new Error(`a thread of the simulator ended with ${String(code)} in seed ${String(order.selection.seed)}`),
        );
      });
      this.#worker.postMessage(order);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
