import { describe, expect, it } from 'vitest';
import { convoy, convoyBead, CONVOY_ID } from '../../../test/support/convoy-builder.ts';
import { townView } from '../../../test/support/town-builder.ts';
import type { ConvoyAddition, Convoy, ConvoyBead } from '../model/convoy.ts';
import { trusted } from '../model/ids.ts';
import { convoyRule } from './convoy.ts';

/** Every decision about a convoy, whole: what people read of it and what is done. */

interface Rest {
  readonly additions?: readonly ConvoyAddition[];
  readonly askedAbout?: number;
}

const judge = (of: Convoy, beads: readonly ConvoyBead[], rest: Rest = {}): unknown =>
  convoyRule(
    townView({
      convoy: () => of,
      convoyBeads: () => beads,
      convoyAdditions: () => rest.additions ?? [],
      convoyAskedAbout: () => rest.askedAbout ?? 0,
    }),
    CONVOY_ID,
    0,
  );

const nothing = { decisions: [], wakeAtMs: null };
const decision = (reason: string, ...actions: readonly object[]): object => ({
  rule: 'convoy',
  entity: 'convoy:hq-cv-00000',
  reason,
  actions,
});
const one = (reason: string, ...actions: readonly object[]): object => ({
  decisions: [decision(reason, ...actions)],
  wakeAtMs: null,
});
const moved = (from: Convoy['status'], to: Convoy['status'], reasonText: string | null = null): object => ({
  type: 'convoy_status',
  convoy: CONVOY_ID,
  from,
  to,
  reasonText,
});
const told = (rig: string, key: string, message: object): object => ({
  type: 'message_rig',
  rig,
  key: `${key}:${rig}`,
  message: { convoy: CONVOY_ID, ...message },
});
const names = [0, 1].map((position) => ({
  ref: `hq-cv-00000/${String(position)}`,
  bead: `api-0000${String(position)}`,
}));
const starts = (rig: string, positions: readonly number[], skip = false): object =>
  told(rig, 'start:hq-cv-00000', { type: 'start_convoy', names, positions, skip });
const released = [
  { type: 'start_beads', convoy: CONVOY_ID, positions: [0, 1] },
  starts('api', [0]),
  starts('web', [1]),
];
const merged = { started: true, status: 'closed', closeReason: 'merged', mergeSha: 'f'.repeat(40) } as const;
const failed = { started: true, status: 'failed', closeReason: 'merge_failed' } as const;

describe('what is decided of a convoy that is created', () => {
  it('it starts when every rig has its beads', () => {
    expect(judge(convoy({ status: 'creating' }), [convoyBead(0), convoyBead(1)])).toEqual(
      one('all rigs have its beads', moved('creating', 'active'), ...released),
    );
  });

  it('its policy goes with the start', () => {
    expect(judge(convoy({ status: 'creating', onFailure: 'skip' }), [convoyBead(0), convoyBead(1)])).toEqual(
      one(
        'all rigs have its beads',
        moved('creating', 'active'),
        { type: 'start_beads', convoy: CONVOY_ID, positions: [0, 1] },
        starts('api', [0], true),
        starts('web', [1], true),
      ),
    );
  });

  it('a bead without an id is started by its position and has no name', () => {
    const beads = [convoyBead(0), convoyBead(1), convoyBead(2, { beadId: null })];
    expect(judge(convoy({ status: 'creating' }), beads)).toEqual(
      one(
        'all rigs have its beads',
        moved('creating', 'active'),
        { type: 'start_beads', convoy: CONVOY_ID, positions: [0, 1, 2] },
        starts('api', [0]),
        starts('web', [1, 2]),
      ),
    );
  });

  it('it is staged when nobody asked to start it', () => {
    expect(judge(convoy({ status: 'creating', startWhenReady: false }), [convoyBead(0)])).toEqual(
      one('all rigs have its beads; it waits to be started', moved('creating', 'staged')),
    );
  });

  it('it fails when a rig refuses: new beads are cancelled, those that were there leave', () => {
    const reason = 'there is no bead web-zzzzz';
    const beads = [convoyBead(0), convoyBead(1, { adopted: true }), convoyBead(2, { status: 'creating' })];
    expect(judge(convoy({ status: 'creating', reason }), beads)).toEqual(
      one(
        `a rig refused: ${reason}`,
        moved('creating', 'failed', reason),
        told('web', 'leave:hq-cv-00000', { type: 'leave_convoy', positions: [1], cancel: false, reason }),
        told('api', 'cancel:hq-cv-00000', { type: 'cancel_convoy', reason }),
        told('web', 'cancel:hq-cv-00000', { type: 'cancel_convoy', reason }),
        { type: 'void_beads', convoy: CONVOY_ID, positions: [1] },
      ),
    );
  });

  it('nothing is voided when no bead was there before', () => {
    expect(judge(convoy({ status: 'creating', reason: 'no' }), [convoyBead(0)])).toEqual(
      one(
        'a rig refused: no',
        moved('creating', 'failed', 'no'),
        told('api', 'cancel:hq-cv-00000', { type: 'cancel_convoy', reason: 'no' }),
      ),
    );
  });
});

