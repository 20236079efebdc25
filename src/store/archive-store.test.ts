import { beforeEach, describe, expect, it } from 'vitest';
import { NOW } from '../../test/support/rig-view-builder.ts';
import { RigStore } from '../../test/support/rig-store.ts';
import type { Bead } from '../core/model/bead.ts';
import { trusted } from '../core/model/ids.ts';
import { makeFormula } from '../core/model/molecule.ts';
import { archivedInUse } from './archive-store.ts';

const LATER = NOW + 1_000;
let store: RigStore;
let done: Bead;
beforeEach(() => {
  store = new RigStore();
  done = end(store.bead('done'));
});
const end = (bead: Bead): Bead => {
  store.writer().transitionBead(bead, 'closed', { closeReason: 'cancelled', evidence: null });
  return store.get(bead.id);
};
const putAway = (bead: Bead): void => {
  store.view.archive.putAway(bead.id, LATER, 0);
};

describe('a branch that ended', () => {
  it('is not needed once it is old enough', () => {
    expect(store.view.isKept(done.id, NOW)).toBe(false);
    expect(store.view.isKept(done.id, NOW - 1)).toBe(true);
  });

  it.each<[string, () => void]>([
    [
      'a bead that lives was blocked by its failure',
      () => store.writer().blockers.add(store.bead('w').id, done.id, 'local', 'failed'),
    ],
    ['somebody waits for it', () => store.writer().blockers.add(store.bead('w').id, done.id, 'local', 'open')],
    ['its escalation is open', () => store.writer().markEscalated(done.id, true)],
    ['the town has not heard of its end', () => store.writer().markWatched(done.id)],
    ['rework of it lives', () => store.bead('rework', { kind: 'rework', branchOf: done.id })],
    ['a process of it may live', () => store.attempt(done, store.agent('nux'))],
    [
      'what took its place lives',
      () => store.sql.all('UPDATE beads SET reopened_as = ? WHERE id = ?', store.bead('next').id, done.id),
    ],
  ])('is kept while %s', (_what, make) => {
    make();
    expect(store.view.isKept(done.id, LATER)).toBe(true);
  });

  it('rests with its formula', () => {
    store.view.molecules.attach(done.id, makeFormula('f', [{ title: 'a' }, { title: 'b' }]), NOW);
    store.view.molecules.settle(done.id, { number: 1, status: 'done', summary: 's' }, { attempt: 'at-1', nowMs: NOW });
    const before = store.view.molecule(done.id);
    putAway(done);
    expect(store.view.molecule(done.id)).toBeNull();
    expect(store.view.archive.find(done.id)?.molecule).toEqual(before);
    expect(before?.steps.map((step) => step.status)).toEqual(['done', 'open']);
    store.view.archive.bringBack(done.id);
    expect(store.view.molecule(done.id)).toEqual(before);
  });

  it('rests as a whole and comes back as it was, by the name of any of its beads', () => {
    const rework = end(store.bead('rework', { kind: 'rework', branchOf: done.id, body: 'x'.repeat(100_000) }));
    store.writer().blockers.add(rework.id, 'web-other', 'remote', 'cleared');
    const before = [store.get(done.id), store.get(rework.id), store.view.blockers(rework.id)];
    putAway(done);
    expect(store.view.bead(done.id)).toBeNull();
    expect(store.view.archive.find(rework.id)).toMatchObject({ bead: before[1], archivedAtMs: LATER });
    expect(store.view.archive.find(done.id)?.rework).toEqual([rework.id]);
    expect(store.view.archive.count('closed')).toBe(2);
    expect(store.writer().beadExists(done.id)).toBe(true);

    expect(store.view.archive.bringBack(rework.id)).toBe(true);
    expect([store.get(done.id), store.get(rework.id), store.view.blockers(rework.id)]).toEqual(before);
    expect(store.view.archive.find(rework.id)).toBeNull();
    expect(store.view.archive.count('closed')).toBe(0);
    expect(store.view.archive.bringBack(rework.id)).toBe(false);
  });

  it('comes back into tables that have grown since', () => {
    putAway(done);
    store.sql.all(`ALTER TABLE beads ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'`);
    store.sql.all('ALTER TABLE beads ADD COLUMN level INTEGER NOT NULL DEFAULT 3');
    expect(store.view.archive.find(done.id)?.bead).toEqual(done);
    store.view.archive.bringBack(done.id);
    expect(store.sql.all('SELECT mood, level FROM beads')).toEqual([{ mood: 'calm', level: 3 }]);
  });

  it('is told when something that lives refers to it (I33)', () => {
    const waiting = store.bead('w');
    putAway(done);
    expect(archivedInUse(store.sql)).toEqual([]);
    store.writer().blockers.add(waiting.id, done.id, 'local', 'failed');
    expect(archivedInUse(store.sql)).toEqual([`${waiting.id} waits for ${done.id}`]);
  });
});

describe('the walk over what is old', () => {
  const walk = (seen: string | null): { readonly ids: readonly string[]; readonly seen: string | null } =>
    store.view.archive.candidates(LATER, 2, seen);

  it('goes on behind what is kept, and begins anew after the last', () => {
    const names = ['a', 'b', 'c'].map((suffix) => end(store.bead(suffix)).id);
    const first = walk(null);
    const second = walk(first.seen);
    expect([...first.ids, ...second.ids]).toEqual([...names, done.id]);
    expect(walk(second.seen)).toEqual({ ids: [], seen: null });
    expect(store.view.archive.candidates(NOW - 1, 2, null).ids).toEqual([]);
  });
});

describe('agents that may retire', () => {
  it('were not used for long, or are no polecats of the rig, which older versions made of any text', () => {
    store.agent('nux');
    for (const id of ['web/polecats/nux', '<>', 'x'])
      store.sql.all(
        `INSERT INTO agents (id, role, name, status, created_at, updated_at) VALUES (?, 'polecat', ?, 'idle', ?, ?)`,
        id,
        id,
        NOW,
        LATER,
      );
    const unused = (beforeMs: number) => store.view.archive.unused(trusted.rig('api'), beforeMs, 10);
    expect(unused(NOW - 1)).toEqual(['<>', 'web/polecats/nux', 'x']);
    expect(unused(NOW)).toEqual(['api/polecats/nux', '<>', 'web/polecats/nux', 'x']);
  });
});
