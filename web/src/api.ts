import type { Problem } from '../../src/api/contract/common.ts';

const BASE = '/api/v1/towns/_/';

/** What the town said instead of an answer: its code, what happened, and what to do next. */
export class TownProblem extends Error {
  override readonly name = 'TownProblem';
  readonly status: number;
  readonly code: string;
  readonly next: string;

  constructor(status: number, problem: Pick<Problem, 'code' | 'detail' | 'next'>) {
    super(problem.detail);
    this.status = status;
    this.code = problem.code;
    this.next = problem.next;
  }
}

const AWAY = {
  code: 'no_answer',
  detail: 'The town does not answer.',
  next: 'Look in a terminal with "gt daemon status".',
};

async function ask(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(BASE + path, init).catch(() => null);
  if (response === null) throw new TownProblem(0, AWAY);
  if (response.ok) return response;
  const problem = (await response.json().catch(() => null)) as Problem | null;
  throw new TownProblem(
    response.status,
    problem ?? { ...AWAY, detail: `The town answered with status ${response.status}.` },
  );
}

export async function read<T>(path: string): Promise<T> {
  return (await (await ask(path, {})).json()) as T;
}

/** What is there, with the version that a change of it is meant for. */
export async function readVersion<T>(path: string): Promise<{ readonly data: T; readonly etag: string }> {
  const response = await ask(path, {});
  return { data: (await response.json()) as T, etag: response.headers.get('etag') ?? '*' };
}

/** A change, of this version only when one is given. Each call is one change, however often the browser sends it. */
export async function change<T>(path: string, body: unknown = {}, etag?: string): Promise<T> {
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': crypto.randomUUID(),
    ...(etag === undefined ? {} : { 'if-match': etag }),
  };
  return (await (await ask(path, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as T;
}

export const part = (text: string): string => encodeURIComponent(text);
export const streamUrl = (path: string): string => BASE + path;
