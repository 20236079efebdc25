import { describe, expect, it } from 'vitest';
import { rigConfig } from '../../../test/support/rig-config.ts';
import {
  attempt,
  bead,
  beadId,
  commit,
  mergeRequest,
  NOW,
  polecat,
  review,
  rigView,
} from '../../../test/support/rig-view-builder.ts';
import type { Decision, RigAction } from '../actions.ts';
import type { BeadKind } from '../model/bead.ts';
import type { Outside } from '../model/outside.ts';
import { mergeStep } from './merge-step.ts';
import { otherQuestion } from './merged-outside.ts';

/** Another bead, whose merge request has landed. */
const other = bead({ id: beadId('other'), status: 'closed' });

interface Given {
  readonly outside?: Outside;
  readonly madeFor?: string;
  readonly isCancelled?: boolean;
  readonly kind?: BeadKind;
  readonly hasGates?: boolean;
  /** False: no attempt of it is on record. */
  readonly hasAgent?: boolean;
  /** False: its bead is not on record. */
  readonly hasSource?: boolean;
}

function decide(given: Given): Decision<RigAction> | undefined {
  const { outside, madeFor, isCancelled = false, kind = 'task', hasGates = true } = given;
  const source = bead({ status: 'in_review', kind, cancelRequestedAtMs: isCancelled ? NOW - 1 : null });
  const result = { result: 'already_merged', targetSha: commit(8), mergeSha: commit(9), outside, madeFor } as const;
  const row = review(source, { step: 'preparing', result, stepKey: 'key', position: 0 });
  const by = attempt(source, { endedAtMs: NOW, agentId: polecat('slit'), processGone: true });
  const view = rigView({
    beads: [...(given.hasSource === false ? [] : [source]), mergeRequest(source, { status: 'in_progress' })],
    reviews: [row, review(other, { beadId: beadId('other-merge'), step: 'ended' })],
    attempts: given.hasAgent === false ? [] : [by],
    config: rigConfig('api', { gates: hasGates ? [{ name: 'test', run: 'true', timeoutMs: 1_000 }] : [] }),
  });
  return mergeStep(view, row.beadId, NOW).decisions[0];
}

function merges(given: Given) {
  const decision = decide(given);
  const actions: readonly RigAction[] = decision?.actions ?? [];
  const ends = actions.flatMap((one) => (one.type === 'transition_bead' ? [one.evidence?.note ?? null] : []));
  const held = actions.flatMap((one) => (one.type === 'merge_step' ? [`${one.toStep}: ${one.heldReason ?? ''}`] : []));
  return { reason: decision?.reason ?? '', ends, held, told: actions.find((one) => one.type === 'raise_escalation') };
}

/** Both of them end as merged, by the commit that brought the work there. */
function merged(note: string): readonly unknown[] {
  const evidence = { head: commit(10), mergeSha: commit(9), target: 'main', note };
  const end = { to: 'closed', closeReason: 'merged', evidence };
  const ended = { fromStep: 'preparing', toStep: 'ended', job: null, mergeSha: commit(9), heldReason: null };
  return [
    { type: 'merge_step', mergeRequest: 'api-merge', ...ended },
    { type: 'transition_bead', bead: 'api-merge', from: 'in_progress', ...end },
    { type: 'transition_bead', bead: 'api-task1', from: 'in_review', ...end },
  ];
}

