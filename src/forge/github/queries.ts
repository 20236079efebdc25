/** What was said last: whether the town said something there already. */
export const LAST_COMMENTS = `
  query ($owner: String!, $name: String!, $number: Int!) {
    repository(owner: $owner, name: $name) {
      pullRequest(number: $number) { comments(last: 100) { nodes { body } } }
    }
  }`;

/** All that is judged of a pull request, in one picture. Approvals count from people with the right to write. */
export const PULL_REQUEST = `
  query ($owner: String!, $name: String!, $number: Int!) {
    repository(owner: $owner, name: $name) {
      pullRequest(number: $number) {
        id
        number
        url
        state
        isDraft
        baseRefName
        headRefName
        isCrossRepository
        headRefOid
        headRef { target { oid } }
        mergeCommit { oid }
        mergeable
        mergeStateStatus
        isInMergeQueue
        isMergeQueueEnabled
        updatedAt
        latestOpinionatedReviews(first: 100, writersOnly: true) {
          nodes { id state body author { login } }
        }
        reviewThreads(first: 100) {
          pageInfo { hasNextPage endCursor }
          nodes { id isResolved path line originalLine first: comments(first: 1) { nodes { id body author { login } } }
            last: comments(last: 1) { nodes { id body author { login } } }
          }
        }
        commits(last: 1) {
          nodes {
            commit {
              oid
              statusCheckRollup {
                state
                contexts(first: 100) {
                  totalCount
                  nodes {
                    __typename
                    ... on CheckRun {
                      databaseId
                      name
                      status
                      conclusion
                      detailsUrl
                      title
                      summary
                      checkSuite { app { slug } workflowRun { workflow { name } } }
                    }
                    ... on StatusContext { context state targetUrl description }
                  }
                }
              }
            }
          }
        }
      }
    }
  }`;

/** Threads beyond the first page. */
export const MORE_THREADS = `
  query ($owner: String!, $name: String!, $number: Int!, $after: String) {
    repository(owner: $owner, name: $name) {
      pullRequest(number: $number) {
        reviewThreads(first: 100, after: $after) {
          pageInfo { hasNextPage endCursor }
          nodes { id isResolved path line originalLine first: comments(first: 1) { nodes { id body author { login } } }
            last: comments(last: 1) { nodes { id body author { login } } }
          }
        }
      }
    }
  }`;

export const ENQUEUE = `
  mutation ($id: ID!, $head: GitObjectID!) {
    enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $head }) {
      mergeQueueEntry { id }
    }
  }`;
