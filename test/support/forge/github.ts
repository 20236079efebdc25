/** GitHub's REST API before a fake forge: the routes that are asked, in the forms of its public description. */
import { createHash } from 'node:crypto';
import type { components } from '@octokit/openapi-types';
import type { Style } from './bare-git.ts';
import { type FakeCheck, type FakeForge, type FakePull, Refused } from './fake-forge.ts';
import type { Answer } from './faults.ts';
import { answerGraphql } from './github-graphql.ts';
import { detailsUrl, mergeState, updatedAt, webUrl } from './github-words.ts';
import { type Asked, FAKE_PROJECT } from './wire.ts';

type Schemas = components['schemas'];
type Pull = Pick<
  Schemas['pull-request'],
  | 'number'
  | 'html_url'
  | 'state'
  | 'draft'
  | 'title'
  | 'body'
  | 'merged_at'
  | 'merge_commit_sha'
  | 'updated_at'
  | 'merged'
  | 'mergeable'
  | 'mergeable_state'
> & {
  readonly base: Pick<Schemas['pull-request']['base'], 'ref' | 'sha'> & {
    readonly repo: { readonly full_name: string };
  };
  readonly head: Pick<Schemas['pull-request']['head'], 'ref' | 'sha'> & {
    readonly repo: { readonly full_name: string };
  };
};
type Run = Pick<Schemas['check-run'], 'id' | 'name' | 'status' | 'conclusion' | 'details_url'>;
type Status = Pick<Schemas['simple-commit-status'], 'id' | 'context' | 'state' | 'description' | 'target_url'>;
type Review = Pick<Schemas['pull-request-review'], 'id' | 'state' | 'body'> & {
  readonly user: { readonly login: string };
};

const ROOT = `/repos/${FAKE_PROJECT}`;
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

function pullOf(forge: FakeForge, pull: FakePull): Pull {
  const state = mergeState(forge, pull);
  return {
    number: pull.number,
    html_url: webUrl(pull),
    state: pull.state === 'open' ? 'open' : 'closed',
    draft: pull.isDraft,
    title: pull.title,
    body: pull.body,
    merged: pull.state === 'merged',
    merged_at: pull.state === 'merged' ? updatedAt(pull) : null,
    merge_commit_sha: pull.mergeSha,
    updated_at: updatedAt(pull),
    mergeable: state === 'UNKNOWN' ? null : state !== 'DIRTY',
    mergeable_state: state.toLowerCase(),
    base: { ref: pull.base, sha: forge.git.branches().get(pull.base) ?? '', repo: { full_name: FAKE_PROJECT } },
    head: { ref: pull.head, sha: pull.headSha, repo: { full_name: pull.isFork ? 'ann/shop' : FAKE_PROJECT } },
  };
}

const CONCLUSIONS = {
  success: 'success',
  failure: 'failure',
  cancelled: 'cancelled',
  skipped: 'skipped',
  running: null,
  manual: null,
} as const;
const runOf = (check: FakeCheck): Run => ({
  id: check.id,
  name: check.name,
  status: check.state === 'running' ? 'in_progress' : 'completed',
  conclusion: CONCLUSIONS[check.state],
  details_url: detailsUrl(check),
});
const STATUSES = {
  success: 'success',
  skipped: 'success',
  failure: 'failure',
  cancelled: 'error',
  running: 'pending',
  manual: 'pending',
} as const;
const statusOf = (check: FakeCheck): Status => ({
  id: check.id,
  context: check.name,
  state: STATUSES[check.state],
  description: check.text,
  target_url: detailsUrl(check),
});

function reviewsOf(pull: FakePull): Review[] {
  const talks = pull.threads
    .flatMap((thread) => [thread, ...thread.replies])
    .map(({ by }, at) => ({ id: 9_000 + at, state: 'COMMENTED', body: '', user: { login: by } }));
  const reviews = pull.reviews.map((one) => ({
    id: one.id,
    state: one.state.toUpperCase(),
    body: one.body,
    user: { login: one.by },
  }));
  return [...reviews, ...talks];
}

