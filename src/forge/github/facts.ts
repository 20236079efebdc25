import type {
  ChecksState,
  FailingCheck,
  Mergeability,
  OpenThread,
  PullRequest,
  PullRequestState,
} from '../../core/model/pull-request.ts';
import { later } from '../answer.ts';
import { author, body, line, list, name, webAddress } from '../bounds.ts';
import type { CheckRun, Context, Picture, RestPull, Rollup, StatusContext, Thread } from './shape.ts';

const STATES = { OPEN: 'open', CLOSED: 'closed', MERGED: 'merged' } as const;
/** Conclusions that stop nobody. All others, and new ones of the host, are red. */
const GOOD = new Set(['SUCCESS', 'NEUTRAL', 'SKIPPED']);
/** Red, and nothing that work on the branch changes. */
const FOR_PEOPLE = new Set(['CANCELLED', 'ACTION_REQUIRED', 'STALE', 'STARTUP_FAILURE']);
const STATUS_RUNNING = new Set(['PENDING', 'EXPECTED']);

/** What GitHub shows, in the town's words. Throws `NoAnswer` when it contradicts itself: a part of it is older. */
export function factsOf(picture: Picture, threads: readonly Thread[], tag: string): PullRequest {
  const state = STATES[picture.state];
  const mergeSha = picture.mergeCommit?.oid ?? null;
  if (state === 'merged' && mergeSha === null) throw later('the host does not say yet which commit the merge made');
  const tip = tipOf(picture);
  if (state === 'open' && tip !== null && tip !== picture.headRefOid)
    throw later('the host has not taken in the last push yet');
  return {
    number: picture.number,
    url: webAddress(picture.url) ?? '',
    state,
    isDraft: picture.isDraft,
    branch: picture.isCrossRepository ? null : picture.headRefName,
    base: picture.baseRefName,
    headSha: state === 'merged' ? picture.headRefOid : tip,
    mergeSha: state === 'merged' ? mergeSha : null,
    mergeable: mergeability(picture),
    checks: checksOf(picture),
    ...opinionsOf(picture),
    threads: list(threads.filter((thread) => !thread.isResolved)).map(threadOf),
    inQueue: picture.isInMergeQueue,
    tag,
  };
}

const tipOf = (picture: Picture): string | null => picture.headRef?.target?.oid ?? null;

function opinionsOf(picture: Picture): Pick<PullRequest, 'approvals' | 'changesRequested'> {
  const reviews = picture.latestOpinionatedReviews?.nodes ?? [];
  const against = reviews.filter((review) => review.state === 'CHANGES_REQUESTED');
  return {
    approvals: reviews.filter((review) => review.state === 'APPROVED').length,
    changesRequested: list(against).map((review) => ({
      id: name(review.id),
      by: author(review.author?.login),
      body: body(review.body),
    })),
  };
}

function threadOf(thread: Thread): OpenThread {
  const first = thread.first.nodes[0];
  const last = thread.last.nodes[0];
  return {
    id: name(thread.id),
    path: name(thread.path),
    line: thread.line ?? thread.originalLine,
    by: author(first?.author?.login),
    body: body(first?.body),
    last:
      last === undefined || last.id === first?.id
        ? null
        : { id: name(last.id), by: author(last.author?.login), body: body(last.body) },
  };
}

function mergeability({ mergeable, mergeStateStatus }: Picture): Mergeability {
  if (mergeable === 'CONFLICTING' || mergeStateStatus === 'DIRTY') return 'conflict';
  if (mergeable !== 'MERGEABLE' || mergeStateStatus === 'UNKNOWN') return 'unknown';
  if (mergeStateStatus === 'BEHIND') return 'behind';
  return mergeStateStatus === 'BLOCKED' || mergeStateStatus === 'DRAFT' ? 'blocked' : 'clean';
}

interface Judged {
  readonly key: string;
  /** The younger of two with one key counts. */
  readonly order: number;
  readonly verdict: 'good' | 'bad' | 'running';
  readonly failing: FailingCheck;
}

