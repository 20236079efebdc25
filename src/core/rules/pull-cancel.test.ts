import { describe, expect, it } from 'vitest';
import { PULL_ASK_SETTLE_MS } from '../limits.ts';
import { decided, GATE, UNOPENED, type PullWorld } from '../../../test/support/pull-table.ts';
import { bead, beadId, commit, NOW } from '../../../test/support/rig-view-builder.ts';
import { freshFromMs } from './pull-cancel.ts';

const CANDIDATE = { result: 'candidate', candidate: commit(20), tree: 'tree', targetSha: commit(1) } as const;
const CANCELLED = 'bead api-task1: in_review -> closed | closeReason cancelled, evidence {note not wanted';

/** Somebody cancelled it a second ago. */
const cancelled = (of: Partial<PullWorld> = {}): string =>
  decided({
    step: 'proposed',
    ...of,
    source: { cancelRequestedAtMs: NOW - 1_000, ...of.source },
    pull: { cancel: { note: 'not wanted' }, ...of.pull },
  });
const looked = { lookedAtMs: NOW - 999 };

describe('a cancel of what has a pull request', () => {
  it.each(['queued', 'reworking', 'checking', 'testing', 'proposed'] as const)(
    'waits in the step %s for a look that began after it, whatever else could be done',
    (step) => {
      const all = { step, result: CANDIDATE, pull: { lookedAtMs: NOW - 1_000 } };
      expect(cancelled(all)).toBe('nothing');
      expect(cancelled({ ...all, pull: looked })).toBe(
        `pull-request bead:api-merge: its cancel is carried out: pull request #7 is open\n${CANCELLED}}`,
      );
    },
  );

  it('is carried out by a look that finds it closed, and says why as it was said', () => {
    expect(cancelled({ seen: { state: 'closed' }, pull: looked })).toContain(`${CANCELLED}}`);
  });

  it('asks git when the look finds it merged', () => {
    const seen = { state: 'merged', mergeSha: commit(30) } as const;
    expect(cancelled({ seen, pull: looked })).toContain('proposed -> confirming');
    expect(cancelled({ seen, step: 'reworking', pull: looked })).toContain('reworking -> confirming');
    expect(cancelled({ seen, step: 'checking', pull: looked, result: CANDIDATE })).toContain('checking -> proposed');
  });

  it('leaves the gates that run to their end before git is asked: one job at a time', () => {
    const seen = { state: 'merged', mergeSha: commit(30) } as const;
    const testing = { seen, step: 'testing', pull: looked, gates: [GATE] } as const;
    expect(cancelled(testing)).toBe('nothing');
    const green = { result: 'gates', green: true, runs: [] } as const;
    expect(cancelled({ ...testing, result: green })).toContain('testing -> proposed');
  });

  it('of a head that the target has already is merged', () => {
    const result = { result: 'already_merged', targetSha: commit(40), mergeSha: commit(30) } as const;
    expect(cancelled({ step: 'checking', result, pull: looked })).toContain('closeReason merged');
  });

  it('waits longer when the forge was asked to merge: the call may still arrive there', () => {
    const askedAtMs = NOW - PULL_ASK_SETTLE_MS;
    expect(cancelled({ pull: { askedAtMs, lookedAtMs: NOW - 1 } })).toBe('nothing');
    expect(cancelled({ pull: { askedAtMs, lookedAtMs: NOW } })).toContain(CANCELLED);
  });

  it('of what no forge was asked to merge needs only a look that began after it', () => {
    expect(freshFromMs(1_000, { askedAtMs: null })).toBe(1_001);
  });

  it('is not held up by a forge that does not answer, unless that may have merged it', () => {
    const silent = { silentSinceMs: NOW - 500, lookedAtMs: null };
    expect(cancelled({ pull: silent })).toContain(CANCELLED);
    expect(cancelled({ pull: { ...silent, askedAtMs: NOW - 3_600_000 } })).toBe('nothing');
    expect(cancelled({ pull: { ...silent, askedAtMs: NOW - 3_600_000, lookedAtMs: NOW - 2_000 } })).toContain(
      CANCELLED,
    );
    // A look shows what came of the question from the moment on at which the call can't arrive any more.
    const settled = { ...silent, askedAtMs: NOW - 3_600_000, lookedAtMs: NOW - 3_600_000 + PULL_ASK_SETTLE_MS };
    expect(cancelled({ pull: settled })).toContain(CANCELLED);
    expect(cancelled({ pull: { ...settled, lookedAtMs: settled.lookedAtMs - 1 } })).toBe('nothing');
    expect(cancelled({ pull: silent, seen: { inQueue: true } })).not.toContain(CANCELLED);
  });

  it('in the queue of the forge is for people, who are told once', () => {
    expect(cancelled({ seen: { inQueue: true }, pull: looked })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: pull request #7 is cancelled here, and in the queue of its forge: close it there, or it is merged
      note on api-merge | waitsFor people, waitReason pull request #7 is cancelled here, and in the queue of its forge: close it there, or it is merged, waitSinceMs now
      tell a person | causeKey bead:api-merge, severity medium, category merge, subject bead:api-task1
        api-task1: pull request #7 is cancelled here, and in the queue of its forge: close it there, or it is merged."
    `);
    const waitReason =
      'pull request #7 is cancelled here, and in the queue of its forge: close it there, or it is merged';
    expect(cancelled({ seen: { inQueue: true }, pull: { ...looked, waitReason } })).toBe('nothing');
  });

  it('says by which of these it was decided', () => {
    const first = (of: Partial<PullWorld>): string =>
      (cancelled(of).split('\n')[0] ?? '').split(': ').slice(1).join(': ');
    expect(first({ step: 'queued', pull: UNOPENED })).toBe('its cancel is carried out: it has no pull request');
    expect(first({ seen: null })).toBe('its cancel is carried out: it has no pull request');
    const merged = { state: 'merged', mergeSha: commit(30) } as const;
    expect(first({ seen: merged })).toBe('pull request #7 was merged before its cancel; git is asked');
    expect(first({ pull: { silentSinceMs: NOW - 500, lookedAtMs: null } })).toBe(
      'its cancel is carried out: its forge does not answer, and nobody asked it to merge this',
    );
    const refused = { lookError: 'no', retryAtMs: NOW };
    expect(first({ pull: refused })).toBe('its forge refuses to show what was cancelled; git is asked');
    expect(first({ step: 'reworking', pull: refused })).toBe('its rework was ended with its cancel');
    expect(first({ step: 'checking', result: CANDIDATE, pull: refused })).toBe(
      'its cancel is carried out: git does not find it in the target',
    );
    expect(first({ forge: null, pull: { retryAtMs: NOW } })).toBe(
      'its forge refuses to show what was cancelled; git is asked',
    );
  });

  it('without a word of a person is noted as one', () => {
    expect(cancelled({ step: 'queued', pull: { ...UNOPENED, cancel: null } })).toContain('evidence {note cancelled');
    expect(cancelled({ step: 'queued', pull: { ...UNOPENED, cancel: { note: '' } } })).toContain('evidence {note }');
  });

  it('ends rework at once: an agent would work for nothing', () => {
    const open = { ...bead({ status: 'open' }), id: beadId('rework1'), branchOf: beadId('task1') };
    const of = { step: 'reworking', world: { beads: [open] }, bead: { openBlockers: 1 } } as const;
    expect(cancelled(of)).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its source is being cancelled
      bead api-rework1: open -> closed | closeReason source_ended"
    `);
  });

  it('without a pull request is carried out', () => {
    expect(cancelled({ step: 'queued', pull: UNOPENED })).toContain(CANCELLED);
  });
});

