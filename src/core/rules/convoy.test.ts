import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convoy, convoyBead, CONVOY_ID } from '../../../test/support/convoy-builder.ts';
import { townView } from '../../../test/support/town-builder.ts';
import type { TownAction } from '../actions.ts';
import {
  CONVOY_BEAD_STATUSES,
  CONVOY_STATUSES,
  FAILURE_POLICIES,
  type Convoy,
  type ConvoyAddition,
  type ConvoyBead,
} from '../model/convoy.ts';
import { allows, CONVOY_TRANSITIONS } from '../transitions.ts';
import type { TownView } from '../town-view.ts';
import { convoyRule } from './convoy.ts';

const merged = { status: 'closed', closeReason: 'merged', mergeSha: 'f'.repeat(40) } as const;

interface Rest {
  readonly additions?: readonly ConvoyAddition[];
  readonly askedAbout?: number;
}
const view = (of: Convoy | null, beads: readonly ConvoyBead[], rest: Rest = {}): TownView =>
  townView({
    convoy: () => of,
    convoyBeads: () => beads,
    convoyAdditions: () => rest.additions ?? [],
    convoyAskedAbout: () => rest.askedAbout ?? 0,
  });
const judge = (of: Convoy, beads: readonly ConvoyBead[], rest: Rest = {}): readonly TownAction[] =>
  convoyRule(view(of, beads, rest), CONVOY_ID, 0).decisions.flatMap((decision) => decision.actions);
const messagesOf = (actions: readonly TownAction[]) =>
  actions.flatMap((action) => (action.type === 'message_rig' ? [action] : []));
const moves = (actions: readonly TownAction[]): string[] =>
  actions.flatMap((action) => (action.type === 'convoy_status' ? [`${action.from} to ${action.to}`] : []));

