import { describe, expect, it } from 'vitest';
import { bead, beadId, commit, mergeRequest, NOW, review, rigView } from '../../../test/support/rig-view-builder.ts';
import type { Decision, RigAction } from '../actions.ts';
import type { JobResult } from '../facts.ts';
import { FORMER_TIPS_MAX } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import type { ReviewFacts } from '../view.ts';
import { mergeStep } from './merge-step.ts';

/** What is decided where people took commits out of a target by force, whole: what people read of it and what is done. */

const MERGE = beadId('merge');
const task = bead({ status: 'in_review' });
/** What the target was seen at last, what it is now, and what it was before both. */
const FORMER = trusted.sha('f0123456789abcdef0'.padEnd(40, '1'));
const NOW_AT = trusted.sha('a0123456789abcdef0'.padEnd(40, '2'));
const EARLIER = trusted.sha('e0123456789abcdef0'.padEnd(40, '3'));

interface Given {
  readonly result: JobResult;
  readonly over?: Partial<ReviewFacts>;
  /** Null: it is not on record. */
  readonly source?: Bead | null;
}

function judge({ result, over, source = task }: Given): readonly Decision<RigAction>[] {
  const row = review(task, { step: 'preparing', result, stepKey: 'key', position: 0, ...over });
  const beads = [mergeRequest(task, { status: 'in_progress' }), ...(source === null ? [] : [source])];
  return mergeStep(rigView({ beads, reviews: [row] }), row.beadId, NOW).decisions;
}

const one = (reason: string, actions: readonly unknown[]): readonly unknown[] => [
  { rule: 'merge-step', entity: 'bead:api-merge', reason, actions },
];

describe('a target that people rewrote', () => {
  const rewritten = (commits: number | null, merged: number | null): JobResult => ({
    result: 'rewritten',
    from: FORMER,
    targetSha: NOW_AT,
    commits,
    merged,
  });
  const told = (result: JobResult): string =>
    judge({ result })
      .flatMap(({ actions }) => actions)
      .flatMap((action) => (action.type === 'raise_escalation' ? [action.message] : []))
      .join('\n');

  it('is told with both tips and what went, and its round begins anew', () => {
    const reason = 'main was rewritten (f0123456789a..a0123456789a)';
    expect(judge({ result: rewritten(3, 2) })).toEqual(
      one(reason, [
        { type: 'dissolve_round', target: 'main', except: null, reason },
        {
          type: 'raise_escalation',
          // By the new tip: each rewrite is told, and each only once.
          causeKey: `rewritten:main:${NOW_AT}`,
          severity: 'high',
          category: 'merge',
          subject: 'train:main',
          message:
            'main of api was rewritten on its host (f0123456789a..a0123456789a): 3 commits went, and 2 merged beads are not on it any more, though closed as merged ("gt doctor" names them, "gt bead reopen <id>" does one again). The train goes on from there. Work that was begun before is not merged without you where it would bring back what went.',
        },
      ]),
    );
  });

  it('is told in words that fit one, none, and what the runner can not count', () => {
    expect(told(rewritten(1, 1))).toContain(': 1 commit went, and 1 merged bead is not on it any more,');
    expect(told(rewritten(2, 0))).toContain(': 2 commits went, and 0 merged beads are not on it any more,');
    expect(told(rewritten(null, null))).toContain(
      ': an unknown number of commits went, and an unknown number of merged beads are not on it any more,',
    );
  });
});

