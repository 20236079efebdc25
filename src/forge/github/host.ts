import type { PullRequest } from '../../core/model/pull-request.ts';
import type { ClosePullRequest, MergePullRequest, OpenPullRequest, PullClosed } from '../../ports/forge.ts';
import { cut } from '../bounds.ts';
import { Conflict, later, type NoAnswer, refused } from '../answer.ts';
import { type Host, type HostCall, read } from '../host-call.ts';
import { adoptable, refuseMerge, TALK_PAGES_MAX, tooManyTalks } from '../policy.ts';
import { GithubApi } from './api.ts';
import { readTag, ring } from './bell.ts';
import { closePull } from './close.ts';
import { factsOf, factsOfRest } from './facts.ts';
import { ENQUEUE, MORE_THREADS, PULL_REQUEST } from './queries.ts';
import {
  pictureAnswer,
  restMerged,
  restPull,
  restPulls,
  threadsAnswer,
  type Picture,
  type RestPull,
  type Thread,
} from './shape.ts';

/** Longer titles are refused. */
const TITLE_CHARS_MAX = 256;
/** `isDraft` and the like are in the picture; what made it is needed to merge. */
interface Seen {
  readonly facts: PullRequest;
  readonly picture: Picture;
}

/** GitHub: the bell rings by REST and ETags, the picture is taken by GraphQL. */
export class GithubHost implements Host {
  readonly #api: GithubApi;
  readonly #nowMs: () => number;

  constructor(call: HostCall) {
    this.#api = new GithubApi(call);
    this.#nowMs = call.nowMs;
  }

  async open(request: OpenPullRequest): Promise<PullRequest> {
    const found = adoptable((await this.#ofBranch(request.head)).map(factsOfRest), request);
    if (found !== null) return (await this.#see(found, null)).facts;
    const made = await this.#create(request);
    try {
      return (await this.#see(made.number, null)).facts;
    } catch {
      // It is there, whatever the host says of it a moment later.
      return factsOfRest(made);
    }
  }

  async look(number: number, text: string | null): Promise<PullRequest | null> {
    const nowMs = this.#nowMs();
    const rung = await ring(this.#api, number, readTag(text), nowMs);
    if (rung.isSilent) return null;
    const seen = await this.#see(number, rung.pull);
    // A host that has not judged yet does so without a new ETag.
    const isJudged = seen.facts.state !== 'open' || seen.facts.mergeable !== 'unknown';
    const tag = isJudged ? rung.tag : { ...rung.tag, pull: '' };
    return { ...seen.facts, tag: JSON.stringify(tag) };
  }

  async merge(request: MergePullRequest): Promise<PullRequest> {
    const { number } = request.ref;
    const { facts, picture } = await this.#see(number, null);
    if (facts.state === 'merged' || facts.inQueue) return facts;
    refuseMerge(facts, request);
    if (picture.isMergeQueueEnabled) return this.#enqueue(picture.id, request);
    try {
      const answer = await this.#api.rest('PUT /pulls/{number}/merge', {
        number,
        sha: request.expectedHead,
        merge_method: request.style,
        ...(request.style === 'rebase' ? {} : { commit_title: request.title, commit_message: request.message }),
      });
      const merged = read(restMerged, answer.data, 'the merge');
      if (!merged.merged) throw later('the host has not merged yet');
      return { ...facts, state: 'merged', mergeSha: merged.sha, tag: '' };
    } catch (error) {
      throw error instanceof Conflict ? notMerged(error) : error;
    }
  }

  async #enqueue(id: string, request: MergePullRequest): Promise<PullRequest> {
    try {
      await this.#api.graphql(ENQUEUE, { id, head: request.expectedHead });
    } catch (error) {
      throw error instanceof Conflict ? notMerged(error) : error;
    }
    const { facts } = await this.#see(request.ref.number, null);
    if (facts.state === 'open' && !facts.inQueue) throw later('the host has not queued it yet');
    return facts;
  }

  close(request: ClosePullRequest): Promise<PullClosed> {
    return closePull(this.#api, request, (head) => this.#ofBranch(head));
  }

  /** The youngest first. */
  async #ofBranch(head: string): Promise<readonly RestPull[]> {
    const { owner } = this.#api;
    const answer = await this.#api.rest('GET /pulls', {
      head: `${owner}:${head}`,
      state: 'all',
      sort: 'created',
      direction: 'desc',
      per_page: 30,
    });
    return read(restPulls, answer.data, 'the pull requests of the branch').filter(
      (pull) => factsOfRest(pull).branch === head,
    );
  }

  async #create(request: OpenPullRequest): Promise<RestPull> {
    const { body, head, base } = request;
    const title = cut(request.title, TITLE_CHARS_MAX);
    try {
      const answer = await this.#api.rest('POST /pulls', { title, body, head, base });
      return read(restPull, answer.data, 'the new pull request');
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      // Somebody was quicker, or an earlier answer was lost and the list is behind.
      if (/already exists/i.test(error.message))
        throw later('the branch has a pull request that the host does not list yet');
      if (/no commits between/i.test(error.message))
        throw refused('no_commits', `the branch has nothing that ${base} lacks: ${error.message}`);
      throw refused('invalid', `the host refuses to open it: ${error.message}`);
    }
  }

  /** The picture, and whether it is as young as what rang. */
  async #see(number: number, rang: RestPull | null): Promise<Seen> {
    const { owner, repo: name } = this.#api;
    const data = await this.#api.graphql(PULL_REQUEST, { owner, name, number });
    const picture = read(pictureAnswer, data, 'the pull request').repository.pullRequest;
    if (
      rang !== null &&
      (rang.head.sha !== picture.headRefOid || Date.parse(rang.updated_at) > Date.parse(picture.updatedAt))
    )
      throw later('the host shows an older state beside a newer one');
    const threads = await this.#threads(number, picture);
    return { facts: factsOf(picture, threads, ''), picture };
  }

  async #threads(number: number, picture: Picture): Promise<readonly Thread[]> {
    const { owner, repo: name } = this.#api;
    let page = picture.reviewThreads;
    const threads = [...page.nodes];
    for (let pages = 1; page.pageInfo.hasNextPage && pages < TALK_PAGES_MAX; pages += 1) {
      const variables = { owner, name, number, after: page.pageInfo.endCursor };
      const data = await this.#api.graphql(MORE_THREADS, variables);
      page = read(threadsAnswer, data, 'the threads').repository.pullRequest.reviewThreads;
      threads.push(...page.nodes);
    }
    if (page.pageInfo.hasNextPage) throw tooManyTalks();
    return threads;
  }
}

/** Why GitHub did not merge, by its words: it has one status for many reasons. */
function notMerged({ status, message }: Conflict): NoAnswer {
  if (/base branch was modified/i.test(message)) return later(message);
  if (status === 409 || /head (branch|sha|oid)|expected.*head/i.test(message)) return refused('head_moved', message);
  if (/(merge commits|squash merges|rebase merges) are not allowed/i.test(message))
    return refused('bad_style', message);
  return refused('not_mergeable', `the host refuses to merge it: ${message}`);
}
