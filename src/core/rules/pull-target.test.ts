import { describe, expect, it } from 'vitest';
import { decided, GATE, pullView, UNOPENED, type PullWorld } from '../../../test/support/pull-table.ts';
import { beadId, commit, NOW } from '../../../test/support/rig-view-builder.ts';
import type { JobResult } from '../facts.ts';
import { pullRequest } from './pull-request.ts';

const GREEN: JobResult = { result: 'gates', green: true, runs: [] };
const RED: JobResult = {
  result: 'gates',
  green: false,
  runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: '2 failed' }],
};
/** Its gates ran on candidate c20, made on target c1. */
const tested = (result: JobResult, over: Partial<PullWorld> = {}): string =>
  decided({
    step: 'testing',
    gates: [GATE],
    result,
    ...over,
    review: { candidateSha: commit(20), targetSha: commit(1), testedTree: 'tree', ...over.review },
  });
const OF_TARGET = { review: { suspect: 'pull:target' } } as const;
const RED_TRAIN = { train: { state: 'red', reason: 'gate test is red', escalated: true } } as const;

describe('a target that fails the gates of the rig by itself', () => {
  it('is told once, however much waits for it', () => {
    expect(tested(RED, OF_TARGET)).toContain('tell a person | causeKey train:main');
    expect(tested(RED, { ...OF_TARGET, ...RED_TRAIN })).not.toContain('tell a person');
  });

  it('changes nothing of a train that a person has paused', () => {
    expect(tested(RED, { ...OF_TARGET, train: { state: 'paused', reason: 'freeze' } })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: the target itself is red; nobody is blamed
      step of api-merge: testing -> queued | job null, heldReason main itself is red (gate test); nobody's work is blamed, suspect null, pull {retryAtMs +5min}
      bead api-merge: in_progress -> open"
    `);
  });

  it('is mended as soon as something passes on it', () => {
    const goesOn = [
      'train_state | target main, state running, reason null, redTree null, retryAtMs null',
      'resolve_escalation | causeKey train:main, bead null',
    ].join('\n');
    expect(tested(GREEN, RED_TRAIN)).toContain(goesOn);
    expect(tested(GREEN, { ...OF_TARGET, ...RED_TRAIN })).toContain(goesOn);
  });

  it('that is not known as red is not said to be mended', () => {
    for (const state of ['running', 'paused'] as const) {
      expect(tested(GREEN, { train: { state } })).not.toContain('train_state');
      expect(tested(GREEN, { ...OF_TARGET, train: { state } })).not.toContain('train_state');
    }
  });
});

describe('a branch that is gone before its pull request is opened', () => {
  const invalid = { state: 'refused', code: 'invalid', error: 'head is invalid' } as const;

  it('is made again at its head, and only where there is none', () => {
    const view = pullView({ step: 'opening', pull: UNOPENED, said: invalid });
    const [decision] = pullRequest(view, beadId('merge'), NOW).decisions;
    expect(decision?.actions[0]).toMatchObject({
      job: {
        kind: 'promote',
        repo: { rig: 'api', targetBranch: 'main' },
        branch: 'gt/api-task1',
        head: commit(10),
        expectedOld: null,
      },
    });
  });

  it.each<JobResult>([
    { result: 'promoted', head: commit(10) },
    { result: 'branch_moved', actual: commit(11) },
  ])('is asked for at its forge once git has answered: %j', (result) => {
    expect(decided({ step: 'checking', pull: UNOPENED, result })).toMatchInlineSnapshot(`
      "pull-request bead:api-merge: its branch is there; its pull request is opened or found
      step of api-merge: checking -> opening | job null, forge {kind open, key open:api-merge:3}, deadlineAtMs +2min"
    `);
  });
});
