import { z } from 'zod';
import { Conflict, judgeStatus } from '../answer.ts';
import type { HostCall } from '../host-call.ts';

export interface Page {
  readonly data: unknown;
  /** Number of the next page; null: that was the last. */
  readonly next: number | null;
}

/** `message` is a text, a list, or lists by field. */
const said = z.object({
  message: z
    .union([z.string(), z.array(z.string()), z.record(z.string(), z.union([z.string(), z.array(z.string())]))])
    .optional(),
  error: z.string().optional(),
});

/**
 * GitLab's REST API below one project. Plain `fetch`: the clients there are hide the headers that tell limits and pages,
 * and repeat calls by themselves, which is the outbox's to decide.
 */
export class GitlabApi {
  readonly #call: HostCall;

  constructor(call: HostCall) {
    this.#call = call;
  }

  async get(path: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return (await this.page(path, query)).data;
  }

  async page(path: string, query: Readonly<Record<string, string>>): Promise<Page> {
    const words = new URLSearchParams(query).toString();
    return this.#send('GET', words === '' ? path : `${path}?${words}`);
  }

  async send(method: 'POST' | 'PUT', path: string, body: Readonly<Record<string, unknown>>): Promise<unknown> {
    return (await this.#send(method, path, body)).data;
  }

  async #send(method: string, path: string, body?: Readonly<Record<string, unknown>>): Promise<Page> {
    const { site, token, fetch, nowMs } = this.#call;
    const answer = await fetch(`${site.apiUrl}/projects/${encodeURIComponent(site.project)}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        'user-agent': 'gastown',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const data = parse(await answer.text());
    if (answer.ok) return { data, next: Number(answer.headers.get('x-next-page') ?? '') || null };
    const message = messageOf(data);
    const header = (name: string): string | null => answer.headers.get(name);
    throw (
      judgeStatus({ status: answer.status, header, message, nowMs: nowMs() }) ?? new Conflict(answer.status, message)
    );
  }
}

/** Undefined: no JSON, so no answer of the host itself. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageOf(data: unknown): string {
  const words = said.safeParse(data).data;
  const message = words?.message ?? words?.error;
  if (message === undefined) return 'no reason given';
  if (typeof message === 'string') return message;
  if (Array.isArray(message)) return message.join('; ');
  return Object.entries(message)
    .map(([field, texts]) => `${field} ${typeof texts === 'string' ? texts : texts.join(', ')}`)
    .join('; ');
}
