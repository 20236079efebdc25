/** Whether anything rang since the last look: conditional requests, which cost nothing of the rate when nothing is new. */
import { z } from 'zod';
import { PULL_POLL_MAX_MS } from '../../core/limits.ts';
import { read } from '../host-call.ts';
import type { GithubApi } from './api.ts';
import { restPull, type RestPull } from './shape.ts';

/**
 * What no ETag shows (a talk that is opened again) is seen after this time at the latest; a look before a merge sees it at
 * once. Longer than the slowest rhythm of looks, so that most of them cost nothing.
 */
const TAG_LIFE_MS = 4 * PULL_POLL_MAX_MS;

const tagShape = z.object({
  /** When the picture was taken. */
  at: z.number(),
  head: z.string(),
  pull: z.string(),
  runs: z.string(),
  status: z.string(),
  reviews: z.string(),
});
type Tag = z.infer<typeof tagShape>;
const NO_TAG: Tag = { at: 0, head: '', pull: '', runs: '', status: '', reviews: '' };

/** What the bell says; `pull` is null when that part did not change. */
export interface Rung {
  readonly isSilent: boolean;
  readonly pull: RestPull | null;
  readonly tag: Tag;
}

/** A tag of somebody else, or of another program, is none. */
export function readTag(text: string | null): Tag {
  if (text === null) return NO_TAG;
  try {
    return tagShape.safeParse(JSON.parse(text)).data ?? NO_TAG;
  } catch {
    return NO_TAG;
  }
}

export async function ring(api: GithubApi, number: number, tag: Tag, nowMs: number): Promise<Rung> {
  const pull = await api.rest('GET /pulls/{number}', { number }, tag.pull);
  const body = pull.data === undefined ? null : read(restPull, pull.data, 'the pull request');
  const head = body?.head.sha ?? tag.head;
  const isSame = head === tag.head;
  const [runs, status, reviews] = await Promise.all([
    api.rest('GET /commits/{head}/check-runs', { head, per_page: 100 }, isSame ? tag.runs : ''),
    api.rest('GET /commits/{head}/status', { head, per_page: 100 }, isSame ? tag.status : ''),
    api.rest('GET /pulls/{number}/reviews', { number, per_page: 100 }, tag.reviews),
  ]);
  const answers = [pull, runs, status, reviews];
  return {
    isSilent: answers.every((answer) => answer.data === undefined) && nowMs - tag.at < TAG_LIFE_MS,
    pull: body,
    tag: { at: nowMs, head, pull: pull.etag, runs: runs.etag, status: status.etag, reviews: reviews.etag },
  };
}
