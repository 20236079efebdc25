/**
 * Tries changes in two processes. One that hangs is killed with the change that it hangs in, and another goes on. So is one
 * whose state a change has spoiled: what it would say of the next ones is worth nothing.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome } from './summary.ts';

/** The tests of the core take a few seconds together; a change that takes this long never ends. */
const HANGS_AFTER_MS = 30_000;
const PROCESSES = 2;

/** What a process says: its tests are there, one of them fails without any change, or what became of a change. */
export type Said =
  | { readonly type: 'ready' }
  | { readonly type: 'broken'; readonly test: string }
  | { readonly type: 'tried'; readonly id: string; readonly outcome: Outcome | 'spoiled' };

/** Outcomes by id. Errors: the tests fail without any change, or a process ends by itself. */
export async function tryAll(workFile: string, ids: readonly string[]): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const queue = [...ids].toReversed();
  const work = async (): Promise<void> => {
    while (queue.length > 0) await oneProcess(workFile, queue, outcomes);
  };
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return outcomes;
}

/** Ends when the queue is empty, when a change hung, or when one has spoiled the process. */
function oneProcess(workFile: string, queue: string[], outcomes: Map<string, Outcome>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(join(import.meta.dirname, 'try-changes.ts'), [workFile]);
    let timer: NodeJS.Timeout | undefined;
    let isExpected = false;
    let isFirst = true;
    const next = (): void => {
      clearTimeout(timer);
      const id = queue.pop();
      isExpected = id === undefined;
      if (id === undefined) {
        child.disconnect();
        return;
      }
      timer = setTimeout(() => {
        outcomes.set(id, 'noticed');
        isExpected = true;
        child.kill('SIGKILL');
      }, HANGS_AFTER_MS);
      child.send(id);
    };
    const tried = (id: string, outcome: Outcome | 'spoiled'): void => {
      if (outcome !== 'spoiled') {
        outcomes.set(id, outcome);
        isFirst = false;
        next();
        return;
      }
      // In a fresh process it was the change itself that did it.
      if (isFirst) outcomes.set(id, 'noticed');
      else queue.push(id);
      clearTimeout(timer);
      isExpected = true;
      child.kill('SIGKILL');
    };
    child.on('message', (said: Said) => {
      if (said.type === 'broken') reject(new Error(`fails without any change, so nothing was measured: ${said.test}`));
      else if (said.type === 'tried') tried(said.id, said.outcome);
      else next();
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      if (isExpected) resolve();
      else reject(new Error(`the process that tries changes ended with ${String(code)}`));
    });
  });
}
