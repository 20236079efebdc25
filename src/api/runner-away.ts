import { precondition, TownError } from '../core/errors.ts';
import { RunnerRefusal } from '../ports/runner-client.ts';

interface Asked {
  /** What is asked for, as the subject of a sentence: `The runner "one", which has the work,`. */
  readonly whom: string;
  /** What to do where it refuses. */
  readonly next: string;
  /** Where to look when it does not answer. */
  readonly look: string;
}

/**
 * Asks a runner for a person. A runner that hangs, breaks off or answers nonsense is away, which is no failure of the
 * town. Errors: `runner_away`, what the runner refuses, those of the town.
 */
export async function askedOf<T>({ whom, next, look }: Asked, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TownError) throw error;
    if (error instanceof RunnerRefusal) throw precondition(error.code, error.message, next);
  }
  throw new TownError('unreachable', 'runner_away', {
    message: `${whom} does not answer now.`,
    next: `Look at it with "${look}", then try again.`,
  });
}
