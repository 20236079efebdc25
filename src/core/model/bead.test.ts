import { describe, expect, it } from 'vitest';
import { bead, NOW } from '../../../test/support/rig-view-builder.ts';
import { clearsDependents, phaseOf, sourceOf, type Bead } from './bead.ts';
import { trusted } from './ids.ts';

describe('phaseOf', () => {
  it.each([
    ['closed', { status: 'closed' }],
    ['failed', { status: 'failed' }],
    ['running', { status: 'in_progress', hold: 'held' }],
    ['in_review', { status: 'in_review' }],
    ['ready', {}],
    ['ready', { notBeforeMs: NOW }],
    ['backing_off', { notBeforeMs: NOW + 1 }],
    ['held', { hold: 'needs_human', notBeforeMs: NOW + 1 }],
    ['blocked', { openBlockers: 1, hold: 'staged' }],
    ['blocked_by_failure', { openBlockers: 1, failedBlockers: 1 }],
  ] satisfies [string, Partial<Bead>][])('is %s for %j', (phase, over) => {
    expect(phaseOf(bead(over), NOW)).toBe(phase);
  });
});

describe('a bead', () => {
  it('works on its own branch, or continues that of its source', () => {
    expect(sourceOf(bead())).toBe(bead().id);
    expect(sourceOf(bead({ branchOf: trusted.bead('api-00000') }))).toBe('api-00000');
  });

  it('clears those who wait only by a good end', () => {
    expect(clearsDependents(bead({ status: 'closed', closeReason: 'merged' }))).toBe(true);
    expect(clearsDependents(bead({ status: 'closed', closeReason: 'cancelled' }))).toBe(false);
    expect(clearsDependents(bead({ status: 'failed', closeReason: 'merged' }))).toBe(false);
    expect(clearsDependents(bead({ status: 'in_review', closeReason: null }))).toBe(false);
  });
});
