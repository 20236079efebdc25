import type {
  ClosePullRequest,
  Forge,
  ForgeAnswer,
  ForgeLater,
  ForgeRefusal,
  MergePullRequest,
  OpenPullRequest,
  PullClosed,
  PullRequestRef,
} from '../ports/forge.ts';
import type { ForgeKind, ForgeSite, PullRequest } from '../core/model/pull-request.ts';
import { NoAnswer } from './answer.ts';
import { line } from './bounds.ts';
import { GithubHost } from './github/host.ts';
import { GitlabHost } from './gitlab/host.ts';
import type { Host, HostCall } from './host-call.ts';
import { boundedFetch, type Fetch } from './http.ts';

/** All requests of one call together. Below the deadline of an effect (20 s), after which it would be tried beside itself. */
const CALL_TIMEOUT_MS = 15_000;

const HOSTS: Readonly<Record<ForgeKind, (call: HostCall) => Host>> = {
  github: (call) => new GithubHost(call),
  gitlab: (call) => new GitlabHost(call),
};

export interface TownForgeOptions {
  /** What is at `env:NAME` or `file:/path`; null or an error: nothing. */
  readonly secret: (reference: string) => string | null;
  readonly nowMs: () => number;
  readonly fetch?: Fetch | undefined;
  readonly timeoutMs?: number | undefined;
}

/** GitHub and GitLab behind one port. It keeps nothing between calls. */
export class TownForge implements Forge {
  readonly #options: TownForgeOptions;

  constructor(options: TownForgeOptions) {
    this.#options = options;
  }

  open(request: OpenPullRequest): Promise<ForgeAnswer> {
    return this.#ask(request.site, async (host) => ok(await host.open(request)));
  }

  look(ref: PullRequestRef, tag: string | null): Promise<ForgeAnswer | { readonly state: 'unchanged' }> {
    return this.#ask(ref.site, async (host) => {
      const seen = await host.look(ref.number, tag === '' ? null : tag);
      return seen === null ? { state: 'unchanged' } : ok(seen);
    });
  }

  merge(request: MergePullRequest): Promise<ForgeAnswer> {
    return this.#ask(request.ref.site, async (host) => ok(await host.merge(request)));
  }

  close(request: ClosePullRequest): Promise<PullClosed | ForgeLater | ForgeRefusal> {
    return this.#ask(request.site, (host) => host.close(request));
  }

  async #ask<T>(site: ForgeSite, work: (host: Host) => Promise<T>): Promise<T | ForgeLater | ForgeRefusal> {
    const token = this.#token(site);
    if (token === null)
      return { state: 'refused', code: 'no_token', error: `there is no token of the code host at ${site.token}` };
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? CALL_TIMEOUT_MS);
    const call: HostCall = {
      site,
      token,
      fetch: boundedFetch(this.#options.fetch ?? ((url, init) => fetch(url, init)), signal, token),
      nowMs: this.#options.nowMs,
    };
    try {
      return await work(HOSTS[site.kind](call));
    } catch (error) {
      return without(token, answerOf(error));
    }
  }

  #token(site: ForgeSite): string | null {
    try {
      return this.#options.secret(site.token);
    } catch {
      return null;
    }
  }
}

const ok = (pullRequest: PullRequest): ForgeAnswer => ({ state: 'ok', pullRequest });

/** Whatever else goes wrong: nothing is known. */
function answerOf(error: unknown): ForgeLater | ForgeRefusal {
  if (error instanceof NoAnswer) return error.answer;
  const text = error instanceof Error ? error.message : String(error);
  return { state: 'later', error: `the call failed: ${text}`, retryAfterMs: null };
}

/** What our own side throws may name it, as of a header that it is no legal value of. What hosts repeat goes with their answers. */
const without = <T extends { readonly error: string }>(token: string, answer: T): T => ({
  ...answer,
  error: line(answer.error.replaceAll(token, '[token]')),
});