describe('convoyRule', () => {
  it('knows nothing of a convoy that does not exist, and leaves an ended one alone', () => {
    expect(convoyRule(view(null, []), CONVOY_ID, 0).decisions).toEqual([]);
    for (const status of ['landed', 'failed', 'cancelled'] as const)
      expect(judge(convoy({ status }), [convoyBead(0, merged)])).toEqual([]);
  });

  describe('while it is created', () => {
    it('waits until every rig has its beads', () => {
      expect(
        judge(convoy({ status: 'creating' }), [convoyBead(0), convoyBead(1, { status: 'creating', beadId: null })]),
      ).toEqual([]);
    });

    it('starts in every rig once, and names the beads of other rigs', () => {
      const actions = judge(convoy({ status: 'creating' }), [convoyBead(0), convoyBead(1), convoyBead(2)]);
      expect(moves(actions)).toEqual(['creating to active']);
      const messages = messagesOf(actions);
      expect(messages.map((action) => action.rig)).toEqual(['api', 'web']);
      expect(messages[0]?.message).toMatchObject({
        type: 'start_convoy',
        names: [0, 1, 2].map((position) => ({
          ref: `${CONVOY_ID}/${String(position)}`,
          bead: convoyBead(position).beadId,
        })),
      });
    });

    it('is staged instead when nobody asked to start it', () => {
      const actions = judge(convoy({ status: 'creating', startWhenReady: false }), [convoyBead(0), convoyBead(1)]);
      expect(moves(actions)).toEqual(['creating to staged']);
      expect(actions).toHaveLength(1);
    });

    it('fails as soon as one rig refuses, and every rig gets a cancel', () => {
      const beads = [convoyBead(0), convoyBead(1, { status: 'creating', beadId: null })];
      const actions = judge(convoy({ status: 'creating', reason: 'there is no bead api-zzzzz' }), beads);
      expect(moves(actions)).toEqual(['creating to failed']);
      expect(messagesOf(actions).map((action) => action.message.type)).toEqual(['cancel_convoy', 'cancel_convoy']);
    });

    it('cancels no bead that was there before: those leave', () => {
      const beads = [convoyBead(0, { adopted: true }), convoyBead(1, { adopted: true, status: 'cancelled' })];
      const actions = judge(convoy({ status: 'creating', reason: 'api-00001 is in another convoy' }), beads);
      expect(messagesOf(actions).map((action) => action.message)).toMatchObject([
        { type: 'leave_convoy', positions: [0], cancel: false },
        { type: 'leave_convoy', positions: [1], cancel: false },
      ]);
    });
  });

  it('stays staged until it is started', () => {
    expect(judge(convoy({ status: 'staged', startWhenReady: false }), [convoyBead(0)])).toEqual([]);
    expect(moves(judge(convoy({ status: 'staged' }), [convoyBead(0)]))).toEqual(['staged to active']);
  });

  describe('while it is active', () => {
    const started = { started: true } as const;
    const failed = { ...started, status: 'failed', closeReason: 'attempts_exhausted' } as const;
    const done = { ...started, ...merged };

    it.each(['failed', 'cancelled'] as const)(
      'holds with a bead that is %s, and asks a person once (T28)',
      (status) => {
        const beads = [convoyBead(0, done), convoyBead(1, { ...started, status })];
        const actions = judge(convoy(), beads);
        expect(actions).toMatchObject([
          { type: 'ask_about_convoy', beads: 1 },
          { type: 'open_escalation', causeKey: `convoy:${CONVOY_ID}`, severity: 'medium' },
        ]);
        expect(judge(convoy(), beads, { askedAbout: 1 })).toEqual([]);
      },
    );

    it('takes the question back when nothing holds it any more', () => {
      expect(judge(convoy(), [convoyBead(0, done), convoyBead(1, started)], { askedAbout: 1 })).toEqual([
        { type: 'ask_about_convoy', convoy: CONVOY_ID, beads: 0 },
        { type: 'close_escalation', causeKey: `convoy:${CONVOY_ID}` },
      ]);
    });

    describe('with the policy skip', () => {
      const skip = convoy({ onFailure: 'skip' });

      it('goes on while anything can run', () => {
        expect(judge(skip, [convoyBead(0, failed), convoyBead(1, started)])).toEqual([]);
      });

      it('lands the rest, and says without what', () => {
        const beads = [convoyBead(0, done), convoyBead(1, failed)];
        expect(moves(judge(skip, beads))).toEqual(['active to ready_to_land']);
        const landing = judge(convoy({ onFailure: 'skip', status: 'ready_to_land' }), beads);
        expect(landing).toMatchObject([
          { to: 'landed', reasonText: 'landed partially, without api-00001 (attempts_exhausted)' },
        ]);
      });

      it('fails when nothing ended well', () => {
        const beads = [convoyBead(0, failed), convoyBead(1, { ...started, status: 'cancelled' })];
        expect(moves(judge(skip, beads))).toEqual(['active to failed']);
      });
    });

    it('with the policy abort fails at once, and cancels what has not started', () => {
      const actions = judge(convoy({ onFailure: 'abort' }), [convoyBead(0, failed), convoyBead(1, started)]);
      expect(moves(actions)).toEqual(['active to failed']);
      expect(messagesOf(actions).map((action) => action.message)).toMatchObject([
        { type: 'cancel_convoy', scope: 'not_started' },
        { type: 'cancel_convoy', scope: 'not_started' },
      ]);
    });

    it('lets an addition run once all of it is there, and never lands before', () => {
      const addition = { batch: 1, state: 'pending', reason: null } as const;
      const waiting = [convoyBead(0, done), convoyBead(1, { batch: 1, status: 'creating', beadId: null })];
      expect(judge(convoy(), waiting, { additions: [addition] })).toEqual([]);
      const there = [convoyBead(0, done), convoyBead(1, { batch: 1 })];
      expect(judge(convoy(), there, { additions: [addition] })).toMatchObject([
        { type: 'accept_addition', batch: 1 },
        { type: 'start_beads', positions: [1] },
        { type: 'message_rig', rig: 'web', message: { type: 'start_convoy', positions: [1] } },
      ]);
    });

    it('takes a refused addition back whole', () => {
      const addition = { batch: 1, state: 'refused', reason: 'there is no bead api-zzzzz' } as const;
      const beads = [
        convoyBead(0, started),
        convoyBead(1, { batch: 1 }),
        convoyBead(2, { batch: 1, status: 'cancelled', beadId: null }),
      ];
      expect(judge(convoy(), beads, { additions: [addition] })).toMatchObject([
        { type: 'drop_beads', positions: [1, 2] },
        { type: 'message_rig', rig: 'web', message: { type: 'leave_convoy', positions: [1, 2], cancel: true } },
      ]);
    });

    it('is cancelled when every bead was', () => {
      const beads = [convoyBead(0, { status: 'cancelled' }), convoyBead(1, { status: 'cancelled' })];
      expect(moves(judge(convoy(), beads))).toEqual(['active to cancelled']);
    });

    it('is ready to land when all are closed', () => {
      expect(moves(judge(convoy(), [convoyBead(0, merged), convoyBead(1, merged)]))).toEqual([
        'active to ready_to_land',
      ]);
    });
  });

  describe('when it is ready to land', () => {
    const ready = convoy({ status: 'ready_to_land', closedBeads: 2 });

    it('lands on evidence: a merge commit for each bead that was merged', () => {
      expect(moves(judge(ready, [convoyBead(0, merged), convoyBead(1, merged)]))).toEqual(['ready_to_land to landed']);
      expect(judge(ready, [convoyBead(0, merged), convoyBead(1, { ...merged, mergeSha: null })])).toEqual([]);
    });

    it('needs no commit of a bead that changed nothing', () => {
      const unchanged = { status: 'closed', closeReason: 'no_change' } as const;
      expect(moves(judge(ready, [convoyBead(0, merged), convoyBead(1, unchanged)]))).toEqual([
        'ready_to_land to landed',
      ]);
    });
  });

  const anyBeads = fc.array(
    fc.record({
      status: fc.constantFrom(...CONVOY_BEAD_STATUSES),
      closeReason: fc.constantFrom('merged', 'no_change', 'cancelled', null),
      mergeSha: fc.constantFrom('f'.repeat(40), null),
    }),
    { maxLength: 5 },
  );

  it('moves only along the table, and lands only what its policy lets land', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CONVOY_STATUSES),
        fc.boolean(),
        fc.constantFrom(null, 'refused'),
        fc.record({ onFailure: fc.constantFrom(...FAILURE_POLICIES), rows: anyBeads }),
        (status, startWhenReady, reason, { onFailure, rows }) => {
          const beads = rows.map((over, position) => Object.freeze(convoyBead(position, over)));
          const of = Object.freeze(convoy({ status, startWhenReady, reason, onFailure }));
          const actions = judge(of, beads);
          expect(judge(of, beads)).toEqual(actions);
          for (const action of actions) {
            if (action.type !== 'convoy_status') continue;
            const to = CONVOY_STATUSES.find((known) => known === action.to);
            expect(to !== undefined && allows(CONVOY_TRANSITIONS, status, to)).toBe(true);
            if (to !== 'landed') continue;
            const closed = beads.filter((bead) => bead.status === 'closed').length;
            expect(closed).toBeGreaterThan(0);
            if (onFailure !== 'skip') expect(closed).toBe(beads.length);
          }
        },
      ),
    );
  });
});
