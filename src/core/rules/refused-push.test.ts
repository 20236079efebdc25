import { describe, expect, it } from 'vitest';
import { bead, beadId, mergeRequest, NOW, review, rigView } from '../../../test/support/rig-view-builder.ts';
import type { Decision, RigAction } from '../actions.ts';
import { mergeStep } from './merge-step.ts';
import { PUSH_REFUSED } from './refused-push.ts';

/** What is decided about a push that can't succeed however often it is tried, whole. */

const MERGE = beadId('merge');
const source = bead({ status: 'in_review' });

function refused(code: string, message: string): readonly Decision<RigAction>[] {
  const result = { result: 'refused', code, message } as const;
  const row = review(source, { step: 'pushing', result, stepKey: 'key', position: 0 });
  const beads = [source, mergeRequest(source, { status: 'in_progress' })];
  return mergeStep(rigView({ beads, reviews: [row] }), row.beadId, NOW).decisions;
}

/** Out of its round, and held until a person answers. */
const waits = (reason: string, heldReason: string, question: string): readonly unknown[] => [
  {
    rule: 'merge-step',
    entity: 'bead:api-merge',
    reason,
    actions: [
      {
        type: 'merge_step',
        mergeRequest: MERGE,
        fromStep: 'pushing',
        toStep: 'queued',
        job: null,
        candidate: null,
        heldReason,
      },
      { type: 'transition_bead', bead: MERGE, from: 'in_progress', to: 'open' },
      { type: 'hold_bead', bead: MERGE, hold: 'needs_human', reason: question },
      {
        type: 'raise_escalation',
        causeKey: 'bead:api-task1',
        severity: 'high',
        category: 'merge',
        subject: 'bead:api-task1',
        message: question,
      },
    ],
  },
];

describe('a push that was refused', () => {
  it('by the git host asks a person for the right to push, or for pull requests', () => {
    expect(refused(PUSH_REFUSED, 'remote: main is protected')).toEqual(
      waits(
        'the git host refused the push',
        'the git host refused its push: remote: main is protected',
        'The git host refused api-task1 on main: remote: main is protected. Let the town\'s account push to main, then "gt bead retry api-task1"; or have it merge by pull requests ("gt config set rigs.api.merge_strategy pr"), then the same.',
      ),
    );
  });

  it('does not end the words of the git host twice', () => {
    const [decision] = refused(PUSH_REFUSED, 'remote: Permission denied to town-bot.');
    const hold = decision?.actions.find(({ type }) => type === 'hold_bead');
    expect(hold).toMatchObject({ reason: expect.stringContaining("denied to town-bot. Let the town's account") });
  });

  it('repeats the words of the git host in one line', () => {
    const [decision] = refused(PUSH_REFUSED, 'remote: main\n  is protected\u001b[0m\n');
    const words = String.raw`remote: main is protected\x1b[0m`;
    expect(decision?.actions).toMatchObject([
      { heldReason: `the git host refused its push: ${words}` },
      {},
      { reason: expect.stringContaining(`on main: ${words}. Let`) },
      { message: expect.stringContaining(`on main: ${words}. Let`) },
    ]);
  });

  it('for what looks like a key asks a person to take it out or to allow it', () => {
    const found = 'What would be pushed looks like a key: a.env:3.';
    expect(refused('secret_found', found)).toEqual(
      waits(
        'what would be pushed looks like a key',
        found,
        `api-task1 is not merged: ${found} Take it out of gt/api-task1, or allow it (secrets_allowed in gastown.toml), then "gt bead retry api-task1".`,
      ),
    );
  });
});
