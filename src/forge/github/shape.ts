/** The parts of GitHub's answers that are read. Unknown words of an enumeration are kept as text: the host adds some. */
import { z } from 'zod';

const sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const count = z.number().int().positive();
const login = z.object({ login: z.string() }).nullable();

const comments = z.object({ nodes: z.array(z.object({ id: z.string(), body: z.string(), author: login })) });

const reviewThreads = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
  nodes: z.array(
    z.object({
      id: z.string(),
      isResolved: z.boolean(),
      path: z.string(),
      line: z.number().int().nullable(),
      originalLine: z.number().int().nullable(),
      first: comments,
      last: comments,
    }),
  ),
});

const context = z.discriminatedUnion('__typename', [
  z.object({
    __typename: z.literal('CheckRun'),
    databaseId: z.number().nullish(),
    name: z.string(),
    status: z.string(),
    conclusion: z.string().nullable(),
    detailsUrl: z.string().nullish(),
    title: z.string().nullish(),
    summary: z.string().nullish(),
    checkSuite: z
      .object({
        app: z.object({ slug: z.string() }).nullish(),
        workflowRun: z.object({ workflow: z.object({ name: z.string() }) }).nullish(),
      })
      .nullish(),
  }),
  z.object({
    __typename: z.literal('StatusContext'),
    context: z.string(),
    state: z.string(),
    targetUrl: z.string().nullish(),
    description: z.string().nullish(),
  }),
]);
export type Context = z.infer<typeof context>;
export type CheckRun = Extract<Context, { readonly __typename: 'CheckRun' }>;
export type StatusContext = Extract<Context, { readonly __typename: 'StatusContext' }>;

const rollup = z.object({
  state: z.string(),
  contexts: z.object({ totalCount: z.number().int(), nodes: z.array(context) }),
});
export type Rollup = z.infer<typeof rollup>;

const picture = z.object({
  id: z.string(),
  number: count,
  url: z.string(),
  state: z.enum(['OPEN', 'CLOSED', 'MERGED']),
  isDraft: z.boolean(),
  baseRefName: z.string(),
  headRefName: z.string(),
  isCrossRepository: z.boolean(),
  headRefOid: sha,
  headRef: z.object({ target: z.object({ oid: sha }).nullable() }).nullable(),
  mergeCommit: z.object({ oid: sha }).nullable(),
  mergeable: z.string(),
  mergeStateStatus: z.string(),
  isInMergeQueue: z.boolean(),
  isMergeQueueEnabled: z.boolean(),
  updatedAt: z.string(),
  latestOpinionatedReviews: z
    .object({ nodes: z.array(z.object({ id: z.string(), state: z.string(), body: z.string(), author: login })) })
    .nullable(),
  reviewThreads,
  commits: z.object({
    nodes: z.array(z.object({ commit: z.object({ oid: sha, statusCheckRollup: rollup.nullable() }) })),
  }),
});
export type Picture = z.infer<typeof picture>;
export type Thread = z.infer<typeof reviewThreads>['nodes'][number];

const inRepository = <T extends z.ZodType>(pullRequest: T) => z.object({ repository: z.object({ pullRequest }) });

export const pictureAnswer = inRepository(picture);
export const threadsAnswer = inRepository(z.object({ reviewThreads }));

export const commentsAnswer = inRepository(
  z.object({ comments: z.object({ nodes: z.array(z.object({ body: z.string() })) }) }),
);

export const restPull = z.object({
  number: count,
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
  merged_at: z.string().nullable(),
  merge_commit_sha: z.string().nullable(),
  updated_at: z.string(),
  base: z.object({ ref: z.string(), repo: z.object({ full_name: z.string() }) }),
  head: z.object({ ref: z.string(), sha, repo: z.object({ full_name: z.string() }).nullable() }),
});
export type RestPull = z.infer<typeof restPull>;
export const restPulls = z.array(restPull);
export const restMerged = z.object({ merged: z.boolean(), sha });
