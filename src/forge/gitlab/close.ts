import type { ClosePullRequest, PullClosed } from '../../ports/forge.ts';
import { Conflict, later, refused } from '../answer.ts';
import { read } from '../host-call.ts';
import { closedAs, NO_PULL, otherBranch } from '../policy.ts';
import type { GitlabApi } from './api.ts';
import { factsOfList } from './facts.ts';
import * as shape from './shape.ts';

/** How soon one that is being merged in this moment is asked about again. */
const LOCKED_MS = 5_000;

/** Says that its work was cancelled, and closes what the town opened. `ofBranch` has the youngest first. */
export async function closePull(
  api: GitlabApi,
  request: ClosePullRequest,
  ofBranch: (head: string) => Promise<readonly shape.MergeRequest[]>,
): Promise<PullClosed> {
  const number = request.number ?? (await ofBranch(request.head)).find((one) => isOurs(one, request))?.iid;
  if (number === undefined) return NO_PULL;
  const at = `/merge_requests/${String(number)}`;
  const one = await see(api, at);
  if (factsOfList(one).branch !== request.head) throw otherBranch(request);
  const before = endOf(one);
  if (before !== null) return before;
  if (!(await isSaid(api, at, request)))
    await api.send('POST', `${at}/notes`, { body: `${request.comment}\n\n${request.mark}` });
  if (!isOurs(one, request)) return closedAs('left', number);
  try {
    const closed = read(shape.mergeRequest, await api.send('PUT', at, { state_event: 'close' }), 'the merge request');
    return endOf(closed) ?? closedAs('closed', number);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    // Somebody merged it in this moment.
    const after = endOf(await see(api, at));
    if (after !== null) return after;
    throw refused('invalid', `the host refuses to close it: ${error.message}`);
  }
}

const see = async (api: GitlabApi, at: string): Promise<shape.MergeRequest> =>
  read(shape.mergeRequest, await api.get(at), 'the merge request');

const isOurs = ({ description }: shape.MergeRequest, { ours }: ClosePullRequest): boolean =>
  description?.includes(ours) === true;

/** Null: it is open. Throws `NoAnswer` while it is being merged. */
function endOf(one: shape.MergeRequest): PullClosed | null {
  if (one.state === 'locked') throw later('the host merges it in this moment', LOCKED_MS);
  if (one.state === 'merged') return closedAs('merged', one.iid, factsOfList(one).mergeSha);
  return one.state === 'closed' ? closedAs('closed', one.iid) : null;
}

async function isSaid(api: GitlabApi, at: string, { mark }: ClosePullRequest): Promise<boolean> {
  const query = { sort: 'desc', order_by: 'created_at', per_page: '100' };
  const { data } = await api.page(`${at}/notes`, query);
  return read(shape.notes, data, 'the notes').some(({ body }) => body.includes(mark));
}
