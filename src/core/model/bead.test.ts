import { describe, expect, it } from 'vitest';
import { bead, NOW } from '../../../test/support/rig-view-builder.ts';
import { clearsDependents, hasOpenTarget, phaseOf, sourceOf, type Bead } from './bead.ts';
import { trusted } from './ids.ts';

describe('phaseOf', () => {
  it.each([
    ['closed', { status: 'closed' }],
    ['merged', { status: 'closed', closeReason: 'merged' }],
    ['integrated', { status: 'closed', closeReason: 'integrated' }],
    ['no_change', { status: 'closed', closeReason: 'no_change' }],
    ['cancelled', { status: 'closed', closeReason: 'cancelled' }],
    ['closed', { status: 'closed', closeReason: 'source_ended' }],
    ['failed', { status: 'failed' }],
    ['running', { status: 'in_progress', hold: 'held' }],
    ['in_review', { status: 'in_review' }],
    ['ready', {}],
    ['ready', { notBeforeMs: NOW }],
    ['backing_off', { notBeforeMs: NOW + 1 }],
    ['needs_human', { hold: 'needs_human', notBeforeMs: NOW + 1 }],
    ['needs_human', { hold: 'needs_human', openBlockers: 1 }],
    ['held', { hold: 'held' }],
    ['staged', { hold: 'staged' }],
    ['parked', { hold: 'parked' }],
    ['blocked', { openBlockers: 1, hold: 'staged' }],
    ['blocked_by_failure', { openBlockers: 1, failedBlockers: 1 }],
    ['blocked_by_failure', { failedBlockers: 1, hold: 'needs_human' }],
    ['queued', { type: 'merge_request' }],
    ['reworking', { type: 'merge_request', openBlockers: 1 }],
    ['reworking', { type: 'merge_request', openBlockers: 1, failedBlockers: 1 }],
    ['needs_human', { type: 'merge_request', openBlockers: 1, hold: 'needs_human' }],
    ['merging', { type: 'merge_request', status: 'in_progress' }],
  ] satisfies [string, Partial<Bead>][])('is %s for %j', (phase, over) => {
    expect(phaseOf(bead(over), NOW)).toBe(phase);
  });
});

describe('phaseOf with what is around it', () => {
  it('says that its merge request waits for a person, and that its agent asks', () => {
    const inReview = bead({ status: 'in_review' });
    expect(phaseOf(inReview, NOW, { mergeHold: 'needs_human', asks: false })).toBe('needs_human');
    expect(phaseOf(bead({ status: 'in_progress' }), NOW, { mergeHold: null, asks: true })).toBe('waiting');
  });
});

describe('a bead', () => {
  it('works on its own branch, or continues that of its source', () => {
    expect(sourceOf(bead())).toBe(bead().id);
    expect(sourceOf(bead({ branchOf: trusted.bead('api-00000') }))).toBe('api-00000');
  });

  it.each([
    ['nothing of it was begun', {}, true],
    ['it was begun on commits of its target', { baseSha: trusted.sha('1'.repeat(40)) }, false],
    ['it is part of a convoy', { convoyId: trusted.convoy('hq-cv-00000') }, false],
    ['it goes on with the branch of another', { branchOf: trusted.bead('api-00000') }, false],
  ] satisfies [string, Partial<Bead>, boolean][])('may be meant for another branch or not: %s', (_case, over, may) => {
    expect(hasOpenTarget(bead(over))).toBe(may);
  });

  it('clears those who wait only by a good end', () => {
    expect(clearsDependents(bead({ status: 'closed', closeReason: 'merged' }))).toBe(true);
    expect(clearsDependents(bead({ status: 'closed', closeReason: 'cancelled' }))).toBe(false);
    expect(clearsDependents(bead({ status: 'failed', closeReason: 'merged' }))).toBe(false);
    expect(clearsDependents(bead({ status: 'in_review', closeReason: null }))).toBe(false);
    // A review is a word about work: whatever became of it, the work is as it was.
    expect(clearsDependents(bead({ kind: 'review', status: 'closed', closeReason: 'cancelled' }))).toBe(true);
  });
});
