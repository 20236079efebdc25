import type { PullRequest } from '../../core/model/pull-request.ts';
import type { ClosePullRequest, MergePullRequest, OpenPullRequest, PullClosed } from '../../ports/forge.ts';
import { cut } from '../bounds.ts';
import { Conflict, later, NoAnswer, refused } from '../answer.ts';
import { type Host, type HostCall, read } from '../host-call.ts';
import { adoptable, refuseMerge, TALK_PAGES_MAX, tooManyTalks } from '../policy.ts';
import { GitlabApi } from './api.ts';
import { closePull } from './close.ts';
import { factsOf, factsOfList } from './facts.ts';
import * as shape from './shape.ts';

/**
 * GitLab. Its limits count requests whether something is new or not, so a look always takes the whole picture, and the
 * tag is a digest of it.
 */
export class GitlabHost implements Host {
  readonly #api: GitlabApi;

  constructor(call: HostCall) {
    this.#api = new GitlabApi(call);
  }

  async open(request: OpenPullRequest): Promise<PullRequest> {
    const found = adoptable((await this.#ofBranch(request.head)).map(factsOfList), request);
    if (found !== null) return this.#see(found);
    const made = await this.#create(request);
    try {
      return await this.#see(made.iid);
    } catch {
      // It is there, whatever the host says of it a moment later.
      return factsOfList(made);
    }
  }

  async look(number: number, tag: string | null): Promise<PullRequest | null> {
    const seen = await this.#see(number);
    const digest = await digestOf(seen);
    return digest === tag ? null : { ...seen, tag: digest };
  }

  async merge(request: MergePullRequest): Promise<PullRequest> {
    const { number } = request.ref;
    const seen = await this.#see(number);
    if (seen.state === 'merged' || seen.inQueue) return seen;
    refuseMerge(seen, request);
    await this.#refuseStyle(request);
    try {
      const answer = await this.#api.send('PUT', `/merge_requests/${String(number)}/merge`, {
        sha: request.expectedHead,
        squash: request.style === 'squash',
        [request.style === 'squash' ? 'squash_commit_message' : 'merge_commit_message']: messageOf(request),
      });
      const merged = factsOfList(read(shape.mergeRequest, answer, 'the merge'));
      if (merged.state !== 'merged') throw later('the host has not merged yet');
      return { ...seen, state: 'merged', mergeSha: merged.mergeSha };
    } catch (error) {
      throw error instanceof Conflict ? notMerged(error) : notMergedBySaying(error);
    }
  }

  /** GitLab chooses between a merge commit and a fast-forward by the project; a caller can only ask for a squash. */
  async #refuseStyle({ style }: MergePullRequest): Promise<void> {
    if (style === 'squash') return;
    const { merge_method: method } = read(shape.project, await this.#api.get(''), 'the project');
    const isLinear = method === 'ff';
    if (isLinear === (style === 'rebase')) return;
    throw refused('bad_style', `the project merges by "${method}", which is not the style "${style}"`);
  }

