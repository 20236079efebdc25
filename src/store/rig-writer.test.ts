import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { agent, beadId, commit, NOW, polecat } from '../../test/support/rig-view-builder.ts';
import { RigStore } from '../../test/support/rig-store.ts';
import { AGENT_STATUSES } from '../core/model/agent.ts';
import { BEAD_KINDS, BEAD_STATUSES, BEAD_TYPES } from '../core/model/bead.ts';
import { trusted } from '../core/model/ids.ts';
import { beadRef, SCHEDULE, trainRef } from '../core/refs.ts';
import { AGENT_TRANSITIONS, allows, beadTransitions } from '../core/transitions.ts';
import { GuardFailed } from './guard-failed.ts';

const NO_END = { closeReason: null, evidence: null };
let store: RigStore;
beforeEach(() => {
  store = new RigStore();
});

describe('a bead', () => {
  it('changes status along the table only, for any kind, and is unchanged when refused', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...BEAD_TYPES),
        fc.constantFrom(...BEAD_KINDS),
        fc.constantFrom(...BEAD_STATUSES),
        fc.constantFrom(...BEAD_STATUSES),
        (type, kind, from, to) => {
          const fresh = new RigStore();
          const { id } = fresh.bead('task1', { type, kind });
          fresh.sql.all('UPDATE beads SET status = ? WHERE id = ?', from, id);
          const before = fresh.get(id);
          const move = (): void => {
            fresh.writer(NOW + 5).transitionBead(before, to, NO_END);
          };
          if (allows(beadTransitions(type, kind), from, to)) {
            move();
            expect(fresh.get(id)).toMatchObject({ status: to, version: before.version + 1, updatedAtMs: NOW + 5 });
          } else {
            expect(move).toThrow(GuardFailed);
            expect(fresh.get(id)).toEqual(before);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is compared and set: a judgement of an older version changes nothing', () => {
    const seen = store.bead('task1');
    store.writer().updateBead(seen.id, { title: 'changed meanwhile' });
    expect(() => {
      store.writer().transitionBead(seen, 'in_progress', NO_END);
    }).toThrow(GuardFailed);
    expect(store.get(seen.id)).toMatchObject({ status: 'open', title: 'changed meanwhile' });
  });

  it('remembers when and why it ended', () => {
    const row = store.bead('task1');
    store.writer(NOW + 9).transitionBead(row, 'closed', { closeReason: 'cancelled', evidence: { note: 'enough' } });
    expect(store.get(row.id)).toMatchObject({
      closeReason: 'cancelled',
      evidence: { note: 'enough' },
      closedAtMs: NOW + 9,
    });
  });

  it.each(['status', 'close_reason', 'evidence'])('that ended never changes its %s, whoever writes (R4)', (column) => {
    const row = store.bead('task1');
    store.writer().transitionBead(row, 'closed', { closeReason: 'cancelled', evidence: { note: 'x' } });
    const before = store.get(row.id);
    expect(() => store.sql.all(`UPDATE beads SET ${column} = 'open' WHERE id = ?`, row.id)).toThrow(
      expect.objectContaining({ kind: 'trigger' }),
    );
    expect(() => store.sql.all(`UPDATE beads SET ${column} = NULL WHERE id = ?`, row.id)).toThrow(/final|NOT NULL/);
    expect(() => {
      store.writer().updateBead(row.id, { title: 'no' });
    }).toThrow(GuardFailed);
    expect(store.get(row.id)).toEqual(before);
  });

  it('marks what must be looked at again: itself, the scheduler, its train, its live attempt', () => {
    const row = store.bead('task1');
    const attempt = store.attempt(row, store.agent('nux'));
    store.dirty.clear();
    store.writer().transitionBead(row, 'in_progress', NO_END);
    expect([...store.dirty].toSorted()).toEqual(
      [beadRef(row.id), SCHEDULE, trainRef('main'), `attempt:${attempt}`].toSorted(),
    );
  });

  it('has a place in its convoy of its own', () => {
    const place = { convoyId: 'hq-cv-00000', convoyPosition: 0 };
    store.bead('one01', place);
    expect(() => store.bead('two02', place)).toThrow(expect.objectContaining({ kind: 'unique' }));
  });

  it('owns its branch', () => {
    const [one, two] = [store.bead('one01'), store.bead('two02')];
    store.writer().updateBead(one.id, { branch: 'gt/x' });
    expect(() => {
      store.writer().updateBead(two.id, { branch: 'gt/x' });
    }).toThrow(expect.objectContaining({ kind: 'unique' }));
  });

  it('is reported once, and reported again when somebody new asks for its end', () => {
    const { id } = store.bead('task1');
    store.writer().markEndReported(id);
    expect(() => {
      store.writer().markEndReported(id);
    }).toThrow(GuardFailed);
    store.writer().markWatched(id);
    expect([store.view.isWatched(id), store.view.endReported(id)]).toEqual([true, false]);
  });
});

