/** What both of GitHub's APIs say in the same words. */
import type { FakeCheck, FakeForge, FakePull } from './fake-forge.ts';
import { FAKE_PROJECT } from './wire.ts';

const START_MS = Date.UTC(2026, 0, 1);
export const updatedAt = (pull: FakePull): string => new Date(START_MS + pull.version * 1_000).toISOString();
export const webUrl = (pull: FakePull): string => `https://github.example/${FAKE_PROJECT}/pull/${String(pull.number)}`;
export const detailsUrl = (check: FakeCheck): string => `https://ci.example/${String(check.id)}`;

/** `UNKNOWN` until the host has judged; the words of GraphQL. */
export function mergeState(forge: FakeForge, pull: FakePull): 'UNKNOWN' | 'DIRTY' | 'DRAFT' | 'BLOCKED' | 'CLEAN' {
  if (pull.state !== 'open' || pull.unjudged > 0) return 'UNKNOWN';
  if (!forge.isClean(pull)) return 'DIRTY';
  if (pull.isDraft) return 'DRAFT';
  return forge.isBlocked(pull) ? 'BLOCKED' : 'CLEAN';
}
