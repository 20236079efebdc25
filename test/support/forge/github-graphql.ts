/** GitHub's GraphQL before a fake forge, executed against its public schema: a field that it has not is an error here too. */
import { schema as published } from '@octokit/graphql-schema';
import { buildSchema, graphql, GraphQLError, type GraphQLSchema } from 'graphql';
import {
  type CheckState,
  type FakeCheck,
  type FakeForge,
  type FakePull,
  type FakeThread,
  Refused,
} from './fake-forge.ts';
import type { Answer } from './faults.ts';
import { detailsUrl, mergeState, updatedAt, webUrl } from './github-words.ts';
import { FAKE_PROJECT } from './wire.ts';

let built: GraphQLSchema | null = null;
/** The public schema, without judging the schema itself. */
function githubSchema(): GraphQLSchema {
  built ??= buildSchema(published.idl, { assumeValid: true, assumeValidSDL: true, noLocation: true });
  return built;
}

const CONCLUSIONS = {
  success: 'SUCCESS',
  failure: 'FAILURE',
  cancelled: 'CANCELLED',
  skipped: 'SKIPPED',
  running: null,
  manual: null,
} as const;
const STATES = {
  success: 'SUCCESS',
  skipped: 'SUCCESS',
  failure: 'FAILURE',
  cancelled: 'ERROR',
  running: 'PENDING',
  manual: 'PENDING',
} as const;

const contextOf = (check: FakeCheck): unknown =>
  check.kind === 'status'
    ? {
        __typename: 'StatusContext',
        context: check.name,
        state: STATES[check.state],
        targetUrl: detailsUrl(check),
        description: check.text,
      }
    : {
        __typename: 'CheckRun',
        databaseId: check.id,
        name: check.name,
        status: check.state === 'running' ? 'IN_PROGRESS' : 'COMPLETED',
        conclusion: CONCLUSIONS[check.state],
        detailsUrl: detailsUrl(check),
        title: check.text,
        summary: null,
        checkSuite: { app: { slug: 'ci' }, workflowRun: null },
      };

const WORST: readonly CheckState[] = ['failure', 'cancelled', 'running'];
function rollupOf(checks: readonly FakeCheck[]): unknown {
  if (checks.length === 0) return null;
  const worst = WORST.find((state) => checks.some((check) => check.state === state)) ?? 'success';
  return { state: STATES[worst], contexts: { totalCount: checks.length, nodes: checks.slice(0, 100).map(contextOf) } };
}

const commentsOf =
  (thread: FakeThread) =>
  ({ first, last }: { first?: number | null; last?: number | null }): unknown => {
    const all = [{ id: thread.id, by: thread.by, body: thread.body }, ...thread.replies];
    const nodes = last === undefined || last === null ? all.slice(0, first ?? 0) : all.slice(-last);
    return {
      nodes: nodes.map(({ id, by, body }) => ({
        id: `PRRC_${String(id)}`,
        body,
        author: { __typename: 'User', login: by },
      })),
    };
  };

const threadsOf =
  (pull: FakePull) =>
  ({ first, after }: { first: number; after?: string | null }): unknown => {
    const from = Number(after ?? 0);
    const to = from + first;
    return {
      pageInfo: { hasNextPage: to < pull.threads.length, endCursor: String(to) },
      nodes: pull.threads.slice(from, to).map((thread) => ({
        id: thread.id,
        isResolved: thread.isResolved,
        path: thread.path,
        line: thread.line,
        originalLine: thread.line,
        comments: commentsOf(thread),
      })),
    };
  };

/** One pull request as the schema has it. */
export function pictureOf(forge: FakeForge, pull: FakePull): Record<string, unknown> {
  const state = mergeState(forge, pull);
  const opinions = forge.opinions(pull);
  return {
    id: `PR_${String(pull.number)}`,
    number: pull.number,
    url: webUrl(pull),
    state: { open: 'OPEN', closed: 'CLOSED', merged: 'MERGED' }[pull.state],
    isDraft: pull.isDraft,
    baseRefName: pull.base,
    headRefName: pull.head,
    isCrossRepository: pull.isFork,
    headRefOid: pull.headSha,
    headRef: pull.isBranchGone ? null : { target: { __typename: 'Commit', oid: pull.tip } },
    mergeCommit: pull.mergeSha === null ? null : { oid: pull.mergeSha },
    mergeable: state === 'UNKNOWN' ? 'UNKNOWN' : state === 'DIRTY' ? 'CONFLICTING' : 'MERGEABLE',
    mergeStateStatus: state,
    isInMergeQueue: pull.inQueue,
    isMergeQueueEnabled: forge.rules.hasQueue,
    updatedAt: updatedAt(pull),
    latestOpinionatedReviews: ({ writersOnly }: { writersOnly: boolean }) => ({
      nodes: opinions
        .filter((review) => !writersOnly || !review.isOutsider)
        .map((review) => ({
          id: `PRR_${String(review.id)}`,
          state: review.state.toUpperCase(),
          body: review.body,
          author: { __typename: 'User', login: review.by },
        })),
    }),
    reviewThreads: threadsOf({ ...pull, threads: pull.threads.map((thread) => ({ ...thread })) }),
    comments: ({ last }: { last: number }) => ({ nodes: pull.comments.slice(-last).map((body) => ({ body })) }),
    commits: { nodes: [{ commit: { oid: pull.headSha, statusCheckRollup: rollupOf(forge.checksOf(pull.headSha)) } }] },
  };
}

const fail = (type: string, message: string): GraphQLError => new GraphQLError(message, { extensions: { type } });

export async function answerGraphql(forge: FakeForge, asked: unknown): Promise<Answer> {
  const { query, variables } = asked as { query: string; variables: Record<string, unknown> };
  const rootValue = {
    repository: ({ owner, name }: { owner: string; name: string }) => {
      if (`${owner}/${name}` !== FAKE_PROJECT) throw fail('NOT_FOUND', 'Could not resolve to a Repository.');
      return {
        pullRequest: ({ number }: { number: number }) => {
          const pull = forge.pulls.find((one) => one.number === number);
          if (pull === undefined) throw fail('NOT_FOUND', 'Could not resolve to a PullRequest.');
          return forge.shownOlder.get(number) ?? pictureOf(forge, pull);
        },
      };
    },
    enqueuePullRequest: ({ input }: { input: { pullRequestId: string; expectedHeadOid: string } }) => {
      try {
        forge.enqueue(Number(input.pullRequestId.slice(3)), input.expectedHeadOid);
      } catch (error) {
        throw error instanceof Refused ? fail('UNPROCESSABLE', error.message) : error;
      }
      return { mergeQueueEntry: { id: 'MQE_1' } };
    },
  };
  const result = await graphql({ schema: githubSchema(), source: query, rootValue, variableValues: variables });
  // GitHub has the kind of an error beside its message.
  const errors = result.errors?.map((error) => ({
    type: error.extensions['type'],
    message: error.message,
    path: error.path,
  }));
  return { status: 200, body: { data: result.data ?? null, ...(errors === undefined ? {} : { errors }) } };
}