describe('an agent', () => {
  it('changes status along the table only', () => {
    fc.assert(
      fc.property(fc.constantFrom(...AGENT_STATUSES), fc.constantFrom(...AGENT_STATUSES), (from, to) => {
        const fresh = new RigStore();
        const id = fresh.agent('nux');
        fresh.sql.all('UPDATE agents SET status = ? WHERE id = ?', from, id);
        const before = fresh.view.agent(id) ?? agent('missing');
        const move = (): void => {
          fresh.writer().transitionAgent(before, to);
        };
        if (allows(AGENT_TRANSITIONS, from, to)) move();
        else expect(move).toThrow(GuardFailed);
        expect(fresh.view.agent(id)?.status).toBe(allows(AGENT_TRANSITIONS, from, to) ? to : from);
      }),
      { numRuns: 40 },
    );
  });

  it('is compared and set', () => {
    const id = store.agent('nux');
    const seen = store.view.agent(id) ?? agent('missing');
    store.writer().updateAgent(id, { checkpoint: '{}' });
    expect(() => {
      store.writer().transitionAgent(seen, 'starting');
    }).toThrow(GuardFailed);
  });

  it('has one bead on its hook, and a bead hangs on one hook (split-brain)', () => {
    const [one, two] = [store.agent('nux'), store.agent('slit')];
    store.writer().updateAgent(one, { hook_bead_id: beadId('task1') });
    expect(() => {
      store.writer().updateAgent(two, { hook_bead_id: beadId('task1') });
    }).toThrow(expect.objectContaining({ kind: 'unique' }));
    store.writer().unhook(one);
    store.writer().updateAgent(two, { hook_bead_id: beadId('task1') });
    expect(store.view.agent(two)?.hookBeadId).toBe(beadId('task1'));
  });

  it('keeps its name for itself', () => {
    store.agent('nux');
    expect(() => store.agent('nux')).toThrow(expect.objectContaining({ kind: 'unique' }));
  });
});

describe('attempts', () => {
  it('one bead has at most one that lives (I1)', () => {
    const row = store.bead('task1');
    const first = store.attempt(row, store.agent('nux'));
    const slit = store.agent('slit');
    expect(() => store.attempt(row, slit)).toThrow(expect.objectContaining({ kind: 'unique' }));
    store.writer().endAttempt(first, 'cancelled', 'x', null);
    expect(() => store.attempt(row, slit), 'its process is not proven gone').toThrow(
      expect.objectContaining({ kind: 'unique' }),
    );
    store.writer().updateAttempt(first, { process_gone: 1 });
    expect(store.view.attempt(store.attempt(row, slit))?.endedAtMs).toBeNull();
  });

  it('one branch has at most one process, whichever of its beads it works on (I13)', () => {
    const source = store.bead('task1');
    const rework = store.bead('rewrk', { kind: 'rework', branchOf: source.id });
    const first = store.attempt(source, store.agent('nux'));
    const slit = store.agent('slit');
    store.writer().endAttempt(first, 'done', 'x', null);
    expect(() => store.attempt(rework, slit)).toThrow(expect.objectContaining({ kind: 'unique' }));
  });

  it('one agent has at most one process', () => {
    const nux = store.agent('nux');
    store.attempt(store.bead('one01'), nux);
    expect(() => store.attempt(store.bead('two02'), nux)).toThrow(expect.objectContaining({ kind: 'unique' }));
  });

  it('never share an epoch', () => {
    store.attempt(store.bead('one01'), store.agent('nux'));
    store.attempt(store.bead('two02'), store.agent('slit'));
    expect(() => store.sql.all('UPDATE attempts SET epoch = 1')).toThrow(expect.objectContaining({ kind: 'unique' }));
  });

  it('end once, and their outcome is final for whoever writes', () => {
    const id = store.attempt(store.bead('task1'), store.agent('nux'));
    store.writer(NOW + 1).endAttempt(id, 'done', 'well', null);
    expect(() => {
      store.writer(NOW + 2).endAttempt(id, 'infra', 'late', null);
    }).toThrow(GuardFailed);
    for (const change of ["outcome = 'infra'", 'ended_at = NULL', 'ended_at = 1'])
      expect(() => store.sql.all(`UPDATE attempts SET ${change} WHERE id = ?`, id)).toThrow(
        expect.objectContaining({ kind: 'trigger' }),
      );
    expect(store.view.attempt(id)).toMatchObject({ outcome: 'done', endedAtMs: NOW + 1, reason: 'well' });
  });

  it('take evidence after their end (R6)', () => {
    const id = store.attempt(store.bead('task1'), store.agent('nux'));
    store.writer().endAttempt(id, 'infra', 'lost', null);
    store.writer().updateAttempt(id, { late_head: commit(7) });
    expect(store.sql.all('SELECT late_head FROM attempts')).toEqual([{ late_head: commit(7) }]);
  });

  it('need a bead and an agent that exist', () => {
    const ghost = { ...store.bead('task1'), id: beadId('ghost') };
    const nux = store.agent('nux');
    expect(() => store.attempt(ghost, nux)).toThrow(expect.objectContaining({ kind: 'foreignkey' }));
    expect(() => store.attempt(store.bead('other'), polecat('ghost'))).toThrow(
      expect.objectContaining({ kind: 'foreignkey' }),
    );
  });
});