describe('work that would bring back what people took out of its target', () => {
  const revives = (commits: number, also?: readonly string[]): JobResult => ({
    result: 'revives',
    targetSha: NOW_AT,
    from: FORMER,
    commits,
    ...(also === undefined ? {} : { also }),
  });
  const waits = (heldReason: string, question: string): readonly unknown[] =>
    one('it would bring back what was taken out of its target', [
      {
        type: 'merge_step',
        mergeRequest: MERGE,
        fromStep: 'preparing',
        toStep: 'queued',
        job: null,
        candidate: null,
        heldReason,
        mayRevive: [FORMER],
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
    ]);

  it('waits for a person, who has it done anew or says that it may', () => {
    const what = '3 commits that people took out of main (it was at f0123456789a)';
    expect(judge({ result: revives(3) })).toEqual(
      waits(
        `would bring back ${what}`,
        `api-task1 was begun before main was rewritten; merged, it would bring back ${what}. Do it anew on what is there now: "gt bead close api-task1", then "gt bead reopen api-task1". Or bring them back with it: "gt bead retry api-task1".`,
      ),
    );
  });

  const step = (given: Given) => {
    const [action] = judge(given).flatMap(({ actions }) => actions);
    if (action?.type !== 'merge_step') throw new Error('no step');
    return action;
  };

  it('is one question about all former tips, and one yes is to all of them', () => {
    expect(step({ result: revives(1, [EARLIER]) })).toMatchObject({
      heldReason: 'would bring back 1 commit that people took out of main (it was at f0123456789a, e0123456789a)',
      mayRevive: [FORMER, EARLIER],
    });
  });

  it('keeps what was allowed before, each tip once', () => {
    const over = { mayRevive: [EARLIER, commit(1)] };
    expect(step({ result: revives(1), over }).mayRevive).toEqual([FORMER, EARLIER, commit(1)]);
    expect(step({ result: revives(1, [EARLIER]), over }).mayRevive).toEqual([FORMER, EARLIER, commit(1)]);
  });

  it('forgets the oldest yes when there are more than are looked at', () => {
    const before = Array.from({ length: FORMER_TIPS_MAX }, (_, at) => commit(at + 1));
    expect(step({ result: revives(1, [EARLIER]), over: { mayRevive: before } }).mayRevive).toEqual([
      FORMER,
      EARLIER,
      ...before.slice(0, FORMER_TIPS_MAX - 2),
    ]);
  });

  describe('is asked about with commands that its kind takes', () => {
    const insteadOf = (source: Bead | null): string => {
      const [hold] = judge({ result: revives(3), source })
        .flatMap(({ actions }) => actions)
        .flatMap((action) => (action.type === 'hold_bead' ? [action.reason] : []));
      return /\(it was at \w+\)\. (.*) Or bring them back/.exec(hold ?? '')?.[1] ?? '';
    };
    const convoyId = trusted.convoy('hq-cv-abcde');

    it('a landing ends with its convoy', () => {
      const landing = { ...task, kind: 'landing' as const };
      expect(insteadOf({ ...landing, convoyId })).toBe('Give the landing up: "gt convoy close hq-cv-abcde".');
      expect(insteadOf(landing)).toBe('Give the landing up: "gt convoy close <convoy>".');
    });

    it('a revert is ordered anew', () => {
      expect(insteadOf({ ...task, kind: 'revert', convoyId })).toBe(
        'Do it anew on what is there now: "gt bead close api-task1", then "gt convoy revert hq-cv-abcde".',
      );
    });

    it('anything else is begun again, also as part of a convoy or when its bead is not on record', () => {
      const anew = 'Do it anew on what is there now: "gt bead close api-task1", then "gt bead reopen api-task1".';
      expect(insteadOf({ ...task, convoyId })).toBe(anew);
      expect(insteadOf(null)).toBe(anew);
    });
  });

  it('and was given up meanwhile ends as cancelled, and nobody is asked', () => {
    const source = { ...task, cancelRequestedAtMs: NOW - 1 };
    expect(judge({ result: revives(3), source })).toMatchObject([
      {
        reason: 'cancelled, and its push had not arrived',
        actions: [
          { type: 'merge_step', toStep: 'queued' },
          { type: 'transition_bead', bead: MERGE, to: 'open' },
          { type: 'transition_bead', bead: task.id, to: 'closed', closeReason: 'cancelled' },
        ],
      },
    ]);
  });
});
