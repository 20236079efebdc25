/**
 * Every error a caller can meet. The kind decides the HTTP status and the exit code of `gt`, so that scripts branch
 * on one closed list; `code` is the stable, finer name.
 */
export type ErrorKind =
  /** The request itself is malformed: exit 2, HTTP 400. */
  | 'usage'
  /** The request is fine but the world is not in the needed state: exit 3, HTTP 422. */
  | 'precondition'
  /** No such thing: exit 4, HTTP 404. */
  | 'not_found'
  /** Somebody else got there first, or the caller's attempt is no longer the live one: exit 5, HTTP 409. */
  | 'conflict'
  /** It is not any more what the caller read (`If-Match`): exit 5, HTTP 412. */
  | 'stale'
  /** No credential: exit 6, HTTP 401. */
  | 'unauthenticated'
  /** A credential without the right: exit 6, HTTP 403. */
  | 'forbidden'
  /** The daemon does not answer: exit 7, HTTP 503. */
  | 'unreachable'
  /** Try the same call again later: exit 75, HTTP 503. */
  | 'busy'
  /** A bug or a broken disk: exit 1, HTTP 500. */
  | 'internal';

/** The parts of an error that leave the process. `next` is one sentence: what to do now; never a destructive command. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly field?: string | undefined;
}

export interface TownErrorOptions {
  readonly field?: string | undefined;
  readonly cause?: unknown;
}

/** An operating error: what happened, why, and the next step. Nothing has changed when one is thrown. */
export class TownError extends Error {
  override readonly name = 'TownError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly next: string;
  readonly field: string | undefined;

  constructor(kind: ErrorKind, code: string, text: { message: string; next: string }, options: TownErrorOptions = {}) {
    super(text.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.next = text.next;
    this.field = options.field;
  }

  body(): ErrorBody {
    return { code: this.code, message: this.message, next: this.next, field: this.field };
  }
}

/** The command that lists things of a kind. */
const LISTED_BY: Readonly<Record<string, string>> = {
  agent: 'gt agents',
  attempt: 'gt bead show <id>',
  bead: 'gt bead list',
  convoy: 'gt convoy list',
  budget: 'gt budget list',
  escalation: 'gt escalation list',
  formula: 'gt mol list',
  mail: 'gt mail inbox --all',
  rig: 'gt rig list',
  runner: 'gt runner list',
};

export function notFound(what: string, id: string): TownError {
  return new TownError('not_found', `${what.replaceAll(' ', '_')}_not_found`, {
    message: `There is no ${what} ${JSON.stringify(id)} in this town.`,
    next: `List what exists with "${LISTED_BY[what] ?? 'gt status'}".`,
  });
}

export function usage(code: string, message: string, next: string, field?: string): TownError {
  return new TownError('usage', code, { message, next }, { field });
}

export function conflict(code: string, message: string, next: string): TownError {
  return new TownError('conflict', code, { message, next });
}

export function precondition(code: string, message: string, next: string): TownError {
  return new TownError('precondition', code, { message, next });
}
