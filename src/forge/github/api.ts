import { Octokit } from '@octokit/core';
import { z } from 'zod';
import { Conflict, judgeStatus, later, limitWaitMs, NoAnswer, refused } from '../answer.ts';
import type { HostCall } from '../host-call.ts';

const NOT_MODIFIED = 304;
const silent = (): void => undefined;

/** What octokit throws; read by its form, because its class is of another package. */
const thrown = z.object({
  status: z.number(),
  response: z.object({ headers: z.record(z.string(), z.unknown()), data: z.unknown() }).optional(),
});
const graphqlThrown = z.object({
  headers: z.record(z.string(), z.unknown()),
  errors: z.array(z.object({ type: z.string().nullish(), message: z.string() })).min(1),
});
const said = z.object({
  message: z.string().optional(),
  errors: z
    .array(z.union([z.string(), z.object({ message: z.string().optional(), code: z.string().optional() })]))
    .optional(),
});

export interface RestAnswer {
  /** Undefined: not modified since the ETag. */
  readonly data: unknown;
  readonly etag: string;
}

/** GitHub's two APIs: REST with ETags, and GraphQL for what REST does not say. */
export class GithubApi {
  readonly #octokit: Octokit;
  readonly #nowMs: () => number;
  readonly owner: string;
  readonly repo: string;

  constructor({ site, token, fetch, nowMs }: HostCall) {
    const [owner = '', repo = ''] = site.project.split('/');
    this.owner = owner;
    this.repo = repo;
    this.#nowMs = nowMs;
    this.#octokit = new Octokit({
      auth: token,
      baseUrl: site.apiUrl,
      userAgent: 'gastown',
      // Deprecations of the host are no lines for a town's log.
      log: { debug: silent, info: silent, warn: silent, error: silent },
      request: { fetch },
    });
  }

  /** One call below the project. Throws `NoAnswer`, or `Conflict` for a status that only the caller can judge. */
  async rest(
    route: `${'GET' | 'PATCH' | 'POST' | 'PUT'} /${string}`,
    values: Record<string, unknown>,
    etag = '',
  ): Promise<RestAnswer> {
    const [method = '', path = ''] = route.split(' ');
    try {
      const answer: { status: number; headers: Record<string, unknown>; data: unknown } = await this.#octokit.request(
        `${method} /repos/{owner}/{repo}${path}`,
        {
          owner: this.owner,
          repo: this.repo,
          headers: { 'x-github-api-version': '2022-11-28', ...(etag === '' ? {} : { 'if-none-match': etag }) },
          ...values,
        },
      );
      if (answer.status >= 300) throw refused('moved', 'the project has another address now');
      return { data: answer.data ?? null, etag: textOf(answer.headers['etag']) };
    } catch (error) {
      if (etag !== '' && thrown.safeParse(error).data?.status === NOT_MODIFIED) return { data: undefined, etag };
      throw this.#judge(error);
    }
  }

  async graphql(query: string, variables: Record<string, unknown>): Promise<unknown> {
    try {
      return await this.#octokit.graphql(query, variables);
    } catch (error) {
      const answer = graphqlThrown.safeParse(error);
      if (!answer.success) throw this.#judge(error);
      throw this.#judgeGraphql(answer.data);
    }
  }

  #judgeGraphql({ headers, errors }: z.infer<typeof graphqlThrown>): Error {
    const message = errors.map((one) => one.message).join('; ');
    const header = (name: string): string | null => (name in headers ? textOf(headers[name]) : null);
    switch (errors[0]?.type) {
      case 'RATE_LIMITED':
        return later(`the host limits calls: ${message}`, limitWaitMs({ header, nowMs: this.#nowMs() }));
      case 'FORBIDDEN':
      case 'INSUFFICIENT_SCOPES':
        return refused('no_right', `the token may not do this: ${message}`);
      case 'NOT_FOUND':
        return refused(
          'not_found',
          `there is no such project or pull request, or the token may not see it: ${message}`,
        );
      case 'UNPROCESSABLE':
        return new Conflict(422, message);
      default:
        return later(`the host's answer has errors: ${message}`);
    }
  }

  #judge(error: unknown): Error {
    if (error instanceof NoAnswer) return error;
    if (error instanceof Error && error.cause instanceof NoAnswer) return error.cause;
    const answer = thrown.safeParse(error).data;
    if (answer?.response === undefined) return error instanceof Error ? error : new Error(String(error));
    const { headers, data } = answer.response;
    const message = messageOf(data);
    const header = (name: string): string | null => (name in headers ? textOf(headers[name]) : null);
    const verdict = judgeStatus({ status: answer.status, header, message, nowMs: this.#nowMs() });
    return verdict ?? new Conflict(answer.status, message);
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** The host's own words; a page of a proxy has none. */
function messageOf(data: unknown): string {
  const words = said.safeParse(data).data;
  if (words === undefined) return 'no reason given';
  const more = (words.errors ?? []).map((one) => (typeof one === 'string' ? one : (one.message ?? one.code ?? '')));
  return [words.message ?? '', ...more].filter((text) => text !== '').join(': ');
}
