import { expect, it } from 'vitest';
import { byNewest, type AttemptPlace } from './attempt-filter.ts';
import { trusted } from './ids.ts';

it('attempts are listed newest first, and of those that began together the one with the greater id', () => {
  const at = (id: string, startedAtMs: number): AttemptPlace => ({
    id: trusted.attempt(id),
    bead: trusted.bead('api-task1'),
    agent: trusted.agent('api/polecats/nux'),
    rig: trusted.rig('api'),
    startedAtMs,
  });
  const listed = [at('at-1', 10), at('at-9', 10), at('at-5', 10), at('at-0', 20), at('at-7', 5)];
  for (const rows of [listed, listed.toReversed()])
    expect(rows.toSorted(byNewest).map(({ id }) => id)).toEqual(['at-0', 'at-9', 'at-5', 'at-1', 'at-7']);
});
