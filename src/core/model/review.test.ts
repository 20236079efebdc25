import { expect, it } from 'vitest';
import { commit } from '../../../test/support/rig-view-builder.ts';
import { MERGE_STEPS, mayHaveLanded } from './review.ts';

it('work may have landed while it is pushed, and while a push of it has no verdict', () => {
  const may = (candidateSha: ReturnType<typeof commit> | null) =>
    MERGE_STEPS.filter((step) => mayHaveLanded({ step, candidateSha, strategy: 'direct' }));
  expect(may(null)).toEqual(['pushing', 'accepting', 'confirming']);
  const pulls = MERGE_STEPS.filter((step) => mayHaveLanded({ step, candidateSha: commit(1), strategy: 'pr' }));
  expect(pulls).toEqual(['pushing', 'accepting', 'confirming']);
  expect(may(commit(1))).toEqual(['queued', 'preparing', 'pushing', 'accepting', 'confirming']);
});
