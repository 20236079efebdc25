import { TownError } from '../core/errors.ts';
import type { ErrorKind } from '../core/errors.ts';
import type { Problem } from './contract/common.ts';

/** One status per kind; `gt` turns the pair of status and code into its exit code. */
const STATUS_BY_KIND = {
  usage: 400,
  precondition: 422,
  not_found: 404,
  conflict: 409,
  stale: 412,
  unauthenticated: 401,
  forbidden: 403,
  unreachable: 503,
  busy: 503,
  internal: 500,
} as const satisfies Record<ErrorKind, number>;
export type ProblemStatus = (typeof STATUS_BY_KIND)[ErrorKind];

const TITLE_BY_KIND: Readonly<Record<ErrorKind, string>> = {
  usage: 'The request is malformed',
  precondition: 'The world is not in the needed state',
  not_found: 'No such thing',
  conflict: 'Somebody else got there first',
  stale: 'It has changed since it was read',
  unauthenticated: 'A credential is needed',
  forbidden: 'Not allowed',
  unreachable: 'No answer',
  busy: 'Try again later',
  internal: 'A fault of this program',
};

/** The wire form of an error. Anything that is not an operating error is hidden: its text may hold what nobody should see. */
export function toProblem(error: unknown): { readonly problem: Problem; readonly status: ProblemStatus } {
  const known = error instanceof TownError ? error : hidden(error);
  const status = STATUS_BY_KIND[known.kind];
  const problem: Problem = {
    type: `urn:gastown:error:${known.code}`,
    title: TITLE_BY_KIND[known.kind],
    status,
    code: known.code,
    detail: known.message,
    next: known.next,
    field: known.field ?? null,
  };
  return { problem, status };
}

function hidden(error: unknown): TownError {
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return new TownError('usage', 'too_deep', {
      message: 'The request is nested too deeply.',
      next: 'Send flatter JSON.',
    });
  }
  return new TownError('internal', 'internal', {
    message: 'The town failed to answer; nothing was acknowledged.',
    next: 'Look at the daemon\'s log with "gt daemon logs", then try again.',
  });
}

export function forbidden(code: string, message: string, next: string): TownError {
  return new TownError('forbidden', code, { message, next });
}