describe('work that the target has already', () => {
  it('is merged without a word when a train brought it', () => {
    expect(merges({})).toEqual({
      held: ['ended: '],
      reason: 'the head is an ancestor of the target already',
      ends: [null, null],
      told: undefined,
    });
  });

  it('is merged and told to a person when it was pushed there past the gates', () => {
    const { reason, ends, told } = merges({ outside: 'pushed' });
    expect(reason).toBe('the head is on the target already, past the gates: no train brought it');
    expect(ends).toEqual(
      Array.from({ length: 2 }, () => 'It was pushed there past the train: no gate ran on it here.'),
    );
    // A cause of its own: the end of the bead resolves what is told of the bead.
    expect(told).toMatchObject({ causeKey: 'past:api-task1', severity: 'high', subject: 'bead:api-task1' });
    expect(told?.message).toBe(
      `api-task1 is on main as ${commit(9).slice(0, 12)}, and this town did not push it: its agent api/polecats/slit did, or somebody moved main to its branch. No gate ran on it here; the next merge tests main with it. Look at it with "gt bead diff api-task1"; a host that protects main refuses such pushes.`,
    );
  });

  it('of a rig without gates is told too, and nothing is said of gates', () => {
    expect(decide({ outside: 'pushed', hasGates: false })?.actions).toEqual([
      ...merged('It was pushed there past the train.'),
      {
        type: 'raise_escalation',
        causeKey: 'past:api-task1',
        severity: 'medium',
        category: 'merge',
        subject: 'bead:api-task1',
        message: `api-task1 is on main as ${commit(9).slice(0, 12)}, and this town did not push it: its agent api/polecats/slit did, or somebody moved main to its branch. Look at it with "gt bead diff api-task1"; a host that protects main refuses such pushes.`,
      },
    ]);
  });

  it('names no agent where none is on record', () => {
    expect(merges({ outside: 'pushed', hasAgent: false }).told?.message).toContain(': its agent did, or somebody');
  });

  it('by a hand-made merge is recorded as untested, and nobody is told what they did themselves (R12)', () => {
    expect(merges({ outside: 'by_hand' })).toEqual({
      held: ['ended: '],
      reason: 'the head is on the target already, past the gates: somebody merged it by hand',
      ends: Array.from({ length: 2 }, () => 'It was merged there by hand: no gate ran on it here.'),
      told: undefined,
    });
    expect(decide({ outside: 'by_hand', hasGates: false })?.actions).toEqual(merged('It was merged there by hand.'));
  });

  it('is not merged when it is the merge of another bead: a person says what becomes of it', () => {
    const { reason, ends, held, told } = merges({ madeFor: 'api-other-merge' });
    expect(reason).toBe('its branch holds the merge of another bead and nothing of its own');
    expect({ ends, held }).toEqual({ ends: [null], held: [`queued: ${reason}`] });
    expect(told).toMatchObject({ causeKey: 'bead:api-task1', severity: 'high', subject: 'bead:api-task1' });
    expect(told?.message).toBe(
      `api-task1 is not merged: all that was handed in for it is the merge of api-other (${commit(9).slice(0, 12)}), which main has already. End it with "gt bead close api-task1"; if its work is still to be done, "gt bead reopen api-task1" after that.`,
    );
  });

  it('names the other by its merge request, or not at all, where nothing more is on record', () => {
    expect(merges({ madeFor: 'api-gone' }).told?.message).toContain('is the merge of api-gone (');
    const question = otherQuestion(rigView(), review(bead()), { mergeSha: commit(9) });
    expect(question).toContain('all that was handed in for it is the merge of another bead (');
  });

  it('and is the merge of another ends as cancelled when a person gave it up', () => {
    expect(merges({ madeFor: 'api-other', isCancelled: true })).toMatchObject({
      reason: 'cancelled, and its push had not arrived',
      told: undefined,
    });
  });

  it('ends what the town made itself, though a train of another bead brought all of it', () => {
    for (const kind of ['landing', 'revert'] as const)
      expect(merges({ madeFor: 'api-other', kind })).toMatchObject({ held: ['ended: '], told: undefined });
    expect(merges({ madeFor: 'api-merge' })).toMatchObject({ held: ['ended: '], told: undefined });
  });

  it('accuses nobody of what the town made itself', () => {
    for (const kind of ['landing', 'revert'] as const)
      expect(merges({ outside: 'pushed', kind })).toMatchObject({ ends: [null, null], told: undefined });
  });

  it('ends its merge request alone when its bead is not on record', () => {
    expect(decide({ outside: 'by_hand', hasSource: false })?.actions).toEqual(
      merged('It was merged there by hand: no gate ran on it here.').slice(0, 2),
    );
  });
});
