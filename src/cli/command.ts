import type { Arguments } from './arguments.ts';
import type { Context } from './context.ts';

export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** Name of the value in help, for example `dir`. */
  readonly value?: string;
  readonly help: string;
}

/** One command: what it takes, how help shows it, and what it does. */
export interface CommandSpec {
  readonly usage: string;
  readonly summary: string;
  /** At least two; shown first in help. */
  readonly examples: readonly string[];
  /** Positional arguments: `<needed>`, `[optional]`; a last one with `…` takes any number. */
  readonly args?: readonly string[];
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** More about it, after the options. */
  readonly notes?: string;
  /** Answers the exit code. Throws `TownError` for everything that a person can meet. */
  readonly run: (context: Context, args: Arguments) => Promise<number> | number;
}
