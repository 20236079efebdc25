import type { PullRequest } from '../model/pull-request.ts';

/** True when nothing that matters is new; the tag is the host's own business. What was never seen is like nothing. */
export const isSameSight = (one: PullRequest, other: PullRequest | null): boolean =>
  JSON.stringify({ ...one, tag: '' }) === JSON.stringify({ ...other, tag: '' });

/** One line for the journal. */
export function sightText(seen: PullRequest): string {
  const facts = [
    seen.isDraft ? 'draft' : seen.state,
    `checks ${seen.checks.state}`,
    `${String(seen.approvals)} approved`,
    ...(seen.changesRequested.length === 0 ? [] : ['changes requested']),
    ...(seen.threads.length === 0 ? [] : [`${String(seen.threads.length)} open threads`]),
    ...(seen.mergeable === 'clean' ? [] : [`mergeable ${seen.mergeable}`]),
    ...(seen.inQueue ? ['in the queue'] : []),
    ...(seen.mergeSha === null ? [] : [`as ${seen.mergeSha}`]),
  ];
  return `#${String(seen.number)} at ${seen.headSha?.slice(0, 12) ?? 'no branch'}: ${facts.join(', ')}`;
}
