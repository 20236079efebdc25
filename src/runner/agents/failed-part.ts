import { existsSync } from 'node:fs';

import type { ExitRecord } from '../../api/contract/exit-record.ts';
import type { StartAgent } from '../../api/contract/runner.ts';
import { GitError } from '../git/git.ts';
import { CONTAINER_FAILED } from '../isolation/container.ts';
import { isList, WAY_FAILED } from '../isolation/way.ts';
import { MISSING_PROGRAM_WITHIN_MS } from '../limits.ts';
import { commandRuntime } from '../runtimes/command.ts';
import type { Runtime } from '../runtimes/runtime.ts';

export type FailedPart = NonNullable<ExitRecord['failed']>;

/** No process is to be made, and why; the attempt ends with this cause, charged to this part. */
export class NoStart extends Error {
  override readonly name = 'NoStart';
  readonly ending: ExitRecord['cause'];
  readonly part: FailedPart | undefined;

  constructor(ending: ExitRecord['cause'], message: string, part?: FailedPart) {
    super(message);
    this.ending = ending;
    this.part = part;
  }
}

/** A step of a start failed; its cause says how. */
class PartFailed extends Error {
  override readonly name = 'PartFailed';
  readonly part: FailedPart;

  constructor(part: FailedPart, cause: unknown) {
    super('part of a start failed', { cause });
    this.part = part;
  }
}

/** Does a step whose failure is charged to `part`; an end that was ordered meanwhile is nobody's failure. */
export async function inPart<Result>(
  part: FailedPart | ((error: unknown) => FailedPart),
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof NoStart) throw error;
    throw new PartFailed(typeof part === 'function' ? part(error) : part, error);
  }
}

/** What git says of an origin that answers and has no such branch. */
const NO_SUCH_BRANCH = "couldn't find remote ref";

/** A fetch that failed: for want of that one branch, or of the whole origin. */
export const fetchPart = (error: unknown): FailedPart =>
  error instanceof GitError && error.stderr.includes(NO_SUCH_BRANCH) ? 'branch' : 'repository';

/** Which part a start's error is charged to: the machine, where nothing else is known. */
export function partOf(error: unknown): FailedPart | undefined {
  if (error instanceof NoStart) return error.part;
  return error instanceof PartFailed ? error.part : 'machine';
}

/** The error itself, without the note of the part. */
export const withoutPart = (error: unknown): unknown => (error instanceof PartFailed ? error.cause : error);

/** Errors of a spawn that say that the program is missing or may not be run; others say that the machine has no room. */
const PROGRAM_ERRORS: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'EPERM']);

/** A missing folder to run in looks like a missing program; it is the machine's. */
export const spawnPart = (code: string | undefined, cwd: string): FailedPart =>
  code !== undefined && PROGRAM_ERRORS.has(code) && existsSync(cwd) ? 'program' : 'machine';

/** A shell starts every program inside a sandbox, and says in its way that there is none. */
const SHELL_CODES: readonly number[] = [126, 127];

/**
 * What was missing, when a process ended at once and did nothing: the program, or the container that it was to run in.
 * Null: it worked, or what failed is its own. Outside of a sandbox a program that is missing is told by its start, but for
 * one that a shell starts.
 */
export function missingPart(
  request: Pick<StartAgent, 'sandbox' | 'runtime'>,
  ended: Parameters<typeof isProgramMissing>[1],
  left: Parameters<typeof isProgramMissing>[2],
): FailedPart | null {
  const { sandbox, runtime } = request;
  const isMissing = (missingCodes: readonly number[]): boolean => isProgramMissing({ missingCodes }, ended, left);
  if (sandbox?.kind === 'container' && isMissing([CONTAINER_FAILED])) return 'isolation';
  if (sandbox !== undefined && isList(sandbox.network) && isMissing([WAY_FAILED])) return 'isolation';
  if (sandbox !== undefined) return isMissing(SHELL_CODES) ? 'program' : null;
  return runtime === commandRuntime.name && isMissing(commandRuntime.missingCodes ?? []) ? 'program' : null;
}

/**
 * True when what starts the program (a shell) said at once that there is none, and nothing was done. Later, or after some
 * work, the same exit code is about something that the agent called.
 */
export function isProgramMissing(
  runtime: Pick<Runtime, 'missingCodes'>,
  ended: { readonly cause: ExitRecord['cause']; readonly exitCode: number | null; readonly ranMs: number },
  left: { readonly ahead: number | null; readonly dirty: boolean; readonly doneIntent: boolean },
): boolean {
  return (
    ended.cause === 'exited' &&
    ended.exitCode !== null &&
    (runtime.missingCodes ?? []).includes(ended.exitCode) &&
    ended.ranMs < MISSING_PROGRAM_WITHIN_MS &&
    (left.ahead ?? 0) === 0 &&
    !left.dirty &&
    !left.doneIntent
  );
}
