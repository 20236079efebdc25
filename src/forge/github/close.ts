import type { ClosePullRequest, PullClosed } from '../../ports/forge.ts';
import { Conflict, refused } from '../answer.ts';
import { read } from '../host-call.ts';
import { closedAs, NO_PULL, otherBranch } from '../policy.ts';
import type { GithubApi } from './api.ts';
import { factsOfRest } from './facts.ts';
import { LAST_COMMENTS } from './queries.ts';
import { commentsAnswer, restPull, type RestPull } from './shape.ts';

/** Says that its work was cancelled, and closes what the town opened. `ofBranch` has the youngest first. */
export async function closePull(
  api: GithubApi,
  request: ClosePullRequest,
  ofBranch: (head: string) => Promise<readonly RestPull[]>,
): Promise<PullClosed> {
  const pull = await find(api, request, ofBranch);
  if (pull === undefined) return NO_PULL;
  if (factsOfRest(pull).branch !== request.head) throw otherBranch(request);
  const before = endOf(pull);
  if (before !== null) return before;
  const { number } = pull;
  if (!(await isSaid(api, request, number)))
    await api.rest('POST /issues/{number}/comments', { number, body: `${request.comment}\n\n${request.mark}` });
  if (!isOurs(pull, request)) return closedAs('left', number);
  try {
    const answer = await api.rest('PATCH /pulls/{number}', { number, state: 'closed' });
    return endOf(read(restPull, answer.data, 'the closed pull request')) ?? closedAs('closed', number);
  } catch (error) {
    throw error instanceof Conflict ? refused('invalid', `the host refuses to close it: ${error.message}`) : error;
  }
}

const isOurs = ({ body }: RestPull, { ours }: ClosePullRequest): boolean => body?.includes(ours) === true;

async function find(
  api: GithubApi,
  request: ClosePullRequest,
  ofBranch: (head: string) => Promise<readonly RestPull[]>,
): Promise<RestPull | undefined> {
  const { number, head } = request;
  if (number === null) return (await ofBranch(head)).find((pull) => isOurs(pull, request));
  return read(restPull, (await api.rest('GET /pulls/{number}', { number })).data, 'the pull request');
}

/** Null: it is open. */
function endOf({ number, state, merged_at: mergedAt, merge_commit_sha: sha }: RestPull): PullClosed | null {
  if (mergedAt !== null) return closedAs('merged', number, sha);
  return state === 'closed' ? closedAs('closed', number) : null;
}

async function isSaid(api: GithubApi, { mark }: ClosePullRequest, number: number): Promise<boolean> {
  const { owner, repo: name } = api;
  const data = await api.graphql(LAST_COMMENTS, { owner, name, number });
  const { nodes } = read(commentsAnswer, data, 'the comments').repository.pullRequest.comments;
  return nodes.some(({ body }) => body.includes(mark));
}
