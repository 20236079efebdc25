import { describe, expect, it } from 'vitest';
import { decided, UNOPENED, type PullWorld } from '../../../test/support/pull-table.ts';
import { commit, NOW } from '../../../test/support/rig-view-builder.ts';
import type { JobResult } from '../facts.ts';
import { siteKey, type ForgeSite } from '../model/pull-request.ts';

/** A rig whose settings name another forge than the one that has its pull request. */
const forge: ForgeSite = { kind: 'gitlab', apiUrl: 'https://new.test/api', project: 'acme/api', token: 'env:TOKEN' };
const BEFORE = siteKey({ ...forge, kind: 'github' });
const moved = (over: PullWorld): string => decided({ forge, ...over, pull: { site: BEFORE, ...over.pull } });

describe('the place of a pull request', () => {
  it('is its host and its project; the token may change', () => {
    expect(siteKey({ ...forge, token: 'env:OTHER' })).toBe(siteKey(forge));
    const others = [
      { ...forge, project: 'acme/web' },
      { ...forge, apiUrl: 'https://x.test' },
    ].map(siteKey);
    expect(new Set([siteKey(forge), BEFORE, ...others]).size).toBe(4);
  });
});

describe('a pull request whose rig has another forge by now', () => {
  it('is left alone there: its branch gets another one where the settings say', () => {
    expect(moved({ step: 'proposed' })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the rig's forge is another one now than that of pull request #7
      step of api-merge: proposed -> queued | job null, heldReason the rig's forge is another one now than that of pull request #7, pull {over null, number null, url null, site null, seen null, seenHead null, lookError null, silentSinceMs null, retryAtMs 0, asks 0, waitsFor null, waitReason null, readyAtMs null}
      bead api-merge: in_progress -> open"
    `);
    expect(moved({ step: 'proposed', bead: { escalated: true } })).toContain('resolve_escalation');
  });

  it('is forgotten in line and during rework too, without a step of its own', () => {
    expect(moved({ step: 'reworking' })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the rig's forge is another one now than that of pull request #7
      note on api-merge | over null, number null, url null, site null, seen null, seenHead null, lookError null, silentSinceMs null, retryAtMs 0, asks 0, waitsFor null, waitReason null, readyAtMs null"
    `);
    for (const step of ['queued', 'checking', 'testing'] as const)
      expect(moved({ step })).toContain('note on api-merge | over null, number null');
  });

  it('is followed first where an answer is under way', () => {
    expect(moved({ step: 'opening', pull: UNOPENED, review: { deadlineAtMs: NOW + 1 } })).toBe('looks again +1ms');
    expect(moved({ step: 'accepting', review: { deadlineAtMs: NOW + 1 } })).toBe('looks again +1ms');
    expect(moved({ step: 'confirming', review: { deadlineAtMs: NOW + 1 } })).toBe('looks again +1ms');
    expect(moved({ step: 'ended' })).toBe('nothing');
  });

  it('that was said to be merged is, when git finds it; else it is proposed at the new place', () => {
    const there: JobResult = { result: 'already_merged', targetSha: commit(31), mergeSha: commit(30) };
    expect(moved({ step: 'confirming', result: there })).toContain('confirming -> ended');
    const not: JobResult = { result: 'candidate', candidate: commit(20), tree: 'tree', targetSha: commit(1) };
    expect(moved({ step: 'confirming', result: not, seen: { state: 'merged' } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the rig's forge is another one now, and its target does not have it
      step of api-merge: confirming -> queued | job null, heldReason null, pull {over null, number null, url null, site null, seen null, seenHead null, lookError null, silentSinceMs null, retryAtMs 0, asks 0}
      bead api-merge: in_progress -> open"
    `);
    const source = { cancelRequestedAtMs: NOW - 1 };
    expect(moved({ step: 'confirming', result: not, source })).toContain('closeReason cancelled');
  });

  it('is where it was when the settings say the same, nothing, or its place was never noted', () => {
    const asks = 'proposed -> accepting';
    expect(decided({ step: 'proposed', forge, pull: { site: siteKey(forge) } })).toContain(asks);
    expect(decided({ step: 'proposed', forge, pull: { site: null } })).toContain(asks);
    expect(decided({ step: 'proposed', forge: null, pull: { site: BEFORE } })).toContain(asks);
  });
});

describe('what stands under the number of before', () => {
  it('is no merge of ours when it comes from another branch', () => {
    const seen = { state: 'merged', mergeSha: commit(30) } as const;
    expect(decided({ step: 'reworking', seen })).toContain('reworking -> confirming');
    expect(decided({ step: 'reworking', seen: { ...seen, branch: 'somebody' } })).toBe('nothing');
  });
});
