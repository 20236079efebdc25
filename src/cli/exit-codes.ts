import { TownError } from '../core/errors.ts';
import type { ErrorKind } from '../core/errors.ts';

/** The stable exit codes of `gt`; scripts branch on them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  precondition: 3,
  notFound: 4,
  conflict: 5,
  notAllowed: 6,
  unreachable: 7,
  doctor: 8,
  tryLater: 75,
  timeout: 124,
  interrupted: 130,
  terminated: 143,
} as const;

const BY_KIND: Readonly<Record<ErrorKind, number>> = {
  usage: EXIT.usage,
  precondition: EXIT.precondition,
  not_found: EXIT.notFound,
  conflict: EXIT.conflict,
  stale: EXIT.conflict,
  unauthenticated: EXIT.notAllowed,
  forbidden: EXIT.notAllowed,
  unreachable: EXIT.unreachable,
  busy: EXIT.tryLater,
  internal: EXIT.failed,
};

/** An error with an exit code of its own, where the kind does not say it. */
export class ExitError extends TownError {
  readonly exitCode: number;

  constructor(exitCode: number, code: string, text: { message: string; next: string }) {
    super('internal', code, text);
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(error: TownError): number {
  return error instanceof ExitError ? error.exitCode : BY_KIND[error.kind];
}