  close(request: ClosePullRequest): Promise<PullClosed> {
    return closePull(this.#api, request, (head) => this.#ofBranch(head));
  }

  /** The youngest first. */
  async #ofBranch(head: string): Promise<readonly shape.MergeRequest[]> {
    const answer = await this.#api.get('/merge_requests', {
      source_branch: head,
      state: 'all',
      order_by: 'created_at',
      sort: 'desc',
      per_page: '30',
    });
    return read(shape.mergeRequests, answer, 'the merge requests of the branch').filter(
      (one) => factsOfList(one).branch === head,
    );
  }

  async #create(request: OpenPullRequest): Promise<shape.MergeRequest> {
    try {
      const answer = await this.#api.send('POST', '/merge_requests', {
        source_branch: request.head,
        target_branch: request.base,
        title: titleOf(request.title),
        description: request.body,
      });
      return read(shape.mergeRequest, answer, 'the new merge request');
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      if (error.status === 409) throw later('the branch has a merge request that the host does not list yet');
      throw refused('invalid', `the host refuses to open it: ${error.message}`);
    }
  }

  async #see(number: number): Promise<PullRequest> {
    const at = `/merge_requests/${String(number)}`;
    const request = read(shape.mergeRequest, await this.#api.get(at), 'the merge request');
    const [tip, approved, reviewers, discussions, merged, statuses] = await Promise.all([
      this.#tip(request.source_branch),
      this.#api.get(`${at}/approvals`),
      this.#api.get(`${at}/reviewers`),
      this.#discussions(at),
      this.#merged(request),
      this.#statuses(request),
    ]);
    return factsOf({
      request,
      tip,
      approvals: read(shape.approvals, approved, 'the approvals').approved_by.length,
      requestedBy: read(shape.reviewers, reviewers, 'the reviewers')
        .filter((one) => one.state === 'requested_changes')
        .map((one) => one.user.username),
      discussions,
      merged,
      statuses,
    });
  }

  async #tip(branch: string): Promise<string | null> {
    const answer = await this.#ifThere(`/repository/branches/${encodeURIComponent(branch)}`);
    return answer === null ? null : read(shape.branch, answer, 'the branch').commit.id;
  }

  async #ifThere(path: string): Promise<unknown> {
    try {
      return await this.#api.get(path);
    } catch (error) {
      if (error instanceof NoAnswer && error.answer.state === 'refused' && error.answer.code === 'not_found')
        return null;
      throw error;
    }
  }

  async #discussions(at: string): Promise<readonly shape.Discussion[]> {
    const all: shape.Discussion[] = [];
    let next: number | null = 1;
    for (let pages = 0; next !== null && pages < TALK_PAGES_MAX; pages += 1) {
      const page = await this.#api.page(`${at}/discussions`, { per_page: '100', page: String(next) });
      all.push(...read(shape.discussions, page.data, 'the discussions'));
      next = page.next;
    }
    if (next !== null) throw tooManyTalks();
    return all;
  }

  /** A pipeline on the merge of both runs on a commit that is on no branch; its parents tell of which head it is. */
  async #merged({ sha, head_pipeline: pipeline }: shape.MergeRequest): Promise<readonly string[]> {
    if (pipeline?.ref?.endsWith('/merge') !== true || pipeline.sha === sha) return [];
    const commit = await this.#ifThere(`/repository/commits/${pipeline.sha}`);
    return commit === null ? [] : read(shape.commit, commit, 'the merged commit').parent_ids;
  }

  /** Which jobs failed is only asked of a pipeline that did. */
  async #statuses({ head_pipeline: pipeline }: shape.MergeRequest): Promise<readonly shape.Status[]> {
    if (pipeline === null || pipeline === undefined || pipeline.status !== 'failed') return [];
    const query = { pipeline_id: String(pipeline.id), per_page: '100' };
    return read(shape.statuses, await this.#api.get(`/repository/commits/${pipeline.sha}/statuses`, query), 'the jobs');
  }
}

/** Longer titles are refused. */
const TITLE_CHARS_MAX = 255;
/** By such a beginning GitLab makes a draft, which nobody meant. */
const DRAFT = /^\W*(draft|wip)\b/i;

const titleOf = (title: string): string => cut(DRAFT.test(title) ? `"${title}"` : title, TITLE_CHARS_MAX);

const messageOf = ({ title, message }: MergePullRequest): string => (message === '' ? title : `${title}\n\n${message}`);

function notMerged({ status, message }: Conflict): NoAnswer {
  if (status === 409) return refused('head_moved', message);
  return refused('not_mergeable', `the host refuses to merge it: ${message}`);
}

/** GitLab says 401 to a member who may see the request and not merge it; the token itself was accepted before. */
function notMergedBySaying(error: unknown): unknown {
  const answer = error instanceof NoAnswer ? error.answer : null;
  return answer?.state === 'refused' && answer.code === 'no_right'
    ? refused('no_right', 'the token may not merge into this branch')
    : error;
}

async function digestOf(seen: PullRequest): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(seen)));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
