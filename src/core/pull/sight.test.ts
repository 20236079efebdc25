import { describe, expect, it } from 'vitest';
import { sight } from '../../../test/support/pull-table.ts';
import { commit } from '../../../test/support/rig-view-builder.ts';
import { isSameSight, sightText } from './sight.ts';

const thread = { id: 't', path: null, line: null, by: 'ann', body: 'x', last: null };

describe('a look', () => {
  it('brings news when anything but the tag of the host is new: that is its own business', () => {
    expect(isSameSight(sight(), sight({ tag: 'another' }))).toBe(true);
    expect(isSameSight(sight(), sight({ approvals: 2 }))).toBe(false);
    expect(isSameSight(sight({ threads: [thread] }), sight({ threads: [{ ...thread, body: 'y' }] }))).toBe(false);
  });

  it('is news when it is the first', () => {
    expect(isSameSight(sight(), null)).toBe(false);
  });
});

describe('what the journal says of a look', () => {
  it('is one line of what counts, and nothing of what is usual', () => {
    expect(sightText(sight({ headSha: 'abcdef0123456789', approvals: 2 }))).toBe(
      '#7 at abcdef012345: open, checks green, 2 approved',
    );
  });

  it.each([
    [{ isDraft: true }, 'draft, checks green, 1 approved'],
    [{ state: 'closed' }, 'closed, checks green, 1 approved'],
    [{ checks: { state: 'red', failing: [] } }, 'open, checks red, 1 approved'],
    [{ changesRequested: [{ id: 'r1', by: 'ann', body: 'no' }] }, 'open, checks green, 1 approved, changes requested'],
    [{ threads: [thread, thread] }, 'open, checks green, 1 approved, 2 open threads'],
    [{ mergeable: 'behind' }, 'open, checks green, 1 approved, mergeable behind'],
    [{ inQueue: true }, 'open, checks green, 1 approved, in the queue'],
    [{ state: 'merged', mergeSha: 'fff' }, 'merged, checks green, 1 approved, as fff'],
  ] as const)('names what is unusual: %o', (over, text) => {
    expect(sightText(sight(over))).toBe(`#7 at ${commit(10).slice(0, 12)}: ${text}`);
  });

  it('says that the branch is gone', () => {
    expect(sightText(sight({ headSha: null }))).toBe('#7 at no branch: open, checks green, 1 approved');
  });
});