/** An answer to a GET, which costs nothing of the rate when it is the one that the caller has. */
function tagged(asked: Asked, body: unknown): Answer {
  const etag = `W/"${createHash('sha1').update(JSON.stringify(body)).digest('hex')}"`;
  return asked.header('if-none-match') === etag
    ? { status: 304, headers: { etag } }
    : { status: 200, headers: { etag }, body };
}

export function answerGithub(forge: FakeForge, asked: Asked): Answer | Promise<Answer> {
  if (asked.method === 'POST' && asked.path === '/graphql') return answerGraphql(forge, asked.body);
  if (!asked.path.startsWith(`${ROOT}/`)) throw new Refused(404, 'Not Found');
  const [kind = '', id = '', part = ''] = asked.path.slice(ROOT.length + 1).split('/');
  if (kind === 'commits') return commit(forge, asked, id, part);
  if (kind === 'issues') return comment(forge, asked, Number(id));
  if (kind !== 'pulls') throw new Refused(404, 'Not Found');
  if (id === '') return listed(forge, asked);
  return one(forge, asked, forge.get(Number(id)), part);
}

const listed = (forge: FakeForge, asked: Asked): Answer =>
  asked.method === 'POST' ? create(forge, asked) : list(forge, asked);

function one(forge: FakeForge, asked: Asked, pull: FakePull, part: string): Answer {
  if (part === 'reviews') return tagged(asked, reviewsOf(pull));
  if (part === 'merge') return merge(forge, asked, pull);
  if (asked.method === 'PATCH') {
    if (asText((asked.body as Record<string, unknown>)['state']) !== 'closed')
      throw new Refused(422, 'Validation Failed');
    forge.closeByCall(pull.number);
    return { status: 200, body: pullOf(forge, pull) };
  }
  const answer = tagged(asked, pullOf(forge, pull));
  pull.unjudged = Math.max(0, pull.unjudged - 1);
  return answer;
}

function comment(forge: FakeForge, asked: Asked, number: number): Answer {
  if (asked.method !== 'POST' || !asked.path.endsWith('/comments')) throw new Refused(404, 'Not Found');
  const body = asText((asked.body as Record<string, unknown>)['body']);
  forge.comment(number, body);
  return { status: 201, body: { id: forge.id(), body } };
}

function commit(forge: FakeForge, asked: Asked, sha: string, part: string): Answer {
  const checks = forge.checksOf(sha);
  const runs = checks.filter((check) => check.kind === 'run').map(runOf);
  const statuses = checks.filter((check) => check.kind === 'status').map(statusOf);
  if (part === 'check-runs') return tagged(asked, { total_count: runs.length, check_runs: runs });
  return tagged(asked, { sha, state: 'pending', total_count: statuses.length, statuses });
}

function list(forge: FakeForge, asked: Asked): Answer {
  const [, head = ''] = (asked.query.get('head') ?? '').split(/:(.*)/);
  const state = asked.query.get('state') ?? 'open';
  const pulls = forge.pulls.filter(
    (pull) => !forge.listsNothing && pull.head === head && (state === 'all' || pull.state === state),
  );
  return tagged(
    asked,
    pulls.toReversed().map((pull) => pullOf(forge, pull)),
  );
}

function create(forge: FakeForge, asked: Asked): Answer {
  const body = asked.body as Record<string, unknown>;
  try {
    if (asText(body['title']).length > 256) throw new Refused(422, 'title is too long (maximum is 256 characters)');
    const asPull = {
      head: asText(body['head']),
      base: asText(body['base']),
      title: asText(body['title']),
      body: asText(body['body']),
    };
    return { status: 201, body: pullOf(forge, forge.open(asPull)) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const errors = [{ resource: 'PullRequest', code: 'custom', message: error.message }];
    return { status: 422, body: { message: 'Validation Failed', errors, status: '422' } };
  }
}

function merge(forge: FakeForge, asked: Asked, pull: FakePull): Answer {
  const body = asked.body as Record<string, unknown>;
  const message = [asText(body['commit_title']), asText(body['commit_message'])]
    .filter((text) => text !== '')
    .join('\n\n');
  const style = asText(body['merge_method']) as Style;
  const sha = forge.merge(pull.number, asText(body['sha']), style, message === '' ? pull.title : message);
  return { status: 200, body: { sha, merged: true, message: 'Pull Request successfully merged' } };
}
