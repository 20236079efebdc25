import type {
  ChecksState,
  Mergeability,
  OpenThread,
  PullRequest,
  Reply,
  RequestedChange,
} from '../../core/model/pull-request.ts';
import { later } from '../answer.ts';
import { author, body, line, list, name, webAddress } from '../bounds.ts';
import type { Discussion, MergeRequest, Pipeline, Status } from './shape.ts';

const STATES = { opened: 'open', locked: 'open', closed: 'closed', merged: 'merged' } as const;
/** The host has not judged yet, or judges just now. */
const UNKNOWN = new Set(['unchecked', 'checking', 'preparing', 'approvals_syncing', '']);
const GREEN = new Set(['success', 'skipped']);
const RED = new Set(['failed', 'canceled', 'canceling']);

/** All that was read of one merge request. */
export interface Parts {
  readonly request: MergeRequest;
  /** Tip of the source branch; null: it is gone. */
  readonly tip: string | null;
  readonly approvals: number;
  readonly requestedBy: readonly string[];
  readonly discussions: readonly Discussion[];
  /** Parents of the commit that a pipeline on the merge of both ran on; empty otherwise. */
  readonly merged: readonly string[];
  /** Of its pipeline, when that is red. */
  readonly statuses: readonly Status[];
}

/** What GitLab shows, in the town's words; without a tag. Throws `NoAnswer` when the merge's commit is not told yet. */
export function factsOf(parts: Parts): PullRequest {
  const { request } = parts;
  const state = STATES[request.state];
  return {
    number: request.iid,
    url: webAddress(request.web_url) ?? '',
    state,
    isDraft: request.draft ?? false,
    branch: request.source_project_id === request.target_project_id ? request.source_branch : null,
    base: request.target_branch,
    headSha: state === 'merged' ? request.sha : parts.tip,
    mergeSha: state === 'merged' ? mergeShaOf(request) : null,
    ...judgementOf(parts),
    approvals: parts.approvals,
    changesRequested: list(parts.requestedBy).map((by) => changeOf(by, parts.discussions)),
    threads: list(parts.discussions.filter(isOpen)).map(threadOf),
    inQueue: state === 'open' && request.merge_when_pipeline_succeeds === true,
    tag: '',
  };
}

/** A fast-forward makes no commit of its own. */
function mergeShaOf(request: MergeRequest): string {
  const made = request.merge_commit_sha ?? request.squash_commit_sha ?? request.sha;
  if (made === null) throw later('the host does not say yet which commit the merge made');
  return made;
}

function judgementOf({ request, tip, merged, statuses }: Parts): Pick<PullRequest, 'mergeable' | 'checks'> {
  // Just after a push the host still judges the commit before.
  if (request.state === 'opened' && tip !== null && tip !== request.sha)
    return { mergeable: 'unknown', checks: { state: 'unknown', failing: [] } };
  return { mergeable: mergeability(request), checks: checksOf(request, merged, statuses) };
}

/** What GitLab notes by itself when somebody asks for changes: the only sign that they do so again. */
const ASKED = /\brequest(s|ed)? changes\b/i;

/** GitLab keeps no review: its words are a comment of who asks, or talks. */
function changeOf(who: string, discussions: readonly Discussion[]): RequestedChange {
  const notes = discussions
    .flatMap((discussion) => discussion.notes)
    .filter((note) => note.author?.username === who && !note.resolvable);
  const words = notes.findLast((note) => note.system !== true);
  const asked = notes.findLast((note) => note.system !== true || ASKED.test(note.body));
  return { id: String(asked?.id ?? ''), by: author(who), body: body(words?.body) };
}

const isOpen = (discussion: Discussion): boolean =>
  discussion.notes.some((note) => note.resolvable && note.resolved !== true);

function threadOf(discussion: Discussion): OpenThread {
  const first = discussion.notes[0];
  return {
    id: name(discussion.id),
    ...placeOf(first?.position),
    by: author(first?.author?.username),
    body: body(first?.body),
    last: replyOf(discussion),
  };
}

function replyOf({ notes }: Discussion): Reply | null {
  const last = notes.slice(1).findLast((note) => note.system !== true);
  return last === undefined ? null : { id: String(last.id), by: author(last.author?.username), body: body(last.body) };
}

/** A talk about a line that is gone has the old place. */
function placeOf(place: Discussion['notes'][number]['position']): Pick<OpenThread, 'path' | 'line'> {
  const path = name(place?.new_path ?? place?.old_path);
  return { path: path === '' ? null : path, line: place?.new_line ?? place?.old_line ?? null };
}

function mergeability(request: MergeRequest): Mergeability {
  const status = request.detailed_merge_status ?? '';
  if (status === 'conflict' || request.has_conflicts === true) return 'conflict';
  if (status === 'mergeable') return 'clean';
  if (status === 'need_rebase') return 'behind';
  return UNKNOWN.has(status) || request.state === 'locked' ? 'unknown' : 'blocked';
}

/** A job that somebody has to start by hand: no time brings its end. */
const waitsForHand = ({ web_url: url }: Pipeline): PullRequest['checks'] => ({
  state: 'red',
  failing: [{ name: 'pipeline', url: webAddress(url), text: 'manual: a job waits to be started', isForPeople: true }],
});

/** Somebody stopped it: nothing that work on the branch changes. */
const stopped = (status: string): { readonly isForPeople?: true } => (status === 'failed' ? {} : { isForPeople: true });

function checksOf(
  request: MergeRequest,
  merged: readonly string[],
  statuses: readonly Status[],
): PullRequest['checks'] {
  const pipeline = request.head_pipeline ?? null;
  if (pipeline === null) return { state: 'none', failing: [] };
  // After a push the host shows the pipeline of before for a while; one on a merge of both has the head as a parent.
  if (pipeline.sha !== request.sha && !merged.some((parent) => parent === request.sha))
    return { state: 'unknown', failing: [] };
  if (pipeline.status === 'manual') return waitsForHand(pipeline);
  const state: ChecksState = GREEN.has(pipeline.status) ? 'green' : RED.has(pipeline.status) ? 'red' : 'running';
  if (state !== 'red') return { state, failing: [] };
  const failing = statuses
    .filter((one) => RED.has(one.status) && one.allow_failure !== true)
    .map((one) => ({
      name: name(one.name),
      url: webAddress(one.target_url),
      text: line(one.description),
      ...stopped(one.status),
    }));
  const whole = {
    name: 'pipeline',
    url: webAddress(pipeline.web_url),
    text: line(pipeline.status),
    ...stopped(pipeline.status),
  };
  return { state, failing: list(failing.length === 0 ? [whole] : failing) };
}

/** What the list of merge requests says of one; its `sha` stands for the branch. */
export const factsOfList = (request: MergeRequest): PullRequest => ({
  ...factsOf({ request, tip: request.sha, approvals: 0, requestedBy: [], discussions: [], merged: [], statuses: [] }),
  mergeable: 'unknown',
  checks: { state: 'unknown', failing: [] },
});
