import { describe, expect, it } from 'vitest';
import { decided, pullView, told, UNOPENED } from '../../../test/support/pull-table.ts';
import { beadId, NOW } from '../../../test/support/rig-view-builder.ts';
import {
  PULL_CLOSE_AGAIN_MS,
  PULL_CLOSE_ASKS_MAX,
  PULL_CLOSE_NOTE_CHARS_MAX,
  PULL_CLOSE_PATIENCE_MS,
} from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { Closing, Proposal } from '../model/proposal.ts';
import { pullRequest } from './pull-request.ts';

const CANCELLED: Partial<Bead> = {
  status: 'closed',
  closeReason: 'cancelled',
  evidence: { note: 'not needed', by: 'human/ann' },
};
const ended = (pull: Partial<Proposal> = {}, source: Partial<Bead> = CANCELLED): string =>
  decided({ step: 'ended', pull, source, bead: { status: 'closed', closeReason: 'source_ended' } });
const closing = (over: Partial<Closing>): Partial<Proposal> => ({
  closing: {
    state: 'asked',
    asks: 1,
    askedAtMs: NOW,
    number: 7,
    mergeSha: null,
    error: null,
    isTold: false,
    ...over,
  },
});

describe('the pull request of cancelled work', () => {
  it('is to be closed, with who and why', () => {
    expect(ended()).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its work was cancelled; its pull request is closed too
      close_pull | mergeRequest api-merge, asks 1, comment api-task1 was cancelled in its town by human/ann: not needed"
    `);
    expect(ended({}, { ...CANCELLED, evidence: null })).toContain('api-task1 was cancelled in its town.');
  });

  it('is to be closed with a comment that people read, however much was written of why', () => {
    const note = 'y'.repeat(PULL_CLOSE_NOTE_CHARS_MAX);
    const comment = ended({}, { ...CANCELLED, evidence: { note: `${note}z` } }).split('in its town: ')[1];
    expect(comment).toBe(note);
  });

  it('is looked for when it was asked for and no answer came, and not when it never was', () => {
    expect(ended({ ...UNOPENED, isOpenAsked: true })).toContain('close_pull');
    expect(ended(UNOPENED)).toBe('nothing');
  });

  it('stays as it is when its work was merged or failed: that may be tried again', () => {
    expect(ended({}, { status: 'closed', closeReason: 'merged' })).toBe('nothing');
    expect(ended({}, { status: 'failed', closeReason: 'merge_failed' })).toBe('nothing');
  });

  it('stays as it is when nobody knows its work any more', () => {
    const view = pullView({ step: 'ended', source: CANCELLED });
    expect(told(pullRequest({ ...view, bead: () => null }, beadId('merge'), NOW))).toBe('nothing');
  });

  it('is asked about until an answer comes, and after a day a person is asked', () => {
    expect(ended(closing({}))).toBe('looks again +1440min');
    expect(ended(closing({ askedAtMs: NOW - PULL_CLOSE_PATIENCE_MS }))).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: api-task1 was cancelled, and pull request #7 can't be closed: its forge has not answered for a day. Close it there; its branch is gt/api-task1.
      note on api-merge | closing {state refused, asks 1, askedAtMs -1440min, number 7, mergeSha null, error its forge has not answered for a day, isTold true}
      tell a person | causeKey pull:api-merge, severity medium, category merge, subject bead:api-task1
        api-task1 was cancelled, and pull request #7 can't be closed: its forge has not answered for a day. Close it there; its branch is gt/api-task1."
    `);
  });

  it('that is not there may come late: it is looked for again, not for ever', () => {
    const none = (over: Partial<Closing>): string =>
      ended({ ...UNOPENED, isOpenAsked: true, ...closing({ state: 'none', number: null, ...over }) });
    expect(none({})).toBe('looks again +1min');
    expect(none({ askedAtMs: NOW - PULL_CLOSE_AGAIN_MS })).toContain('asks 2');
    expect(none({ askedAtMs: 0, asks: PULL_CLOSE_ASKS_MAX })).toBe('nothing');
  });

  it('that was found by its branch may be a former one: the one that was asked for is looked for again, not for ever', () => {
    const found = (over: Partial<Closing>): string =>
      ended({ ...UNOPENED, isOpenAsked: true, ...closing({ askedAtMs: NOW - PULL_CLOSE_AGAIN_MS, ...over }) });
    expect(found({ state: 'closed', askedAtMs: NOW })).toBe('looks again +1min');
    for (const state of ['closed', 'left'] as const) {
      expect(found({ state })).toContain('asks 2');
      expect(found({ state, asks: PULL_CLOSE_ASKS_MAX })).toBe('nothing');
    }
    const former = { state: 'merged', mergeSha: 'a'.repeat(8) } as const;
    expect(found(former)).toContain('tell a person');
    expect(found({ ...former, isTold: true })).toContain('asks 2');
    expect(found({ ...former, asks: 2, toldMergeSha: former.mergeSha })).toContain('asks 3');
    expect(found({ ...former, asks: 2, toldMergeSha: 'b'.repeat(8) })).toContain('tell a person');
    expect(found({ ...former, mergeSha: null, toldMergeSha: null })).toContain('tell a person');
    expect(found({ ...former, asks: PULL_CLOSE_ASKS_MAX, isTold: true })).toBe('nothing');
    expect(found({ state: 'refused', isTold: true })).toBe('nothing');
  });

  it('that people merged, or that can not be closed, is told once', () => {
    expect(ended(closing({ state: 'merged', mergeSha: 'a'.repeat(8) }))).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: api-task1 was cancelled, and people merged pull request #7 all the same, as aaaaaaaa: its work is in main. If it should not be there, revert that commit there.
      note on api-merge | closing {state merged, asks 1, askedAtMs now, number 7, mergeSha aaaaaaaa, error null, isTold true}
      tell a person | causeKey pull:api-merge, severity medium, category merge, subject bead:api-task1
        api-task1 was cancelled, and people merged pull request #7 all the same, as aaaaaaaa: its work is in main. If it should not be there, revert that commit there."
    `);
    expect(ended(closing({ state: 'refused', error: 'the token may not.', number: null }))).toContain(
      "its pull request can't be closed: the token may not.",
    );
    expect(ended(closing({ state: 'refused' }))).toContain("pull request #7 can't be closed: it is refused. Close it");
    expect(ended(closing({ state: 'merged' }))).toContain('all the same, as an unknown commit: its work is in main.');
    expect(ended(closing({ state: 'merged', isTold: true }))).toBe('nothing');
    expect(ended(closing({ state: 'refused', isTold: true }))).toBe('nothing');
    expect(ended(closing({ state: 'closed' }))).toBe('nothing');
    expect(ended(closing({ state: 'left' }))).toBe('nothing');
  });
});
