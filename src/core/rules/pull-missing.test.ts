import { describe, expect, it } from 'vitest';
import { decided, type PullWorld } from '../../../test/support/pull-table.ts';
import { bead, beadId, commit, NOW } from '../../../test/support/rig-view-builder.ts';
import type { JobResult } from '../facts.ts';
import { FORGE_SILENT_MAX_MS } from '../limits.ts';
import type { Proposal } from '../model/proposal.ts';

const NOT_THERE: JobResult = { result: 'candidate', candidate: commit(20), tree: 'tree', targetSha: commit(1) };
const NO_TARGET: JobResult = { result: 'refused', code: 'no_target', message: 'main is gone' };
const MERGED = { state: 'merged', mergeSha: commit(30) } as const;
const missing = (base: string): string =>
  `pull request #7 was merged into ${base} as 000000000000, and main does not have that: "gt mq retry api-task1" opens a new one, or "gt bead close api-task1" gives it up`;

/** Its forge says merged, and git did not find that in the target. */
const confirming = (over: Partial<PullWorld> = {}): string =>
  decided({ step: 'confirming', seen: MERGED, result: NOT_THERE, ...over });
const since = (waitReason: string, agoMs: number): Partial<Proposal> => ({
  waitReason,
  waitSinceMs: NOW - agoMs,
  retryAtMs: NOW,
});

describe('a merge that git does not find', () => {
  it('into another base is for people at once: it will not come by waiting', () => {
    expect(confirming({ seen: { ...MERGED, base: 'release' } })).toContain(`api-task1: ${missing('release')}.`);
  });

  it('stays with people as long as git does not find it, since when it was first looked for', () => {
    const again = confirming({ pull: since(missing('main'), FORGE_SILENT_MAX_MS + 60_000), bead: { escalated: true } });
    expect(again).toContain('confirming -> proposed');
    expect(again).toContain(`waitsFor people, waitReason ${missing('main')}, waitSinceMs -31min, retryAtMs +30min`);
    expect(again).not.toContain('tell a person');
  });

  it('because the target can not be looked at is told after half an hour as that, and looked for again', () => {
    const reason = `its forge says merged as ${MERGED.mergeSha}, and main can't be looked at: main is gone`;
    const refused = (agoMs: number): string => confirming({ result: NO_TARGET, pull: since(reason, agoMs) });
    expect(refused(FORGE_SILENT_MAX_MS - 1)).not.toContain('tell a person');
    const told = refused(FORGE_SILENT_MAX_MS);
    expect(told).toContain('confirming -> confirming');
    expect(told).toContain(`api-task1 is not called merged: ${reason.replace(commit(30), 'c30')}. Look at both.`);
  });
});

describe('a merge that git does not find while an agent reworks it', () => {
  const open = { ...bead({ status: 'in_progress' }), id: beadId('rework1'), branchOf: beadId('task1') };
  const reworked = (over: Partial<PullWorld> = {}): string => confirming({ world: { beads: [open] }, ...over });

  it.each<[string, Partial<PullWorld>]>([
    ['its forge takes that back', { seen: { state: 'open' } }],
    ['it was without the last commits', { pull: { seenHead: commit(9) } }],
    ['people are asked', { seen: { ...MERGED, base: 'release' } }],
  ])('goes back to that agent when %s: its work would find nothing to return to', (_why, over) => {
    expect(reworked(over)).toContain('step of api-merge: confirming -> reworking');
    expect(reworked(over)).toContain('bead api-merge: in_progress -> open');
  });
});

describe('a cancel that waited for a merge which git does not find', () => {
  it('is carried out, and says what was merged where', () => {
    const source = { cancelRequestedAtMs: NOW - 1 };
    const cancelled = confirming({
      seen: { ...MERGED, base: 'release' },
      source,
      pull: { cancel: { note: 'not wanted' } },
    });
    expect(cancelled).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its cancel is carried out
      step of api-merge: confirming -> proposed | job null, heldReason null, pull {waitsFor people, waitReason pull request #7 was merged into release as 000000000000, and main does not have that: "gt mq retry api-task1" opens a new one, or "gt bead close api-task1" gives it up, waitSinceMs now, retryAtMs +30min}
      bead api-task1: in_review -> closed | closeReason cancelled, evidence {note not wanted; pull request #7 was merged into release, and git did not find it in main}"
    `);
  });
});
