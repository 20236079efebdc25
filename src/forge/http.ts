/** One way out to the network for all code hosts: bounded in time and in bytes, and never to another address. */
import { later } from './answer.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Of one answer; a page of a hundred long comments is far below it. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** A body that is not told is not made either. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * A fetch that follows no redirect (a token goes to its own host), ends with `signal`, and gives its answer only when all
 * of it is there. A token that the host, or a proxy before it, repeats is taken out before anything cuts it. Throws `NoAnswer` (later) otherwise.
 */
export function boundedFetch(fetchOnce: Fetch, signal: AbortSignal, token: string): Fetch {
  return async (url, init) => {
    try {
      const answer = await fetchOnce(url, { ...init, redirect: 'manual', signal });
      const bytes = without(token, await readAll(answer));
      const headers = new Headers(answer.headers);
      for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name);
      return new Response(WITHOUT_BODY.has(answer.status) ? null : bytes, { status: answer.status, headers });
    } catch (error) {
      throw later(`the host gave no whole answer: ${reasonOf(error)}`);
    }
  };
}

function without(token: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(bytes);
  return text.includes(token) ? new TextEncoder().encode(text.replaceAll(token, '[token]')) : bytes;
}

async function readAll(answer: Response): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (next === undefined || next.done) break;
    size += next.value.byteLength;
    if (size > ANSWER_BYTES_MAX) {
      await reader?.cancel();
      throw new Error('its answer is too large');
    }
    parts.push(next.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** The innermost cause: `fetch failed` alone says nothing. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'it took too long';
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
