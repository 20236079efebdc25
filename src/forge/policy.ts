/** What holds at every host: which pull request is the branch's, and when none may be merged. */
import type { PullEnd, PullRequest } from '../core/model/pull-request.ts';
import type { ClosePullRequest, MergePullRequest, OpenPullRequest, PullClosed } from '../ports/forge.ts';
import { refused, type NoAnswer } from './answer.ts';

/**
 * The number of the one that is there already; null: none. `ofBranch` has the youngest first. An open one is the branch's
 * however old it is: people reopen what was over, and the host makes no second beside it. Throws `NoAnswer` when the
 * branch has an open one for another base: somebody changed it, or wants something else with this branch.
 */
export function adoptable(ofBranch: readonly PullRequest[], request: OpenPullRequest): number | null {
  const open = ofBranch.filter((one) => one.state === 'open');
  const ours = open.find((one) => one.base === request.base);
  if (ours !== undefined) return ours.number;
  if (open[0] !== undefined)
    throw refused(
      'wrong_base',
      `pull request ${String(open[0].number)} of this branch is for ${open[0].base} and not for ${request.base}`,
    );
  const over = ofBranch.find(
    (one) => one.number > (request.after ?? 0) && one.base === request.base && one.headSha === request.headSha,
  );
  return over?.number ?? null;
}

export const closedAs = (end: PullEnd, number: number, mergeSha: string | null = null): PullClosed => ({
  state: 'ok',
  end,
  number,
  mergeSha,
});
export const NO_PULL: PullClosed = { state: 'ok', end: 'none', number: null, mergeSha: null };

/** A project that was made anew counts from one again: what has the number there is somebody else's. */
export const otherBranch = ({ number, head }: ClosePullRequest): NoAnswer =>
  refused('not_found', `pull request ${String(number)} is not of ${head}`);

/** Pages of a hundred talks that are read at one look. */
export const TALK_PAGES_MAX = 20;

/** What is not read may be an objection: then nothing is known, and nothing is merged. */
export const tooManyTalks = (): NoAnswer =>
  refused(
    'invalid',
    `it has more than ${String(100 * TALK_PAGES_MAX)} talks, and those after them are not read: close it, and "gt mq retry" opens another`,
  );

/** Throws `NoAnswer` unless it is open, for that base and at that commit. */
export function refuseMerge(seen: PullRequest, request: MergePullRequest): void {
  if (seen.state === 'closed') throw refused('closed', 'it was closed without a merge');
  if (seen.base !== request.expectedBase)
    throw refused('wrong_base', `it is for ${seen.base} now and not for ${request.expectedBase}`);
  if (seen.headSha !== request.expectedHead)
    throw refused('head_moved', `its branch is at ${seen.headSha ?? 'no commit'} and not at ${request.expectedHead}`);
}