describe('what is decided of a staged convoy', () => {
  const staged = convoy({ status: 'staged', startWhenReady: false });

  it('it starts when a person says so', () => {
    expect(judge(convoy({ status: 'staged' }), [convoyBead(0), convoyBead(1)])).toEqual(
      one('it was started', moved('staged', 'active'), ...released),
    );
  });

  it('it ends when all of its beads were cancelled', () => {
    const reason = 'every bead was cancelled';
    expect(judge(staged, [convoyBead(0, { status: 'cancelled' })])).toEqual(
      one(reason, moved('staged', 'cancelled', reason)),
    );
    expect(judge(staged, [convoyBead(0, { status: 'cancelled' }), convoyBead(1)])).toEqual(nothing);
  });

  it('it does not end because its beads failed: a person closes it', () => {
    const skip = convoy({ status: 'staged', startWhenReady: false, onFailure: 'skip' });
    expect(judge(skip, [convoyBead(0, { status: 'failed' })])).toEqual(nothing);
  });

  it('beads join it without being started', () => {
    const addition = { batch: 1, state: 'pending', reason: null } as const;
    expect(judge(staged, [convoyBead(0), convoyBead(1, { batch: 1 })], { additions: [addition] })).toEqual(
      one('all rigs have the beads that were added', { type: 'accept_addition', convoy: CONVOY_ID, batch: 1 }),
    );
  });
});

describe('what is decided of an addition', () => {
  const started = convoyBead(0, { started: true });

  it('one that all rigs took runs', () => {
    const beads = [started, convoyBead(1, { batch: 1 })];
    const addition = { batch: 1, state: 'pending', reason: null } as const;
    expect(judge(convoy(), beads, { additions: [addition] })).toEqual({
      decisions: [
        decision('all rigs have the beads that were added', {
          type: 'accept_addition',
          convoy: CONVOY_ID,
          batch: 1,
        }),
        decision(
          'all rigs have the beads that were added',
          { type: 'start_beads', convoy: CONVOY_ID, positions: [1] },
          starts('web', [1]),
        ),
      ],
      wakeAtMs: null,
    });
  });

  it.each([
    ['a named reason', 'there is no bead web-zzzzz', 'there is no bead web-zzzzz'],
    ['no reason', null, 'their addition was refused'],
  ])('one that a rig refused for %s is taken back', (_case, reason, text) => {
    const beads = [started, convoyBead(1, { batch: 1 })];
    const addition = { batch: 1, state: 'refused', reason } as const;
    expect(judge(convoy(), beads, { additions: [addition] })).toEqual(
      one(
        `a rig refused: ${text}`,
        { type: 'drop_beads', convoy: CONVOY_ID, positions: [1] },
        told('web', 'undo:hq-cv-00000', { type: 'leave_convoy', positions: [1], cancel: true, reason: text }),
      ),
    );
  });

  it('beads that were there before leave instead of being cancelled', () => {
    const beads = [started, convoyBead(1, { batch: 1, adopted: true })];
    const addition = { batch: 1, state: 'refused', reason: 'no' } as const;
    expect(judge(convoy(), beads, { additions: [addition] })).toEqual(
      one(
        'a rig refused: no',
        { type: 'drop_beads', convoy: CONVOY_ID, positions: [1] },
        told('web', 'leave:hq-cv-00000', { type: 'leave_convoy', positions: [1], cancel: false, reason: 'no' }),
      ),
    );
  });

  it('waits until all of it is there', () => {
    const beads = [started, convoyBead(1, { batch: 1 }), convoyBead(2, { batch: 1, status: 'creating' })];
    const addition = { batch: 1, state: 'pending', reason: null } as const;
    expect(judge(convoy(), beads, { additions: [addition] })).toEqual(nothing);
  });

  it('of beads that were there before and of new ones, the new ones end and the others leave', () => {
    const beads = [
      started,
      convoyBead(1, { batch: 1, adopted: true }),
      convoyBead(2, { batch: 1 }),
      convoyBead(3, { batch: 1 }),
    ];
    const addition = { batch: 1, state: 'refused', reason: 'no' } as const;
    expect(judge(convoy(), beads, { additions: [addition] })).toEqual(
      one(
        'a rig refused: no',
        { type: 'drop_beads', convoy: CONVOY_ID, positions: [1, 2, 3] },
        told('web', 'undo:hq-cv-00000', { type: 'leave_convoy', positions: [2, 3], cancel: true, reason: 'no' }),
        told('web', 'leave:hq-cv-00000', { type: 'leave_convoy', positions: [1], cancel: false, reason: 'no' }),
      ),
    );
  });

  it('one that is taken back already is not taken back again', () => {
    const addition = { batch: 1, state: 'refused', reason: 'no' } as const;
    expect(judge(convoy(), [started], { additions: [addition] })).toEqual(nothing);
  });

  it('two batches are judged apart', () => {
    const beads = [
      started,
      convoyBead(1, { batch: 1, status: 'creating', beadId: null }),
      convoyBead(2, { batch: 2, beadId: trusted.bead('api-00001') }),
    ];
    const both = [1, 2].map((batch) => ({ batch, state: 'pending' as const, reason: null }));
    expect(judge(convoy(), beads, { additions: both })).toMatchObject({
      decisions: [
        { actions: [{ type: 'accept_addition', batch: 2 }] },
        {
          actions: [
            { type: 'start_beads', positions: [2] },
            { rig: 'web', message: { positions: [2] } },
          ],
        },
      ],
    });
  });
});

