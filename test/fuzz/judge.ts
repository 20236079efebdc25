/** What every answer must be, whatever was asked. */
import type { Draft } from './requests.ts';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const PROBLEM_TYPE = 'application/problem+json';
const FIRST_REFUSAL = 400;
const FIRST_FAULT = 500;

/** 503 is an honest answer where another process is needed that is not there; nothing else of the town's may be. */
const HONEST_503: ReadonlySet<string> = new Set(['runner_away']);

interface Problem {
  readonly code: string;
  readonly next: string;
  readonly status: number;
}

function problemOf(reply: Reply): Problem | null {
  try {
    const read: unknown = JSON.parse(reply.text);
    if (typeof read !== 'object' || read === null || !('code' in read) || !('next' in read) || !('status' in read))
      return null;
    const { code, next, status } = read;
    const isWhole = typeof code === 'string' && typeof next === 'string' && typeof status === 'number';
    return isWhole && code !== '' && next !== '' ? { code, next, status } : null;
  } catch {
    return null;
  }
}

const jsonOf = (text: string): { readonly value: unknown } | null => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
};

export const isRefusal = (reply: Reply): boolean => reply.status >= FIRST_REFUSAL;

/** The code of a refusal, for the tally. */
export const codeOf = (reply: Reply): string => (isRefusal(reply) ? (problemOf(reply)?.code ?? 'no code') : 'ok');

function faultOfRefusal(reply: Reply, method: string): string | null {
  if (method === 'HEAD') return null;
  const problem = problemOf(reply);
  if (problem === null || !reply.type.startsWith(PROBLEM_TYPE))
    return `a refusal (${String(reply.status)}, ${reply.type}) that is no problem+json with code and next`;
  if (problem.status !== reply.status)
    return `status ${String(reply.status)}, but its problem says ${String(problem.status)}`;
  if (reply.status >= FIRST_FAULT && !(reply.status === 503 && HONEST_503.has(problem.code)))
    return `${String(reply.status)} ${problem.code}`;
  return null;
}

function faultOfAnswer(draft: Draft, reply: Reply): string | null {
  const { operation, method } = draft;
  if (reply.status === 304)
    return 'if-none-match' in draft.headers && reply.text === '' ? null : '304 that nobody asked for';
  if (draft.mustRefuse !== null) return `accepted although ${draft.mustRefuse}`;
  if (method !== operation.method) return null;
  const type = operation.answers.find((known) => reply.type.startsWith(known));
  if (type === undefined) return `answered as ${reply.type}, which the document does not know`;
  if (type === 'application/json') {
    const fault = operation.faultOf(jsonOf(reply.text)?.value);
    if (fault !== null) return `the answer is not what the document says: ${fault}`;
  }
  return isAllowed(draft) ? null : 'accepted a body that the document does not allow';
}

/** What is no JSON at all is refused by its own rule; a body that is read must be one that the document allows. */
function isAllowed({ operation, body }: Draft): boolean {
  const sent = body === null ? null : jsonOf(body);
  return operation.body === null || sent === null || operation.allows(sent.value);
}

/** What is wrong with the answer to a request; null: nothing. */
export const faultOf = (draft: Draft, reply: Reply): string | null =>
  isRefusal(reply) ? faultOfRefusal(reply, draft.method) : faultOfAnswer(draft, reply);
