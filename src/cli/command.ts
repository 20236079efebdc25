import type { ArgumentSpec, Arguments } from './arguments.ts';
import type { Context } from './context.ts';

/** One command: what it takes, how help shows it, and what it does. */
export interface CommandSpec extends ArgumentSpec {
  readonly summary: string;
  /** At least two; shown first in help. */
  readonly examples: readonly string[];
  /** More about it, after the options. */
  readonly notes?: string;
  /** Answers the exit code. Throws `TownError` for everything that a person can meet. */
  readonly run: (context: Context, args: Arguments) => Promise<number> | number;
}
