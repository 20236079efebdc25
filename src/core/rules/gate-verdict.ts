import { GATE_LOG_CHARS_MAX } from '../limits.ts';
import type { GateRun } from '../facts.ts';
import { fingerprint } from '../text.ts';
import { withoutVariables } from './outcome.ts';

/** What a gate that is not green says; `signature` is equal for two failures that differ in nothing that matters. */
export interface RedGate {
  readonly name: string;
  readonly log: string;
  readonly signature: string;
  /** The signal, when something else ended it: then it says nothing about the work. */
  readonly killedBy: string | null;
}

export function redGate(run: GateRun | undefined): RedGate {
  const name = run?.name ?? 'unknown';
  if (run === undefined) return { name, log: 'No gate reported a result.', signature: 'none', killedBy: null };
  const end = run.timedOut ? 'It was stopped at its time limit.' : `It ended with exit code ${String(run.exitCode)}.`;
  const tail = run.tail.slice(-GATE_LOG_CHARS_MAX);
  // All of the end: the last line of a test tool is its summary, equal for different failures.
  const what = run.timedOut ? 'time limit' : fingerprint(withoutVariables(tail));
  return {
    name,
    log: `${end} The end of its output:\n\n${tail}`,
    signature: `${name}/${String(run.exitCode)}/${what}`,
    killedBy: run.killedBy ?? null,
  };
}
