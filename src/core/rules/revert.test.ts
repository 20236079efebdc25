import { describe, expect, it } from 'vitest';
import { bead, commit, NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import { BRANCH_JOB_DEADLINE_MS } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import type { Revert } from '../model/revert.ts';
import { NOTHING } from './rule.ts';
import { startRevert } from './revert.ts';

const task = bead({ kind: 'revert', origin: 'system', body: 'Undoes:' });
const wanted: Revert = {
  beadId: task.id,
  convoyId: trusted.convoy('hq-cv-abcde'),
  commits: [commit(1), commit(2)],
  landed: [],
  state: 'wanted',
  stepKey: null,
  headSha: null,
  reason: null,
  version: 3,
};
const look = (over: Partial<Revert> = {}, of: Partial<Bead> = {}) =>
  startRevert(rigView({ beads: [{ ...task, ...of }], reverts: [{ ...wanted, ...over }] }), task.id, NOW);
const actions = (over: Partial<Revert>) => look(over).decisions.flatMap((decision) => decision.actions);

describe('a revert', () => {
  it('is ordered with its commits, under a key of its own for each try', () => {
    const [action] = actions({});
    expect(action).toMatchObject({
      type: 'revert_step',
      from: 'wanted',
      to: 'making',
      job: { kind: 'revert', branch: `gt/${task.id}`, commits: [commit(1), commit(2)], dateMs: NOW },
    });
    const landed = [{ sha: commit(2), mergeRequest: 'api-mr', head: commit(3) }];
    expect(action).not.toHaveProperty('job.landed');
    expect(actions({ landed })).toMatchObject([{ job: { landed } }]);
    expect(actions({ version: 4 })).not.toMatchObject([{ job: { key: (action as { job: { key: string } }).job.key } }]);
  });

  it('goes to review with the head that was made', () => {
    expect(actions({ state: 'made', headSha: trusted.sha(commit(9)) })).toEqual([
      { type: 'transition_bead', bead: task.id, from: 'open', to: 'in_review' },
      { type: 'create_review', source: task.id, head: commit(9) },
    ]);
    expect(look({ state: 'made' })).toEqual(NOTHING);
  });

  it('becomes work of an agent with the reason, or ends when nothing is left', () => {
    expect(actions({ state: 'conflict', reason: 'it conflicts in a.txt.' })).toMatchObject([
      {
        type: 'revert_step',
        from: 'conflict',
        to: 'agent',
        job: null,
        body: expect.stringMatching(/^Undoes:[^]*a\.txt/),
      },
    ]);
    expect(actions({ state: 'nothing', reason: 'nothing left.' })).toMatchObject([
      { type: 'transition_bead', to: 'closed', closeReason: 'no_change', evidence: { note: 'nothing left.' } },
    ]);
  });

  it('has nothing to say while it waits, is held, has begun, or is no revert', () => {
    expect(look({ state: 'agent' })).toEqual(NOTHING);
    expect(look({}, { hold: 'held' })).toEqual(NOTHING);
    expect(look({}, { status: 'in_review' })).toEqual(NOTHING);
    expect(look({}, { kind: 'task' })).toEqual(NOTHING);
    expect(startRevert(rigView({ beads: [task] }), task.id, NOW)).toEqual(NOTHING);
  });

  it('that the runner does not answer is told to a person once, and the answer ends that', () => {
    const since = (updatedAtMs: number, escalated = false) => look({ state: 'making' }, { updatedAtMs, escalated });
    expect(since(NOW)).toEqual({ decisions: [], wakeAtMs: NOW + BRANCH_JOB_DEADLINE_MS });
    expect(since(NOW - BRANCH_JOB_DEADLINE_MS)).toMatchObject({
      decisions: [
        {
          reason: 'the answer of the runner is overdue',
          actions: [
            {
              type: 'raise_escalation',
              causeKey: `bead:${task.id}`,
              severity: 'high',
              category: 'convoy',
              subject: `bead:${task.id}`,
              message: `The revert ${task.id} is not made after 10 min: the runner or the git host does not answer, or refuses gt/${task.id}. It is asked for again by itself; look into the runner's log.`,
            },
          ],
        },
      ],
    });
    expect(since(NOW - BRANCH_JOB_DEADLINE_MS, true)).toEqual(NOTHING);
    const resolved = { type: 'resolve_escalation', causeKey: `bead:${task.id}`, bead: task.id };
    for (const over of [{ state: 'made', headSha: trusted.sha(commit(9)) }, { state: 'conflict' }] as const)
      expect(look(over, { escalated: true }).decisions[0]?.actions[0]).toEqual(resolved);
  });

  it.each<[Partial<Revert>, string]>([
    [{}, 'what hq-cv-abcde merged into main is to be undone'],
    [{ state: 'made', headSha: trusted.sha(commit(9)) }, `the revert is made as ${commit(9)}`],
    [{ state: 'conflict', reason: 'it conflicts.' }, 'it conflicts.'],
    [{ state: 'nothing' }, 'no reason was given.'],
  ])('says why: %j', (over, reason) => {
    expect(look(over).decisions).toEqual([
      { rule: 'revert', entity: 'bead:api-task1', reason, actions: expect.arrayContaining([expect.anything()]) },
    ]);
  });

  it('is made by the refinery of the rig, and ends from open', () => {
    expect(actions({})).toMatchObject([
      { job: { key: 'revert:api-task1:3', author: { name: 'api/refinery', email: 'owner@example.org' } } },
    ]);
    expect(actions({ state: 'nothing' })).toMatchObject([{ from: 'open' }]);
  });
});
