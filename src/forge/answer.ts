/** What an answer of a code host means for whoever asked: known, no, or not known yet. */
import type { ForgeLater, ForgeRefusal } from '../ports/forge.ts';

/** Thrown inside of an adapter; its door turns it into an answer, and bounds its words. */
export class NoAnswer extends Error {
  readonly answer: ForgeLater | ForgeRefusal;

  constructor(answer: ForgeLater | ForgeRefusal) {
    super(answer.error);
    this.answer = answer;
  }
}

/** An answer that the caller must judge: it depends on what was asked. */
export class Conflict extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const later = (error: string, retryAfterMs: number | null = null): NoAnswer =>
  new NoAnswer({ state: 'later', error, retryAfterMs });

export const refused = (code: ForgeRefusal['code'], error: string): NoAnswer =>
  new NoAnswer({ state: 'refused', code, error });

/** The parts of an answer that judge it. Names of headers are in small letters. */
export interface Refusing {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** What the host says in the body, if anything. */
  readonly message: string;
  readonly nowMs: number;
}

/** GitHub asks to wait a minute at least when a limit names no time. */
const LIMIT_WAIT_MS = 60_000;
/** Limits are counted by the hour; a clock that is wrong must not make a wait of years. */
const LIMIT_WAIT_MAX_MS = 3_660_000;
const SERVER_FAILED = 500;
const OVER_LIMIT = 429;
/** The server gave up on the request, or wants no early data: nothing was judged. */
const TRY_AGAIN = new Set([408, 425]);

/**
 * What a status says for good, or that it says nothing. Undefined: only the caller knows (a conflict with the state of the
 * pull request, say).
 */
export function judgeStatus(answer: Refusing): NoAnswer | undefined {
  const { status, message } = answer;
  if (isLimit(answer)) return later(`the host limits calls: ${message}`, limitWaitMs(answer));
  if (status >= SERVER_FAILED || TRY_AGAIN.has(status)) return later(`the host answered ${String(status)}: ${message}`);
  if (status === 401) return refused('no_right', `the host does not accept the token: ${message}`);
  if (status === 403) return refused('no_right', `the token may not do this: ${message}`);
  if (status === 404 || status === 410 || status === 451)
    return refused(
      'not_found',
      `there is no such project, branch or pull request, or the token may not see it: ${message}`,
    );
  if (status >= 300 && status < 400) return refused('moved', 'the project has another address now');
  return undefined;
}

function isLimit({ status, header, message }: Refusing): boolean {
  if (status === OVER_LIMIT) return true;
  if (status !== 403) return false;
  return (
    header('retry-after') !== null ||
    header('x-ratelimit-remaining') === '0' ||
    /rate limit|abuse detection/i.test(message)
  );
}

/** How long a limit lasts, by what the host says of it. */
export function limitWaitMs({ header, nowMs }: Pick<Refusing, 'header' | 'nowMs'>): number {
  const after = header('retry-after');
  const seconds = after === null ? Number.NaN : Number(after);
  const date = after === null ? Number.NaN : Date.parse(after);
  const resetS = Number(header('x-ratelimit-reset') ?? header('ratelimit-reset') ?? Number.NaN);
  const waits = [seconds * 1_000, date - nowMs, resetS * 1_000 - nowMs];
  const wait = waits.find((ms) => Number.isFinite(ms)) ?? LIMIT_WAIT_MS;
  return Math.min(Math.max(Math.ceil(wait), 1_000), LIMIT_WAIT_MAX_MS);
}
