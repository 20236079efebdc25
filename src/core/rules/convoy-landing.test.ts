import { describe, expect, it } from 'vitest';
import { convoy, convoyBead, CONVOY_ID, landing } from '../../../test/support/convoy-builder.ts';
import { townView } from '../../../test/support/town-builder.ts';
import { LANDING_ATTEMPTS_MAX, LANDING_BACKOFF_MS } from '../limits.ts';
import type { Convoy, ConvoyBead } from '../model/convoy.ts';
import { trusted } from '../model/ids.ts';
import type { ConvoyLanding } from '../model/landing.ts';
import { convoyRule } from './convoy.ts';

const NOW = 5_000_000;
const BRANCH = 'gt/hq-cv-00000';
const of = convoy({ status: 'ready_to_land', mergeMode: 'review-then-land', featureBranch: BRANCH });
const merged = { status: 'closed', closeReason: 'merged', mergeTarget: BRANCH, mergeSha: 'f'.repeat(40) } as const;
const beads = [convoyBead(0, merged), convoyBead(1, merged)];

const judge = (
  landings: readonly ConvoyLanding[],
  { rows = beads, as = of }: { readonly rows?: readonly ConvoyBead[]; readonly as?: Convoy } = {},
): unknown =>
  convoyRule(townView({ convoy: () => as, convoyBeads: () => rows, convoyLandings: () => landings }), CONVOY_ID, NOW);
const waits = (wakeAtMs: number | null): object => ({ decisions: [], wakeAtMs });
const one = (reason: string, ...actions: readonly object[]): object => ({
  decisions: [{ rule: 'convoy-landing', entity: 'convoy:hq-cv-00000', reason, actions }],
  wakeAtMs: null,
});
const moved = (to: string, reasonText: string | null): object => ({
  type: 'convoy_status',
  convoy: CONVOY_ID,
  from: 'ready_to_land',
  to,
  reasonText,
});
const ordered = (rig: string, attempt: number, titles: readonly string[]): readonly object[] => [
  { type: 'order_landing', convoy: CONVOY_ID, rig, attempt },
  {
    type: 'message_rig',
    rig,
    key: `land:hq-cv-00000:${String(attempt)}:${rig}`,
    message: { type: 'land_convoy', convoy: CONVOY_ID, title: 'All of it', attempt, beads: titles },
  },
];

