import { describe, expect, it } from 'vitest';
import {
  attempt,
  bead,
  beadId,
  CLOSED_BREAKER,
  commit,
  mergeRequest,
  NOW,
  review,
  rigView,
} from '../../../test/support/rig-view-builder.ts';
import { CLAIM_DEADLINE_MS } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import { makeFormula, type StepStatus } from '../model/molecule.ts';
import type { AttemptFacts } from '../view.ts';
import { promoteKey, verifyDone, verifyKey } from './verify-done.ts';

const task = bead({ status: 'in_progress', baseSha: commit(1) });
const source = bead({ status: 'in_review', branch: 'gt/api-task1' });
const rework = bead({ id: beadId('rework'), kind: 'rework', status: 'in_progress', branchOf: source.id });
const reworking = review(source, { step: 'reworking', rounds: 1 });
const claimed = {
  claimedHead: commit(5),
  claimedAtMs: NOW - 10,
  claim: { state: 'recorded', kind: 'done' },
} as const;

function judge(of: Bead, over: Partial<AttemptFacts>) {
  const row = attempt(of, over);
  const beads = of === rework ? [source, rework, mergeRequest(source)] : [of];
  return verifyDone(rigView({ beads, attempts: [row], reviews: of === rework ? [reworking] : [] }), row.id, NOW);
}
const actions = (of: Bead, over: Partial<AttemptFacts>) => judge(of, over).decisions.flatMap((row) => row.actions);

