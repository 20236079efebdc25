/** What goes wrong between a caller and a fake code host. */
import type { ServerResponse } from 'node:http';

export type Fault =
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'status'; readonly status: number }
  /** A page of a proxy. */
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'limited'; readonly resetInS: number }
  | { readonly kind: 'secondary' }
  | { readonly kind: 'too_many'; readonly retryAfterS: number }
  /** Half of the JSON, as if it were all of it. */
  | { readonly kind: 'half' }
  /** The connection ends in the middle of the answer. */
  | { readonly kind: 'torn' }
  /** The connection ends before anything was done. */
  | { readonly kind: 'cut_before' }
  /** It was done; the answer is lost. */
  | { readonly kind: 'cut_after' }
  /** The answer repeats what it was sent, after some words. */
  | { readonly kind: 'echo'; readonly after?: number }
  | { readonly kind: 'moved' };

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Undefined: no body. */
  readonly body?: unknown;
}

interface Planned {
  readonly fault: Fault;
  readonly when: (method: string, path: string) => boolean;
  times: number;
}

export class Faults {
  readonly #planned: Planned[] = [];

  /** The next `times` calls that `when` picks go wrong so. */
  plan(fault: Fault, when: (method: string, path: string) => boolean = () => true, times = 1): void {
    this.#planned.push({ fault, when, times });
  }

  clear(): void {
    this.#planned.splice(0);
  }

  take(method: string, path: string): Fault | null {
    const planned = this.#planned.find((one) => one.times > 0 && one.when(method, path));
    if (planned === undefined) return null;
    planned.times -= 1;
    return planned.fault;
  }
}

/** What each fault says instead of the host; those that are missing let the host answer, and may spoil that. */
const SAYS: { readonly [K in Fault['kind']]?: (fault: Extract<Fault, { kind: K }>, token: string) => Answer } = {
  status: ({ status }) => ({ status, body: { message: 'Something went wrong' } }),
  html: ({ status }) => ({ status, headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' }),
  limited: ({ resetInS }) => ({
    status: 403,
    headers: {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000) + resetInS),
    },
    body: { message: 'API rate limit exceeded for user ID 1.' },
  }),
  secondary: () => ({ status: 403, body: { message: 'You have exceeded a secondary rate limit.' } }),
  too_many: ({ retryAfterS }) => ({
    status: 429,
    headers: { 'retry-after': String(retryAfterS) },
    body: { message: 'Retry later' },
  }),
  echo: ({ after }, token) => ({ status: 400, body: { message: `${'x'.repeat(after ?? 0)} ${token}` } }),
  moved: () => ({ status: 301, headers: { location: 'http://127.0.0.1:9/elsewhere' }, body: { message: 'Moved' } }),
};

/** An answer instead of the host's; null: the host answers. */
export function instead(fault: Fault | null, token: string): Answer | 'cut' | null {
  if (fault === null) return null;
  if (fault.kind === 'cut_before') return 'cut';
  const says = SAYS[fault.kind] as ((of: Fault, token: string) => Answer) | undefined;
  return says?.(fault, token) ?? null;
}

/** Writes an answer, spoilt where the fault says so. */
export function send(response: ServerResponse, answer: Answer, fault: Fault | null): void {
  if (fault?.kind === 'cut_after') {
    response.destroy();
    return;
  }
  const isText = typeof answer.body === 'string';
  const text = answer.body === undefined ? '' : isText ? String(answer.body) : JSON.stringify(answer.body);
  const headers = { 'content-type': isText ? 'text/plain' : 'application/json; charset=utf-8', ...answer.headers };
  if (fault?.kind === 'torn') {
    response.writeHead(answer.status, { ...headers, 'content-length': String(Buffer.byteLength(text)) });
    response.write(text.slice(0, Math.floor(text.length / 2)), () => response.destroy());
    return;
  }
  response.writeHead(answer.status, headers);
  response.end(fault?.kind === 'half' ? text.slice(0, Math.floor(text.length / 2)) : text);
}