describe('what is decided of a convoy whose beads run', () => {
  it('it is ready when all ended well', () => {
    expect(judge(convoy(), [convoyBead(0, merged), convoyBead(1, merged)])).toEqual(
      one('every bead ended well', moved('active', 'ready_to_land')),
    );
  });

  it('it is ready without what its policy skips', () => {
    expect(judge(convoy({ onFailure: 'skip' }), [convoyBead(0, merged), convoyBead(1, failed)])).toEqual(
      one('what could run has ended; left out: api-00001 (merge_failed)', moved('active', 'ready_to_land')),
    );
  });

  it('it fails when nothing ended well', () => {
    const reason = 'no bead ended well: api-00000 (merge_failed)';
    expect(judge(convoy({ onFailure: 'skip' }), [convoyBead(0, failed)])).toEqual(
      one(reason, moved('active', 'failed', reason)),
    );
  });

  it('it is aborted when its policy says so', () => {
    const reason = 'aborted, because of api-00001 (merge_failed)';
    const beads = [convoyBead(0, { started: true }), convoyBead(1, failed)];
    const cancel = { type: 'cancel_convoy', reason, scope: 'not_started' };
    expect(judge(convoy({ onFailure: 'abort' }), beads)).toEqual(
      one(
        reason,
        moved('active', 'failed', reason),
        told('api', 'cancel:hq-cv-00000', cancel),
        told('web', 'cancel:hq-cv-00000', cancel),
      ),
    );
  });

  describe('and a person was asked', () => {
    const beads = [convoyBead(0, { started: true }), convoyBead(1, failed), convoyBead(2, failed)];
    const count = (bad: number): object => ({ type: 'ask_about_convoy', convoy: CONVOY_ID, beads: bad });
    const answered = [count(0), { type: 'close_escalation', causeKey: 'convoy:hq-cv-00000' }];

    it('again when one more ends badly', () => {
      expect(judge(convoy(), beads, { askedAbout: 1 })).toEqual(
        one('beads ended badly, and its policy is to ask a person', count(2), {
          type: 'open_escalation',
          rig: null,
          causeKey: 'convoy:hq-cv-00000',
          severity: 'medium',
          category: 'convoy',
          subject: 'convoy:hq-cv-00000',
          message: 'The convoy "All of it" is held because of api-00001 (merge_failed), api-00002 (merge_failed).',
        }),
      );
    });

    it('not again about the same, nor when one was taken out', () => {
      expect(judge(convoy(), beads, { askedAbout: 2 })).toEqual(nothing);
      expect(judge(convoy(), beads, { askedAbout: 3 })).toEqual(one('fewer beads ended badly', count(2)));
    });

    it('and nothing holds it any more', () => {
      expect(judge(convoy(), [convoyBead(0, { started: true })], { askedAbout: 1 })).toEqual(
        one('nothing holds it any more', ...answered),
      );
    });

    it.each<[string, Convoy, readonly ConvoyBead[]]>([
      ['it is ready', convoy(), [convoyBead(0, merged)]],
      ['nothing is left', convoy(), [convoyBead(0, { started: true, status: 'cancelled' })]],
      ['it is aborted', convoy({ onFailure: 'abort' }), [convoyBead(0, failed)]],
    ])('the question is taken back because %s', (_case, of, rows) => {
      expect(judge(of, rows, { askedAbout: 1 })).toMatchObject({
        decisions: [{ actions: expect.arrayContaining([...answered]) }],
      });
    });
  });
});

describe('what is decided of a convoy whose beads landed one by one', () => {
  const ready = convoy({ status: 'ready_to_land' });

  it('it has landed', () => {
    expect(judge(ready, [convoyBead(0, merged), convoyBead(1, merged)])).toEqual(
      one('every bead is merged or needed no change', moved('ready_to_land', 'landed')),
    );
  });

  it('it has landed in part', () => {
    const of = convoy({ status: 'ready_to_land', onFailure: 'skip' });
    expect(judge(of, [convoyBead(0, merged), convoyBead(1, failed)])).toEqual(
      one(
        'what ended well has landed',
        moved('ready_to_land', 'landed', 'landed partially, without api-00001 (merge_failed)'),
      ),
    );
  });

  it('it waits for the commit of a merge, and for what its policy does not skip', () => {
    expect(judge(ready, [convoyBead(0, merged), convoyBead(1, { ...merged, mergeSha: null })])).toEqual(nothing);
    expect(judge(ready, [convoyBead(0, merged), convoyBead(1, failed)])).toEqual(nothing);
    expect(judge(ready, [])).toEqual(nothing);
  });
});