describe('verifyDone', () => {
  it.each<[string, Bead, Partial<AttemptFacts>, string]>([
    ['done', task, claimed, `done was claimed at ${commit(5)}`],
    ['done too early', bead({ status: 'in_progress' }), claimed, 'the claim came before the start was recorded'],
    ['done without a commit', task, { ...claimed, claimedHead: null }, 'the claim came before the start was recorded'],
    [
      'no change',
      task,
      { claim: { state: 'recorded', kind: 'no_change' } },
      'the agent says, with a reason, that nothing needs to change',
    ],
    [
      'verified',
      task,
      { ...claimed, claim: { state: 'verified', kind: 'done' }, headSha: commit(5) },
      'the claimed head is in its ref and ahead of its base',
    ],
    [
      'promoted',
      task,
      { ...claimed, claim: { state: 'promoted', kind: 'done' }, headSha: commit(5) },
      'the branch is on the origin at the verified head',
    ],
    [
      'promoted, of a rework',
      rework,
      { ...claimed, claim: { state: 'promoted', kind: 'done' }, headSha: commit(5) },
      'the continued branch is on the origin at the verified head',
    ],
    [
      'refused',
      task,
      { ...claimed, claim: { state: 'refused', kind: 'done', code: 'dirty', message: 'Commit first.' } },
      'the claim was refused: dirty',
    ],
    [
      'refused, the agent gone',
      task,
      {
        ...claimed,
        claim: { state: 'refused', kind: 'done', code: 'dirty', message: 'Commit first.' },
        processGone: true,
      },
      'the claim was refused and the agent is gone: dirty',
    ],
    [
      'overdue',
      task,
      { ...claimed, claim: { state: 'verifying', kind: 'done' }, claimedAtMs: NOW - CLAIM_DEADLINE_MS },
      'the verdict is overdue',
    ],
  ])('says in one decision why it acts: %s', (_what, of, over, reason) => {
    expect(judge(of, over).decisions).toEqual([
      {
        rule: 'verify-done',
        entity: `attempt:${attempt(of).id}`,
        reason,
        actions: expect.arrayContaining([expect.anything()]),
      },
    ]);
  });

  it.each([
    ['without a claim', {}],
    ['that has ended', { ...claimed, endedAtMs: NOW }],
    ['whose verification is under way', { claim: { state: 'verifying', kind: 'done' } }],
    ['whose promotion is under way', { claim: { state: 'promoting', kind: 'done' } }],
    ['whose verified head is lost', { claim: { state: 'verified', kind: 'done' }, headSha: null }],
    ['whose promoted head is lost', { claim: { state: 'promoted', kind: 'done' }, headSha: null }],
  ] as const)('leaves an attempt alone %s', (_what, over) => {
    expect(judge(task, over)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('says nothing of an attempt that does not exist, nor of one whose bead is gone', () => {
    const row = attempt(task, claimed);
    const nothing = { decisions: [], wakeAtMs: null };
    expect(verifyDone(rigView({ beads: [task] }), row.id, NOW)).toEqual(nothing);
    expect(verifyDone(rigView({ attempts: [row] }), row.id, NOW)).toEqual(nothing);
  });

  it('knows its jobs by attempt, claim and commit', () => {
    const row = attempt(task);
    expect([verifyKey(row), promoteKey(row)]).toEqual([`verify:${row.id}:0:`, `promote:${row.id}:0:`]);
  });

  it.each(['open', 'in_review', 'closed', 'failed'] as const)('leaves a claim on a bead alone that is %s', (status) => {
    expect(actions(bead({ status, baseSha: commit(1) }), claimed)).toEqual([]);
  });

  describe('of a recorded claim', () => {
    it('asks git about the ref of this epoch, against the base of the task', () => {
      const row = attempt(task, { epoch: 3 });
      expect(actions(task, { ...claimed, epoch: 3 })).toEqual([
        {
          type: 'verify_done',
          attempt: row.id,
          job: {
            kind: 'verify',
            key: `verify:${row.id}:${String(NOW - 10)}:${commit(5)}`,
            repo: { rig: 'api', url: '/remotes/api.git', targetBranch: 'main' },
            ref: `refs/gt/attempts/${task.id}/3`,
            claimedHead: commit(5),
            base: commit(1),
          },
        },
      ]);
    });

    it('asks for a continued branch against the head of its merge request, in the ref of the source', () => {
      expect(actions(rework, { ...claimed, epoch: 4 })).toEqual([
        expect.objectContaining({
          job: expect.objectContaining({ ref: `refs/gt/attempts/${source.id}/4`, base: reworking.headSha }),
        }),
      ]);
    });

    it('makes a later claim of the same head another job: the first verdict must not answer it', () => {
      const key = (claimedAtMs: number): unknown =>
        actions(task, { ...claimed, claimedAtMs }).map((action) => 'job' in action && action.job?.key)[0];
      expect(key(NOW)).toBe(key(NOW));
      expect(key(NOW)).not.toBe(key(NOW + 1));
    });

    it('sends a claim back that came before the start was recorded', () => {
      expect(actions(bead({ status: 'in_progress' }), claimed)).toEqual([
        {
          type: 'clear_claim',
          attempt: attempt(task).id,
          code: 'not_started',
          message: 'The start of this attempt is not recorded yet. Call "gt done" again.',
        },
      ]);
    });

    it('sends the claim of a rework back whose merge request is gone', () => {
      const row = attempt(rework, claimed);
      const { decisions } = verifyDone(rigView({ beads: [source, rework], attempts: [row] }), row.id, NOW);
      expect(decisions.flatMap((decision) => decision.actions)).toEqual([
        expect.objectContaining({ type: 'clear_claim', code: 'not_started' }),
      ]);
    });
  });

  describe('of a verified claim', () => {
    const verified = { ...claimed, claim: { state: 'verified', kind: 'done' }, headSha: commit(5) } as const;

    it('promotes the first head of a branch that must not exist yet', () => {
      expect(actions(task, verified)).toEqual([
        {
          type: 'promote_branch',
          attempt: attempt(task).id,
          job: {
            kind: 'promote',
            key: `promote:${attempt(task).id}:${String(NOW - 10)}:${commit(5)}`,
            repo: { rig: 'api', url: '/remotes/api.git', targetBranch: 'main' },
            branch: `gt/${task.id}`,
            head: commit(5),
            expectedOld: null,
          },
        },
      ]);
    });

    it('promotes a rework over the head that the merge request has', () => {
      expect(actions(rework, verified)).toEqual([
        expect.objectContaining({
          job: expect.objectContaining({ branch: `gt/${source.id}`, expectedOld: reworking.headSha }),
        }),
      ]);
    });

    it('promotes to the branch that the merge request has, whatever it is called', () => {
      const row = attempt(rework, verified);
      const reviews = [{ ...reworking, branch: 'gt/hq-cv-00000' }];
      const { decisions } = verifyDone(rigView({ beads: [source, rework], attempts: [row], reviews }), row.id, NOW);
      expect(decisions.flatMap((decision) => decision.actions)).toEqual([
        expect.objectContaining({ job: expect.objectContaining({ branch: 'gt/hq-cv-00000' }) }),
      ]);
    });
  });

  describe('of a promoted claim', () => {
    const promoted = { ...claimed, claim: { state: 'promoted', kind: 'done' }, headSha: commit(5) } as const;

    it('brings the task into review with a merge request', () => {
      expect(actions(task, promoted)).toEqual([
        {
          type: 'end_attempt',
          attempt: attempt(task).id,
          outcome: 'done',
          reason: 'the branch is on the origin at the verified head',
          signature: null,
        },
        { type: 'transition_bead', bead: task.id, from: 'in_progress', to: 'in_review' },
        { type: 'create_review', source: task.id, head: commit(5) },
      ]);
    });

    it('needs no process for that: the agent may be long dead', () => {
      expect(actions(task, { ...promoted, processGone: true, contactLostAtMs: 0 })).toHaveLength(3);
    });

    it.each<[string, Bead, Partial<AttemptFacts>]>([
      ['a task', task, promoted],
      ['rework', rework, promoted],
      ['what needs no change', task, { claim: { state: 'recorded', kind: 'no_change' } }],
    ])('shows that agents can be started again: %s', (_case, of, over) => {
      const row = attempt(of, over);
      const breaker = { ...CLOSED_BREAKER, failures: 1 };
      const { decisions } = verifyDone(rigView({ beads: [of, source], attempts: [row], breaker }), row.id, NOW);
      expect(decisions.flatMap((decision) => decision.actions)).toContainEqual({
        type: 'reset_breaker',
        scope: 'dispatch',
      });
    });

    it('integrates a rework whose merge request is gone, and moves nothing', () => {
      const row = attempt(rework, promoted);
      const { decisions } = verifyDone(rigView({ beads: [source, rework], attempts: [row] }), row.id, NOW);
      expect(decisions.flatMap((decision) => decision.actions.map((action) => action.type))).toEqual([
        'end_attempt',
        'transition_bead',
      ]);
    });

    it('leaves the merge request out of line while other changes are asked for', () => {
      const [row, other] = [attempt(rework, promoted), { ...rework, id: beadId('rework2'), status: 'open' as const }];
      const beads = [source, rework, other, mergeRequest(source)];
      const { decisions } = verifyDone(rigView({ beads, attempts: [row], reviews: [reworking] }), row.id, NOW);
      expect(decisions[0]?.actions.at(-1)).toMatchObject({ type: 'advance_review', isLast: false });
    });

    it('integrates a rework and moves the head of the one merge request', () => {
      expect(actions(rework, promoted).slice(1)).toEqual([
        {
          type: 'transition_bead',
          bead: rework.id,
          from: 'in_progress',
          to: 'closed',
          closeReason: 'integrated',
          evidence: { head: commit(5) },
        },
        { type: 'advance_review', mergeRequest: reworking.beadId, head: commit(5), isLast: true },
      ]);
    });
  });

  describe('of a claim that nothing needs to change', () => {
    const nothing = { claim: { state: 'recorded', kind: 'no_change' }, claimSummary: 'it is there already' } as const;

    it('closes the bead with the reason as evidence', () => {
      expect(actions(task, nothing)).toEqual([
        {
          type: 'end_attempt',
          attempt: attempt(task).id,
          outcome: 'no_change',
          reason: 'it is there already',
          signature: null,
        },
        {
          type: 'transition_bead',
          bead: task.id,
          from: 'in_progress',
          to: 'closed',
          closeReason: 'no_change',
          evidence: { note: 'it is there already' },
        },
      ]);
    });

    it('has an empty reason when none was recorded', () => {
      expect(actions(task, { ...nothing, claimSummary: null })).toEqual([
        expect.objectContaining({ reason: '' }),
        expect.objectContaining({ evidence: { note: '' } }),
      ]);
    });

    it('puts the merge request of a rework back in line at the head it has', () => {
      expect(actions(rework, nothing).at(-1)).toEqual({
        type: 'advance_review',
        mergeRequest: reworking.beadId,
        head: reworking.headSha,
        isLast: true,
      });
    });
  });

  it('is refused with the number and the title of each open step', () => {
    const formula = makeFormula('f', [{ title: 'Test' }, { title: 'Code' }]);
    const open = formula.steps.map((step, index) => ({
      ...step,
      number: index + 1,
      status: 'open' as const,
      summary: null,
      settledBy: null,
    }));
    const row = attempt(task, claimed);
    const molecules = { [task.id]: { formula: 'f', steps: open } };
    const { decisions } = verifyDone(rigView({ beads: [task], attempts: [row], molecules }), row.id, NOW);
    expect(decisions.flatMap((decision) => decision.actions)).toEqual([
      expect.objectContaining({
        code: 'open_steps',
        message: expect.stringContaining('are open: 1 (Test), 2 (Code). For each'),
      }),
    ]);
  });

  describe('of work that follows a formula', () => {
    const { name, steps } = makeFormula('feature', [
      { title: 'Test' },
      { title: 'Code' },
      { title: 'Docs', optional: true },
    ]);
    const follow = (over: Partial<AttemptFacts>, ...statuses: readonly StepStatus[]) => {
      const row = attempt(task, over);
      const all = steps.map((step, index) => ({
        ...step,
        number: index + 1,
        status: statuses[index] ?? 'open',
        summary: null,
        settledBy: null,
      }));
      const molecules = { [task.id]: { formula: name, steps: all } };
      return verifyDone(rigView({ beads: [task], attempts: [row], molecules }), row.id, NOW).decisions.flatMap(
        (decided) => decided.actions,
      );
    };
    const nothing = { claim: { state: 'recorded', kind: 'no_change' } } as const;

    it.each([
      ['done', claimed],
      ['no change', nothing],
    ])('refuses %s while a required step is open, and names it', (_what, over) => {
      expect(follow(over, 'done')).toEqual([
        expect.objectContaining({
          type: 'clear_claim',
          code: 'open_steps',
          message: expect.stringContaining('2 (Code)'),
        }),
      ]);
    });

    it('asks git once no required step is open; optional ones may be', () => {
      expect(follow(claimed, 'done', 'skipped')).toEqual([expect.objectContaining({ type: 'verify_done' })]);
      expect(follow(nothing, 'done', 'done')[0]).toMatchObject({ type: 'end_attempt', outcome: 'no_change' });
    });

    it('ends the attempt as rejected when its agent is gone with steps open', () => {
      expect(follow({ ...claimed, processGone: true }, 'done')[0]).toMatchObject({
        type: 'end_attempt',
        outcome: 'rejected',
        signature: 'rejected/open_steps',
      });
    });
  });

  describe('of a refused claim', () => {
    const refused = {
      ...claimed,
      claim: { state: 'refused', kind: 'done', code: 'no_commits', message: 'There is no commit.' },
    } as const;

    it('sends a living agent back to work, with the typed reason', () => {
      expect(actions(task, refused)).toEqual([
        { type: 'clear_claim', attempt: attempt(task).id, code: 'no_commits', message: 'There is no commit.' },
      ]);
    });

    it('ends the attempt as rejected when nobody is left to answer, and counts it', () => {
      const list = actions(task, { ...refused, processGone: true });
      expect(list[0]).toMatchObject({
        type: 'end_attempt',
        outcome: 'rejected',
        reason: 'The claim was refused: There is no commit.',
        signature: 'rejected/no_commits',
      });
      expect(list).toContainEqual(expect.objectContaining({ type: 'charge_bead', failures: 1 }));
    });
  });
});

describe('the claim of a review', () => {
  const look = { ...rework, kind: 'review' } as const;
  const claim = (over: Partial<AttemptFacts>) => {
    const row = attempt(look, over);
    const beads = [source, look, mergeRequest(source)];
    return verifyDone(rigView({ beads, attempts: [row], reviews: [reworking] }), row.id, NOW).decisions[0];
  };

  it('hands in no commits: its agent is told which words it has', () => {
    expect(claim(claimed)?.actions).toMatchObject([
      { type: 'clear_claim', code: 'review_only', message: expect.stringContaining('gt approve') },
    ]);
  });

  it('that finds nothing is an approval, which proves nothing', () => {
    expect(claim({ claim: { state: 'recorded', kind: 'no_change' } })?.reason).toBe(
      'its reviewer approves; gates and git decide',
    );
  });
});