function checksOf(picture: Picture): PullRequest['checks'] {
  const commit = picture.commits.nodes.at(-1)?.commit;
  // Of another commit than the head they say nothing.
  if (commit?.oid !== picture.headRefOid) return { state: 'unknown', failing: [] };
  const rollup = commit.statusCheckRollup;
  if (rollup === null) return { state: 'none', failing: [] };
  const latest = new Map<string, Judged>();
  for (const one of rollup.contexts.nodes.map(judge)) {
    const other = latest.get(one.key);
    if (other === undefined || other.order <= one.order) latest.set(one.key, one);
  }
  const judged = [...latest.values()];
  const failing = judged.filter((one) => one.verdict === 'bad').map((one) => one.failing);
  const state = together(judged, rollup);
  return { state, failing: list(state === 'red' && failing.length === 0 ? [unlisted(picture)] : failing) };
}

/** The host names a hundred checks; one beyond them is red. */
const unlisted = ({ url }: Picture): FailingCheck => ({
  name: 'one beyond the first hundred',
  url: webAddress(`${url}/checks`),
  text: 'The host says that the checks are red, and lists the first hundred, which are not. Look at the others there.',
});

function together(judged: readonly Judged[], rollup: Rollup): ChecksState {
  if (judged.some((one) => one.verdict === 'bad')) return 'red';
  if (judged.some((one) => one.verdict === 'running') || STATUS_RUNNING.has(rollup.state)) return 'running';
  const isAll = rollup.contexts.totalCount <= rollup.contexts.nodes.length;
  if (isAll) return judged.length === 0 ? 'none' : 'green';
  return rollup.state === 'SUCCESS' ? 'green' : 'red';
}

function judge(context: Context): Judged {
  return context.__typename === 'CheckRun' ? judgeRun(context) : judgeStatus(context);
}

function judgeStatus({ context, state, targetUrl, description }: StatusContext): Judged {
  const verdict = state === 'SUCCESS' ? 'good' : STATUS_RUNNING.has(state) ? 'running' : 'bad';
  const failing = { name: name(context), url: webAddress(targetUrl), text: line(description) };
  return { key: `status ${context}`, order: 0, verdict, failing };
}

function judgeRun(run: CheckRun): Judged {
  const verdict = run.status !== 'COMPLETED' ? 'running' : GOOD.has(run.conclusion ?? '') ? 'good' : 'bad';
  const texts = [run.title, run.summary].filter((text) => text !== null && text !== undefined && text !== '');
  return {
    key: `run ${sourceOf(run)}/${run.name}`,
    order: run.databaseId ?? 0,
    verdict,
    failing: {
      name: name(run.name),
      url: webAddress(run.detailsUrl),
      text: body(texts.join('\n')),
      ...(FOR_PEOPLE.has(run.conclusion ?? '') ? { isForPeople: true } : {}),
    },
  };
}

/** Two programs may have checks of one name. */
const sourceOf = ({ checkSuite }: CheckRun): string =>
  `${checkSuite?.app?.slug ?? ''}/${checkSuite?.workflowRun?.workflow.name ?? ''}`;

/** What the list of pull requests says of one; checks and reviews are not in it, and unknown. */
export function factsOfRest(pull: RestPull): PullRequest {
  const state: PullRequestState = pull.state === 'open' ? 'open' : pull.merged_at === null ? 'closed' : 'merged';
  return {
    number: pull.number,
    url: webAddress(pull.html_url) ?? '',
    state,
    isDraft: pull.draft ?? false,
    branch: pull.head.repo?.full_name === pull.base.repo.full_name ? pull.head.ref : null,
    base: pull.base.ref,
    headSha: pull.head.sha,
    mergeSha: state === 'merged' ? pull.merge_commit_sha : null,
    mergeable: 'unknown',
    checks: { state: 'unknown', failing: [] },
    approvals: 0,
    changesRequested: [],
    threads: [],
    inQueue: false,
    tag: '',
  };
}
