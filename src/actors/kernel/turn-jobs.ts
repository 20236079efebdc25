import { CALL_BYTES_MAX, TURN_BATCH_MAX, TURN_INPUT_BYTES_MAX } from '../../core/limits.ts';
import { usage } from '../../core/errors.ts';
import { utf8Bytes } from '../../store/sql-guard.ts';
import type { Call } from './tape.ts';

interface Asked {
  readonly call: Call;
  readonly reject: (error: unknown) => void;
}

/** What one turn takes in, and how each call is recorded. */
export interface Taken<Job> {
  readonly jobs: readonly Job[];
  readonly calls: readonly string[];
}

/**
 * Takes from the front of the line what one turn takes in. The turn's record is one value of the database, so it is bounded
 * by size too: many large calls that come together are no fault of the disk, nor of who asks for little beside them. One
 * that could not be recorded alone is refused.
 */
export function takeJobs<Job extends Asked>(line: Job[]): Taken<Job> {
  const jobs: Job[] = [];
  const calls: string[] = [];
  let bytes = 0;
  while (jobs.length < TURN_BATCH_MAX) {
    const [next] = line;
    if (next === undefined) break;
    const call = recordOf(next);
    if (call === null) {
      line.shift();
      continue;
    }
    const size = utf8Bytes(call);
    if (jobs.length > 0 && bytes + size > TURN_INPUT_BYTES_MAX) break;
    line.shift();
    jobs.push(next);
    calls.push(call);
    bytes += size;
  }
  return { jobs, calls };
}

/** How a call is recorded; null when it can't be, and whoever asked was told. */
function recordOf({ call, reject }: Asked): string | null {
  try {
    const text = JSON.stringify(call);
    const bytes = utf8Bytes(text);
    if (bytes <= CALL_BYTES_MAX) return text;
    reject(tooLarge(bytes));
  } catch (error) {
    // Nested too deeply: it must not end the loop.
    reject(error);
  }
  return null;
}

/** The code of a body that is too large: a runner then sends its facts one by one. */
export const TOO_LARGE = 'body_too_large';
const tooLarge = (bytes: number) =>
  usage(
    TOO_LARGE,
    `What was asked has ${String(bytes)} bytes; one call may have ${String(CALL_BYTES_MAX)}. Nothing was changed.`,
    'Send it in smaller parts.',
  );
