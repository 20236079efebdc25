import { describe, expect, it } from 'vitest';
import { proposal, pullView, UNOPENED, type PullWorld } from '../../test/support/pull-table.ts';
import { NOW } from '../../test/support/rig-view-builder.ts';
import type { WaitsFor } from './model/proposal.ts';
import { pullText } from './why-pull.ts';

const said = (of: PullWorld) => pullText(pullView(of), 'api-merge', 0);

describe('what "gt why" says of a pull request', () => {
  it('is nothing of a merge request that the train merges, that is unknown, or has no record of one', () => {
    expect(said({ step: 'queued', review: { strategy: 'direct' } })).toBeNull();
    expect(pullText(pullView({ step: 'proposed' }), 'api-other', 0)).toBeNull();
    expect(pullText({ ...pullView({ step: 'opening' }), proposal: () => null }, 'api-merge', 0)).toBeNull();
  });

  it('is nothing of one that is reworked or has ended: its rework and its end are told elsewhere', () => {
    expect(said({ step: 'reworking' })).toBeNull();
    expect(said({ step: 'ended' })).toBeNull();
  });

  it.each([
    ['checking', 'gt/api-task1 is being merged with its target in the object database (main).'],
    ['testing', 'gt/api-task1 runs the gates of the rig on the combined tree (main).'],
    ['opening', 'gt/api-task1 is being proposed: its forge is asked for a pull request (main).'],
    ['accepting', 'gt/api-task1 is being merged by its forge (main).'],
    ['confirming', 'gt/api-task1 is merged, says its forge; the target is looked at (main).'],
  ] as const)('is the step whose result it waits for, with the deadline: %s', (step, sentence) => {
    expect(said({ step, review: { deadlineAtMs: NOW + 9 } })).toEqual({
      sentence,
      rule: 'pull-request',
      next: 'The result of this step.',
      wakeAtMs: NOW + 9,
    });
  });

  it('is tried again before its deadline while the forge does not answer', () => {
    const trouble = { tries: 2, error: 'connection refused', firstAtMs: NOW - 5, lastAtMs: NOW - 1, nextAtMs: NOW + 4 };
    const of: PullWorld = {
      step: 'opening',
      review: { deadlineAtMs: NOW + 9, stepKey: 'k1' },
      world: { troubles: { k1: trouble } },
    };
    expect(said(of)).toMatchObject({ sentence: expect.stringContaining('connection refused'), wakeAtMs: NOW + 4 });
    expect(said({ ...of, review: { deadlineAtMs: NOW + 9 } })).toMatchObject({ wakeAtMs: NOW + 9 });
  });

  it('is that it comes next, or what holds it in line', () => {
    const line = { rule: 'pull-request', next: 'It is tried again by itself.', sinceMs: NOW - 60_000 };
    expect(said({ step: 'queued', pull: UNOPENED })).toEqual({ sentence: 'Its pull request comes next.', ...line });
    expect(said({ step: 'queued', review: { heldReason: 'main itself is red' } })).toEqual({
      sentence: 'Waits: main itself is red.',
      ...line,
    });
    expect(said({ step: 'queued', review: { heldReason: 'main is gone.' } })?.sentence).toBe('Waits: main is gone.');
  });
});

describe('what "gt why" says of a pull request that is looked at', () => {
  const waiting = (waitsFor: WaitsFor, over: Partial<PullWorld> = {}) =>
    said({ step: 'proposed', pull: { waitsFor, waitReason: 'it waits', waitSinceMs: 7 }, ...over });

  it.each([
    ['people', 'Somebody does that; it is seen by itself.'],
    ['checks', 'The checks report.'],
    ['forge', 'The forge says more.'],
    ['delay', 'The delay is over and nobody objects.'],
  ] as const)('is what it waits for, since when, and what ends that: %s', (waitsFor, next) => {
    expect(waiting(waitsFor)).toEqual({ sentence: 'It waits.', rule: 'pull-request', next, sinceMs: 7 });
  });

  it('is how a person lets the merges into its target go on', () => {
    const paused = { sentence: 'It waits.', rule: 'pull-request', next: 'A person lets the train go on.', sinceMs: 7 };
    expect(waiting('target')).toEqual({ ...paused, command: 'gt mq resume api' });
    expect(waiting('target', { review: { targetBranch: 'next' } })).toEqual({
      ...paused,
      command: 'gt mq resume api --target next',
    });
  });

  it('is nothing before it was judged', () => {
    expect(said({ step: 'proposed' })).toBeNull();
    expect(said({ step: 'proposed', pull: { waitsFor: 'people' } })).toBeNull();
    expect(said({ step: 'proposed', pull: { waitReason: 'it waits' } })).toBeNull();
  });

  it('is the refusal of a pull request that can not be opened, its next try, and how to have it tried now', () => {
    const pull = { ...UNOPENED, waitsFor: 'people', waitReason: 'the token may not do this', waitSinceMs: 7 } as const;
    expect(said({ step: 'opening', pull: { ...pull, retryAtMs: 9 } })).toEqual({
      sentence: 'The token may not do this.',
      rule: 'pull-request',
      next: 'Somebody does that; it is seen by itself.',
      sinceMs: 7,
      command: 'gt mq retry api-task1',
      wakeAtMs: 9,
    });
  });
});

describe('what "gt why" says while its forge does not answer', () => {
  it('is that nothing is known, whatever was known before', () => {
    expect(
      said({ step: 'proposed', pull: { ...proposal(), waitsFor: 'people', waitReason: 'x', silentSinceMs: 5 } }),
    ).toEqual({
      sentence: 'The forge does not answer about pull request #7; nothing is merged or given up meanwhile.',
      rule: 'pull-request',
      next: 'It answers; it is asked again by itself.',
      sinceMs: 5,
    });
  });

  it('is the step, where one waits for something else or has no number yet', () => {
    expect(said({ step: 'testing', pull: { silentSinceMs: 5 } })?.sentence).toContain('runs the gates');
    const waited = { waitsFor: 'people', waitReason: 'it waited' } as const;
    expect(said({ step: 'testing', pull: waited })?.sentence).toContain('runs the gates');
    expect(said({ step: 'proposed', pull: { ...UNOPENED, silentSinceMs: 5 } })).toBeNull();
  });
});