describe('a cancel of what its forge refuses to show', () => {
  const refused = { lookError: 'the token is not accepted', retryAtMs: NOW };

  it('is for git', () => {
    expect(cancelled({ pull: refused })).toContain('proposed -> checking');
    expect(cancelled({ step: 'reworking', pull: refused })).toContain(
      'step of api-merge: reworking -> queued | job null',
    );
    expect(cancelled({ step: 'queued', pull: refused })).toContain('queued -> checking');
    // Gates that run end first.
    expect(cancelled({ step: 'testing', pull: refused })).toBe('nothing');
  });

  it('waits for what it was to be asked again for', () => {
    expect(cancelled({ pull: { ...refused, retryAtMs: NOW + 60_000 } })).toBe('looks again +1min');
    expect(cancelled({ step: 'checking', pull: refused })).toBe('nothing');
  });

  it('is carried out, with what was not seen, when git does not find it', () => {
    expect(cancelled({ step: 'checking', result: CANDIDATE, pull: refused })).toContain(
      `${CANCELLED}; its forge refused to show pull request #7 (the token is not accepted), and git did not find it in main}`,
    );
  });

  it('is carried out where the rig has no forge any more, and says so', () => {
    expect(cancelled({ step: 'checking', result: CANDIDATE, forge: null })).toContain(
      `${CANCELLED}; its forge refused to show pull request #7 (no forge is set up), and git did not find it in main}`,
    );
  });

  it('keeps who cancelled beside what was found', () => {
    const cancel = { note: 'not wanted', by: 'human/ann' };
    expect(cancelled({ step: 'checking', result: CANDIDATE, pull: { ...refused, cancel } })).toContain(
      'did not find it in main, by human/ann}',
    );
  });

  it('says only what was found where nobody gave a reason', () => {
    expect(cancelled({ step: 'checking', result: CANDIDATE, pull: { ...refused, cancel: { note: '' } } })).toContain(
      'evidence {note its forge refused to show pull request #7',
    );
  });
});