describe('merge requests', () => {
  const step = (id: ReturnType<typeof beadId>, from: 'queued' | 'preparing', to: 'preparing' | 'gating'): void => {
    store.writer().stepReview(id, { from, to, stepKey: `${to}-key`, columns: {} });
  };

  it('one at a time per target (I12), other targets go on', () => {
    const first = store.review(store.bead('one01'), 'mr001');
    const second = store.review(store.bead('two02'), 'mr002');
    const other = store.review(store.bead('thr03', { targetBranch: 'next' }), 'mr003');
    step(first, 'queued', 'preparing');
    expect(() => {
      step(second, 'queued', 'preparing');
    }).toThrow(expect.objectContaining({ kind: 'unique' }));
    step(other, 'queued', 'preparing');
    expect(store.view.activeReview('main')?.beadId).toBe(first);
    expect(store.view.activeReview('next')?.beadId).toBe(other);
  });

  it('one for life per source', () => {
    const source = store.bead('one01');
    store.review(source, 'mr001');
    expect(() => store.review(source, 'mr002')).toThrow(expect.objectContaining({ kind: 'unique' }));
  });

  it('move from the step that was judged, and consume its result', () => {
    const id = store.review(store.bead('one01'), 'mr001');
    step(id, 'queued', 'preparing');
    expect(store.writer().setReviewResult('preparing-key', { result: 'lost_race', targetSha: null })).toBe(id);
    expect(() => {
      step(id, 'queued', 'preparing');
    }).toThrow(GuardFailed);
    expect(store.view.review(id)?.result).toEqual({ result: 'lost_race', targetSha: null });
    step(id, 'preparing', 'gating');
    expect(store.view.review(id)?.result).toBeNull();
  });

  it('take no result of a step that is over', () => {
    const id = store.review(store.bead('one01'), 'mr001');
    step(id, 'queued', 'preparing');
    step(id, 'preparing', 'gating');
    expect(store.writer().setReviewResult('preparing-key', { result: 'lost_race', targetSha: null })).toBeNull();
    expect(store.view.review(id)?.result).toBeNull();
  });
});

describe('blockers', () => {
  const counts = (id: ReturnType<typeof beadId>) => {
    const { openBlockers, failedBlockers } = store.get(id);
    return [openBlockers, failedBlockers];
  };

  it('are counted from their rows after any history (I6)', () => {
    const refs = ['api-aaaaa', 'api-bbbbb', 'web-ccccc'];
    const operation = fc.tuple(fc.constantFrom('add', 'clear', 'fail', 'forgive'), fc.constantFrom(...refs));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (history) => {
        const fresh = new RigStore();
        const { id } = fresh.bead('task1');
        const { blockers } = fresh.writer();
        for (const [what, ref] of history) {
          if (what === 'add') blockers.add(id, ref, 'remote', 'open');
          else if (what === 'forgive') blockers.forgive(id, ref);
          else blockers.resolve(id, ref, what === 'clear');
        }
        const rows = fresh.view.blockers(id);
        const { openBlockers, failedBlockers } = fresh.get(id);
        expect(openBlockers).toBe(rows.filter((row) => row.state === 'open').length);
        expect(failedBlockers).toBe(rows.filter((row) => row.state === 'failed').length);
      }),
      { numRuns: 40 },
    );
  });

  it('of the same bead count once, and a settled one does not open again', () => {
    const { id } = store.bead('task1');
    const { blockers } = store.writer();
    for (let n = 0; n < 2; n += 1) blockers.add(id, 'api-aaaaa', 'remote', 'open');
    expect(counts(id)).toEqual([1, 0]);
    blockers.resolve(id, 'api-aaaaa', false);
    blockers.resolve(id, 'api-aaaaa', true);
    expect(counts(id)).toEqual([0, 1]);
    blockers.add(id, 'api-aaaaa', 'remote', 'open');
    expect(counts(id)).toEqual([0, 1]);
    blockers.forgive(id, 'api-aaaaa');
    expect(counts(id)).toEqual([0, 0]);
  });

  it('of another rig get their name later, and a double name is one blocker', () => {
    const { id } = store.bead('task1');
    const { blockers } = store.writer();
    blockers.add(id, 'hq-cv-00000/1', 'remote', 'open');
    blockers.rename('hq-cv-00000/1', 'web-bbbbb');
    expect(store.view.dependents(trusted.bead('web-bbbbb'))).toEqual([id]);
    blockers.resolve(id, 'web-bbbbb', true);
    expect(counts(id)).toEqual([0, 0]);
  });
});
