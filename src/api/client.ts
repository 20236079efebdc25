import type { BeadDetailItem, BeadItem, CreateBeadBody, QueueItem, SlingBody } from './contract/beads.ts';
import type { AgentItem } from './contract/agents.ts';
import type { Problem, WhyItem } from './contract/common.ts';
import type { ConvoyDetailItem, ConvoyItem, CreateConvoyBody } from './contract/convoys.ts';
import type { RigItem } from './contract/rigs.ts';
import type { FeedItem, StatusItem } from './contract/town.ts';

/** A refusal of the town, with its stable code and the next step. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export interface ClientOptions {
  /** For example the `url` of the town's daemon/endpoint.json. */
  readonly url: string;
  /** The owner token of the town. */
  readonly token: string;
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

interface PageOf<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** The town's API over HTTP, for programs. Every method throws `ApiError` when the town says no. */
export class TownApi {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  status(): Promise<StatusItem> {
    return this.#call('GET', 'status');
  }

  rigs(): Promise<PageOf<RigItem>> {
    return this.#call('GET', 'rigs');
  }

  /** `filter` takes rig, status, convoy, limit and after, as in the OpenAPI document. */
  beads(filter: Readonly<Record<string, string>> = {}): Promise<PageOf<BeadItem>> {
    return this.#call('GET', `beads?${new URLSearchParams(filter).toString()}`);
  }

  bead(id: string): Promise<BeadDetailItem> {
    return this.#call('GET', `beads/${encodeURIComponent(id)}`);
  }

  /** Repeat a lost call with the same `idempotencyKey`: it is the same bead then. */
  createBead(input: CreateBeadBody, idempotencyKey: string): Promise<BeadItem> {
    return this.#call('POST', 'beads', { body: input, idempotencyKey });
  }

  sling(id: string, input: SlingBody, idempotencyKey: string): Promise<BeadItem> {
    return this.#call('POST', `beads/${encodeURIComponent(id)}/sling`, { body: input, idempotencyKey });
  }

  convoys(): Promise<PageOf<ConvoyItem>> {
    return this.#call('GET', 'convoys');
  }

  convoy(id: string): Promise<ConvoyDetailItem> {
    return this.#call('GET', `convoys/${encodeURIComponent(id)}`);
  }

  createConvoy(input: CreateConvoyBody, idempotencyKey: string): Promise<ConvoyDetailItem> {
    return this.#call('POST', 'convoys', { body: input, idempotencyKey });
  }

  agents(): Promise<PageOf<AgentItem>> {
    return this.#call('GET', 'agents');
  }

  queue(): Promise<PageOf<QueueItem>> {
    return this.#call('GET', 'mq');
  }

  feed(cursor: string | null): Promise<FeedItem> {
    return this.#call('GET', cursor === null ? 'feed' : `feed?cursor=${encodeURIComponent(cursor)}`);
  }

  why(id: string): Promise<WhyItem> {
    return this.#call('GET', `why/${encodeURIComponent(id)}`);
  }

  async #call<T>(
    method: string,
    path: string,
    post?: { readonly body: unknown; readonly idempotencyKey: string },
  ): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#options.token}` };
    if (post !== undefined)
      Object.assign(headers, { 'content-type': 'application/json', 'idempotency-key': post.idempotencyKey });
    const send = this.#options.fetch ?? fetch;
    const response = await send(`${this.#options.url}/api/v1/towns/_/${path}`, {
      method,
      headers,
      ...(post === undefined ? {} : { body: JSON.stringify(post.body) }),
    });
    if (!response.ok) throw new ApiError((await response.json()) as Problem);
    return (await response.json()) as T;
  }
}