describe('a convoy that lands at once', () => {
  it('orders nothing of a rig that was removed, says so once, and goes on when it is back', () => {
    const why = 'the rig web was removed before the convoy landed there';
    const look = (reason: string | null, isRemovedRig: boolean, branch = of.featureBranch): unknown =>
      convoyRule(
        townView({
          convoy: () => ({ ...of, featureBranch: branch }),
          convoyBeads: () => beads,
          convoyLandings: () => [landing(1, { reason })],
          isRemovedRig: (rig) => isRemovedRig && rig === 'web',
        }),
        CONVOY_ID,
        NOW,
      );
    const hold = (reason: string | null): object => ({ type: 'hold_landing', convoy: CONVOY_ID, rig: 'web', reason });
    const causeKey = `convoy:${CONVOY_ID}`;
    const told = (branch: string): object => ({
      type: 'open_escalation',
      rig: '',
      causeKey,
      severity: 'high',
      category: 'convoy',
      subject: `convoy:${CONVOY_ID}`,
      message: `The convoy "All of it" can't land: ${why}. Its work there is on ${branch} of the origin. "gt rig add web <url>" adds the rig again, and it lands by itself; "gt convoy close ${CONVOY_ID}" ends it without what has not landed.`,
    });
    expect(look(null, true, 'gt/x')).toEqual(one(why, hold(why), told('gt/x')));
    expect(look(null, true, null)).toEqual(one(why, hold(why), told('its feature branch')));
    expect(look(why, true)).toEqual(waits(null));
    expect(look(why, false)).toEqual(
      one('the rig web was added again', hold(null), { type: 'close_escalation', causeKey }),
    );
    expect(look(null, false)).toMatchObject({ decisions: [{ actions: [{ type: 'order_landing' }, {}] }] });
  });

  it('plans its rigs in order; one in which nothing was merged has nothing to land', () => {
    const plan = (empty: boolean): object => ({
      type: 'plan_landing',
      convoy: CONVOY_ID,
      rigs: [
        { rig: 'web', empty },
        { rig: 'api', empty: false },
      ],
    });
    const as = { ...of, landingOrder: ['web'] };
    expect(judge([], { as })).toEqual(one('it lands in this order: web, api', plan(false)));
    const unmerged: readonly Partial<ConvoyBead>[] = [
      { closeReason: 'no_change' },
      { mergeTarget: 'main' },
      { mergeTarget: null },
    ];
    for (const over of unmerged)
      expect(judge([], { as, rows: [convoyBead(0, merged), convoyBead(1, { ...merged, ...over })] })).toEqual(
        one('it lands in this order: web, api', plan(true)),
      );
  });

  it('orders the first landing, with the beads that were merged in that rig', () => {
    const rows = [
      convoyBead(0, { ...merged, title: 'One' }),
      convoyBead(1, { ...merged, title: 'Elsewhere' }),
      convoyBead(2, { ...merged, rig: trusted.rig('api'), title: 'Two' }),
      convoyBead(3, { ...merged, rig: trusted.rig('api'), closeReason: 'no_change', title: 'Nothing' }),
      convoyBead(4, { ...merged, rig: trusted.rig('api'), beadId: null, title: 'Unknown' }),
    ];
    expect(judge([landing(0), landing(1)], { rows })).toEqual(
      one('api is next to land, attempt 1', ...ordered('api', 1, ['api-00000 One', 'api-00002 Two'])),
    );
  });

  it('waits for the landing that is under way', () => {
    expect(judge([landing(0, { state: 'ordered', attempt: 1 }), landing(1)])).toEqual(waits(null));
  });

  it.each(['landed', 'nothing'] as const)('goes on with the next rig after one with %s', (state) => {
    expect(judge([landing(0, { state, attempt: 1, mergeSha: 'e'.repeat(40) }), landing(1)])).toEqual(
      one('web is next to land, attempt 1', ...ordered('web', 1, ['api-00001 a'])),
    );
  });

  it('tries again at the end of the wait, not before', () => {
    const again = (notBeforeMs: number): unknown => judge([landing(0, { attempt: 2, notBeforeMs }), landing(1)]);
    expect(again(NOW + 1)).toEqual(waits(NOW + 1));
    expect(again(NOW)).toEqual(one('api is next to land, attempt 3', ...ordered('api', 3, ['api-00000 a'])));
  });

  it.each([1, 2, 3, 4])('waits longer after each failure: attempt %i', (attempt) => {
    const reason = 'the gate test is red';
    expect(judge([landing(0, { state: 'failed', attempt, reason }), landing(1)])).toEqual(
      one(`attempt ${String(attempt)} to land in api failed: ${reason}`, {
        type: 'retry_landing',
        convoy: CONVOY_ID,
        rig: 'api',
        attempt,
        notBeforeMs: NOW + (LANDING_BACKOFF_MS[attempt - 1] ?? 0),
      }),
    );
  });

  describe('that could not land', () => {
    const last = { state: 'failed', attempt: LANDING_ATTEMPTS_MAX } as const;
    const failed = (reason: string, rig: string, branch = BRANCH): object =>
      one(reason, moved('failed', reason), {
        type: 'open_escalation',
        rig,
        causeKey: 'convoy:hq-cv-00000',
        severity: 'high',
        category: 'convoy',
        subject: 'convoy:hq-cv-00000',
        message: `The convoy "All of it" ${reason}. All of its work is on ${branch} of each rig.`,
      });

    it('fails, and a person hears where its work is', () => {
      const reason = 'could not land in api after 5 attempts: red; nothing has landed, not in api, web';
      expect(judge([landing(0, { ...last, reason: 'red' }), landing(1)])).toEqual(failed(reason, 'api'));
    });

    it('says where it has landed', () => {
      const done = landing(0, { state: 'landed', attempt: 1, mergeSha: 'e'.repeat(40) });
      const docs = landing(2, { rig: trusted.rig('docs'), state: 'landed', mergeSha: 'd'.repeat(40) });
      const reason =
        'could not land in web after 5 attempts: its merge request was given up; landed in api, docs, not in web';
      expect(judge([done, landing(1, last), docs])).toEqual(failed(reason, 'web'));
    });

    it('without a feature branch says so in words', () => {
      const reason = 'could not land in api after 5 attempts: red; nothing has landed, not in api';
      expect(judge([landing(0, { ...last, reason: 'red' })], { as: { ...of, featureBranch: null } })).toEqual(
        failed(reason, 'api', 'its feature branch'),
      );
    });
  });

  describe('of which every rig has landed', () => {
    const done = [landing(0, { state: 'landed', mergeSha: 'e'.repeat(40) }), landing(1, { state: 'nothing' })];
    const reason = 'every rig has its landing on its target';

    it('has landed', () => {
      expect(judge(done)).toEqual(one(reason, moved('landed', null)));
    });

    it('has landed in part', () => {
      const rows = [convoyBead(0, merged), convoyBead(1, { status: 'failed', closeReason: 'merge_failed' })];
      expect(judge(done, { rows })).toEqual(
        one(reason, moved('landed', 'landed partially, without api-00001 (merge_failed)')),
      );
    });

    it('waits for the commit of a landing', () => {
      expect(judge([landing(0, { state: 'landed' }), landing(1, { state: 'nothing' })])).toEqual(waits(null));
    });
  });
});
