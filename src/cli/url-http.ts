/** One request to a town at an address, for commands. Loaded only then: the way over a socket is faster to load. */
import { NoAnswer, NotListening, type SocketAnswer, type SocketRequest } from './socket-http.ts';

/** As over the socket: an answer that takes longer means a hung town. */
const TIMEOUT_MS = 60_000;
/** Causes that show that nothing was sent. */
const NOT_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/** Throws `NotListening` or `NoAnswer`. */
export async function urlRequest(url: string, input: Omit<SocketRequest, 'socketPath'>): Promise<SocketAnswer> {
  const headers: Record<string, string> = { authorization: `Bearer ${input.token}`, ...input.headers };
  if (input.body !== undefined) headers['content-type'] = 'application/json';
  try {
    const answer = await fetch(`${url.replace(/\/$/, '')}${input.path}`, {
      method: input.method,
      headers,
      // A stranger at the address must not send the credential elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(input.timeoutMs ?? TIMEOUT_MS),
      ...(input.body === undefined ? {} : { body: input.body }),
    });
    return { status: answer.status, headers: new Map(answer.headers), text: await answer.text() };
  } catch (error) {
    throw lost(error);
  }
}

function lost(error: unknown): Error {
  if (error instanceof DOMException && error.name === 'TimeoutError') return new NoAnswer('no answer in time', true);
  const cause: unknown = error instanceof Error ? error.cause : null;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const text = cause instanceof Error && cause.message !== '' ? cause.message : String(error);
  return NOT_SENT.has(code) ? new NotListening(text) : new NoAnswer(text, false);
}
