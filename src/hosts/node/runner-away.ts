import { TownError } from '../../core/errors.ts';

/** What a line says that has nobody at its other end: not there yet, gone, or silent. */
const CUT = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** What is asked for lies at a runner that does not answer now. */
export const runnerAway = (id: string): TownError =>
  new TownError('unreachable', 'runner_away', {
    message: `The runner "${id}" has no line to the town now.`,
    next: `Look at it with "gt runner show ${id}"; what is there is shown again when it is back.`,
  });

/** Asks a runner for somebody who waits. Errors: `runner_away`, also while it starts; those of the runner. */
export async function askRunner<T>(id: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const isCut = error instanceof Error && 'code' in error && CUT.has(String(error.code));
    throw isCut || (error instanceof DOMException && error.name === 'TimeoutError') ? runnerAway(id) : error;
  }
}
