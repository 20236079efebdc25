import { INFRA_BACKOFF_MAX_MS, INFRA_BACKOFF_MIN_MS, RETRY_BACKOFF_MS } from '../limits.ts';
import type { ExitRecord } from '../facts.ts';
import { readableText } from '../sentence.ts';
import type { Outcome } from '../model/agent.ts';

export interface Ending {
  readonly outcome: Outcome;
  readonly reason: string;
  /** Null for outcomes that do not count against the bead. */
  readonly signature: string | null;
}

/** Signatures keep this many characters: enough to tell failures apart, short enough to read. */
const SIGNATURE_CHARS_MAX = 200;

/**
 * What an exit without an accepted claim means. Exit code 0 proves nothing: without `gt done` it is no progress.
 * The wall clock is the agent's own limit, so it counts; everything else that the runner caused does not.
 */
export function classifyExit(exit: ExitRecord): Ending {
  switch (exit.cause) {
    case 'exited':
      return endedByItself(exit);
    case 'wall_clock':
      return counted('no_progress', exit, 'The agent reached its wall clock limit.');
    case 'memory':
    case 'disk':
      return {
        outcome: 'agent_error',
        reason: `The agent reached its ${exit.cause} limit: ${readableText(exit.lastLine)}`,
        signature: `agent_error/${exit.cause}`,
      };
    case 'stopped':
      return { outcome: 'evicted', reason: 'The agent was stopped.', signature: null };
    case 'drained':
      return { outcome: 'evicted', reason: 'Its runner was drained; the work goes on elsewhere.', signature: null };
    case 'refused':
      return { outcome: 'superseded', reason: 'The runner was told that this attempt is not live.', signature: null };
    case 'runner_lost':
      return { outcome: 'infra', reason: 'The runner ended under the agent.', signature: null };
    case 'spawn_failed':
      return {
        outcome: 'infra',
        reason: `No process could be started: ${readableText(exit.lastLine)}`,
        signature: null,
      };
    default:
      return { outcome: 'infra', reason: 'The runner reported an unknown cause.', signature: null };
  }
}

function endedByItself(exit: ExitRecord): Ending {
  const said = readableText(exit.lastLine);
  if (exit.failed === 'isolation')
    return { outcome: 'infra', reason: `Its sandbox could not be made: ${said}`, signature: null };
  if (exit.failed === 'program') {
    const reason = `The program of its runtime could not be started: ${said}`;
    return { outcome: 'infra', reason, signature: null };
  }
  if (exit.failed === 'machine')
    return { outcome: 'infra', reason: `Its former session could not be taken up: ${said}`, signature: null };
  if (exit.exitCode === 0) {
    const last = exit.lastLine === '' ? '' : ` Last line: ${said}`;
    return counted('no_progress', exit, `The agent ended without an accepted "gt done".${last}`);
  }
  const how = exit.signal === null ? `exit code ${String(exit.exitCode)}` : `signal ${exit.signal}`;
  return counted('agent_error', exit, `The agent ended with ${how}: ${said}`);
}

function counted(outcome: Outcome, exit: ExitRecord, reason: string): Ending {
  return { outcome, reason, signature: failureSignature(outcome, exit.exitCode, exit.lastLine) };
}

/** Outcome, exit code and last line without what differs between two equal failures: digits, paths and hex. */
export function failureSignature(outcome: Outcome, exitCode: number | null, lastLine: string): string {
  return `${outcome}/${String(exitCode)}/${withoutVariables(lastLine)}`.slice(0, SIGNATURE_CHARS_MAX);
}

/** A text without what differs between two equal failures. */
export const withoutVariables = (text: string): string =>
  text
    .replaceAll(/\/[^\s:]*/g, '<path>')
    .replaceAll(/\b[0-9a-f]{7,64}\b/gi, '<hex>')
    .replaceAll(/\d+/g, '<n>')
    .trim();

/** Wait after the n-th counted failure (1-based). */
export function retryBackoffMs(failures: number): number {
  return RETRY_BACKOFF_MS[Math.min(failures, RETRY_BACKOFF_MS.length) - 1] ?? 0;
}

/** Wait after the n-th infrastructure failure in a row of one scope. */
export function infraBackoffMs(failures: number): number {
  return Math.min(INFRA_BACKOFF_MIN_MS * 2 ** Math.max(0, failures - 1), INFRA_BACKOFF_MAX_MS);
}
