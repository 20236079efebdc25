import { describe, expect, it } from 'vitest';
import { convoy, convoyBead, CONVOY_ID, landing } from '../../test/support/convoy-builder.ts';
import { removedText } from './model/landing.ts';
import { LANDING_ATTEMPTS_MAX } from './limits.ts';
import type { Convoy } from './model/convoy.ts';
import { trusted } from './model/ids.ts';
import type { ConvoyLanding } from './model/landing.ts';
import type { Why } from './queries.ts';
import { convoyPhase, whyConvoy } from './why-convoy.ts';

const CREATED = 111;
const given = (over: Partial<Convoy> = {}): Convoy => convoy({ createdAtMs: CREATED, ...over });
/** What is not said: since it was made, no command, no moment to look again. */
const said = (of: Convoy, over: Partial<Why>): Partial<Why> => ({
  id: CONVOY_ID,
  state: of.status,
  rule: 'convoy',
  sinceMs: CREATED,
  command: null,
  wakeAtMs: null,
  ...over,
});

describe('why a convoy is where it is', () => {
  it('waits for the rigs that have not taken their beads', () => {
    const of = given({ status: 'creating' });
    const beads = [
      convoyBead(0, { status: 'live' }),
      convoyBead(1, { status: 'creating' }),
      convoyBead(2, { status: 'creating' }),
      convoyBead(3, { status: 'creating', rig: trusted.rig('docs') }),
    ];
    expect(whyConvoy(of, beads)).toEqual(
      said(of, {
        sentence: 'Waits for the rigs web, docs to take its beads.',
        next: 'All of them have answered.',
      }),
    );
  });

  it('waits for its start', () => {
    const of = given({ status: 'staged' });
    expect(whyConvoy(of, [convoyBead(0)])).toEqual(
      said(of, {
        sentence: 'Complete and staged.',
        next: 'A person starts it.',
        command: 'gt convoy start hq-cv-00000',
      }),
    );
  });

  it('waits for its beads', () => {
    const of = given({ closedBeads: 1 });
    expect(whyConvoy(of, [convoyBead(0, { status: 'closed' }), convoyBead(1)])).toEqual(
      said(of, {
        sentence: '1 of 2 beads are merged or needed no change.',
        next: 'The rest of its beads.',
      }),
    );
  });

  it('names the bead that only a person can move, beside what was left out', () => {
    const of = given({ totalBeads: 3, closedBeads: 1, cancelledBeads: 1, onFailure: 'skip' });
    const beads = [convoyBead(0, { status: 'closed' }), convoyBead(1, { status: 'cancelled' }), convoyBead(2)];
    const asked = { landings: [], now: null, reverts: [] };
    expect(whyConvoy(of, beads, { ...asked, standing: ['api-00002'] })).toEqual(
      said(of, {
        sentence:
          '1 of 3 beads are merged or needed no change; left out api-00001 (cancelled); api-00002 waits for a person.',
        next: 'A person looks at api-00002.',
        command: 'gt why api-00002',
      }),
    );
    expect(whyConvoy(of, beads, { ...asked, standing: ['api-00002', 'web-1'] }).sentence).toContain(
      'api-00002, web-1 wait for a person.',
    );
  });

  it('goes on without beads that its policy skips', () => {
    const of = given({ onFailure: 'skip', totalBeads: 4, closedBeads: 1, failedBeads: 1, cancelledBeads: 1 });
    const beads = [
      convoyBead(0, { status: 'closed' }),
      convoyBead(1, { status: 'failed', closeReason: 'merge_failed' }),
      convoyBead(2, { status: 'cancelled', beadId: null, title: 'Write the page' }),
      convoyBead(3),
    ];
    expect(whyConvoy(of, beads)).toEqual(
      said(of, {
        sentence:
          '1 of 4 beads are merged or needed no change; left out api-00001 (merge_failed), Write the page (cancelled); the rest goes on.',
        next: 'The rest of its beads.',
      }),
    );
  });

  it.each(['failed', 'cancelled'] as const)('goes on without the one that is %s', (status) => {
    const of = given({ onFailure: 'skip' });
    expect(whyConvoy(of, [convoyBead(0), convoyBead(1, { status })]).sentence).toBe(
      `0 of 2 beads are merged or needed no change; left out api-00001 (${status}); the rest goes on.`,
    );
  });

  it('waits for a person who decides about a bead that ended badly', () => {
    const of = given({ closedBeads: 1, failedBeads: 1 });
    const beads = [
      convoyBead(0, { status: 'closed' }),
      convoyBead(1, { status: 'failed', closeReason: 'attempts_exhausted' }),
    ];
    expect(whyConvoy(of, beads)).toEqual(
      said(of, {
        state: 'needs_human',
        sentence:
          '1 of 2 beads are merged or needed no change; waits for a person because of api-00001 (attempts_exhausted).',
        next: 'A person decides: "gt convoy update hq-cv-00000 --on-failure skip" goes on without them, "gt convoy remove hq-cv-00000 <bead>" takes one out, "gt convoy close hq-cv-00000" ends it.',
        command: 'gt convoy update hq-cv-00000 --on-failure skip',
      }),
    );
  });

  it('has landed, whole or in part', () => {
    const whole = given({ status: 'landed', closedBeads: 2, landedAtMs: 222 });
    expect(whyConvoy(whole, [])).toEqual(
      said(whole, {
        sentence: 'Landed: 2 of 2 beads are merged or needed no change.',
        next: null,
        sinceMs: 222,
      }),
    );
    const part = given({ status: 'landed', closedBeads: 1, failedBeads: 1, landedAtMs: 222 });
    const beads = [convoyBead(0, { status: 'closed' }), convoyBead(1, { status: 'failed' })];
    expect(whyConvoy(part, beads)).toEqual(
      said(part, {
        sentence: 'Landed partially: 1 of 2 beads are merged or needed no change; left out api-00001 (failed).',
        next: null,
        sinceMs: 222,
      }),
    );
  });

  it.each([
    ['cancelled', 'every bead was cancelled', 'Ended as cancelled: every bead was cancelled.'],
    ['failed', null, 'Ended as failed.'],
  ] as const)('ended as %s because of %s', (status, reason, sentence) => {
    const of = given({ status, reason });
    expect(whyConvoy(of, [])).toEqual(said(of, { sentence, next: null }));
  });
});

describe('why a convoy has not landed yet', () => {
  const of = given({ status: 'ready_to_land', landingOrder: ['web'] });
  const beads = [convoyBead(0, { status: 'closed' }), convoyBead(1, { status: 'closed' })];
  const web = (over: Partial<ConvoyLanding> = {}): ConvoyLanding => landing(0, { rig: trusted.rig('web'), ...over });
  const api = (over: Partial<ConvoyLanding> = {}): ConvoyLanding => landing(1, { rig: trusted.rig('api'), ...over });
  const now: Why = {
    id: 'web-land1',
    state: 'in_review',
    sentence: 'In line for main since 1 min.',
    rule: 'merge-train',
    sinceMs: 5,
    next: 'The train takes it.',
    command: 'gt bead retry web-land1',
    wakeAtMs: 777,
  };
  const LAST = String(LANDING_ATTEMPTS_MAX);

  it.each<[string, readonly ConvoyLanding[], Why | null, Partial<Why>]>([
    [
      'nothing is planned',
      [],
      null,
      { sentence: 'What could run has ended; it lands now.', next: 'The landing evidence.' },
    ],
    [
      'all have landed or had nothing to land',
      [web({ state: 'landed' }), api({ state: 'nothing' })],
      null,
      { sentence: 'What could run has ended; it lands now.', next: 'The landing evidence.' },
    ],
    [
      'the first rig is next',
      [web(), api()],
      null,
      { sentence: 'Nothing has landed yet (order: web, api); web is next.', next: 'It is ordered now.' },
    ],
    [
      'the first landing was ordered',
      [web({ state: 'ordered', attempt: 1 }), api()],
      null,
      {
        sentence: `Nothing has landed yet (order: web, api); lands in web now, attempt 1 of ${LAST}.`,
        next: 'web makes its merge request.',
      },
    ],
    [
      'its merge request waits',
      [web({ state: 'ordered', attempt: 2, beadId: trusted.bead('web-land1') }), api()],
      now,
      {
        sentence: `Nothing has landed yet (order: web, api); lands in web now, attempt 2 of ${LAST} as web-land1: In line for main since 1 min.`,
        next: 'The train takes it.',
        command: 'gt bead retry web-land1',
        wakeAtMs: 777,
      },
    ],
    [
      'one rig has landed, the next one failed and waits',
      [
        web({ state: 'landed', attempt: 1 }),
        api({ state: 'waiting', attempt: 3, notBeforeMs: 888, reason: 'the gate test is red' }),
      ],
      null,
      {
        sentence: `Landed in web (order: web, api); attempt 3 of ${LAST} to land in api failed: the gate test is red.`,
        next: 'The next attempt comes by itself; "gt convoy close hq-cv-00000" gives the rest up.',
        wakeAtMs: 888,
      },
    ],
    [
      'the next rig was removed',
      [web({ state: 'waiting', reason: removedText('web') }), api()],
      null,
      {
        sentence: `Nothing has landed yet (order: web, api); ${removedText('web')}.`,
        next: 'A person adds the rig again, and it lands by itself; "gt convoy close hq-cv-00000" ends it without what has not landed.',
        command: 'gt rig add web <url>',
      },
    ],
    [
      'it failed without a word',
      [web({ state: 'failed', attempt: 1, notBeforeMs: 888 }), api()],
      null,
      {
        sentence: `Nothing has landed yet (order: web, api); attempt 1 of ${LAST} to land in web failed: it was given up.`,
        next: 'The next attempt comes by itself; "gt convoy close hq-cv-00000" gives the rest up.',
        wakeAtMs: 888,
      },
    ],
    [
      'two have landed',
      [
        web({ state: 'landed', attempt: 1 }),
        api({ state: 'landed', attempt: 1 }),
        landing(2, { rig: trusted.rig('docs') }),
      ],
      null,
      { sentence: 'Landed in web, api (order: web, api); docs is next.', next: 'It is ordered now.' },
    ],
  ])('%s', (_given, landings, waits, says) => {
    expect(whyConvoy(of, beads, { landings, now: waits, reverts: [] })).toEqual(
      said(of, { rule: 'convoy-landing', ...says }),
    );
  });

  it('needs no landing facts to say that it lands', () => {
    expect(whyConvoy(of, beads).sentence).toBe('What could run has ended; it lands now.');
  });
});

describe('the word for where a convoy is', () => {
  it.each<[string, Partial<Convoy>, string]>([
    ['nothing ended badly', {}, 'active'],
    ['one failed, a person decides', { failedBeads: 1 }, 'needs_human'],
    ['one was cancelled, a person decides', { cancelledBeads: 1 }, 'needs_human'],
    ['one failed and is skipped', { failedBeads: 1, onFailure: 'skip' }, 'active'],
    ['one failed and ends it', { failedBeads: 1, onFailure: 'abort' }, 'active'],
    ['one was cancelled, only a failure would end it', { cancelledBeads: 1, onFailure: 'abort' }, 'needs_human'],
    ['all were cancelled', { cancelledBeads: 2 }, 'active'],
    ['all ended badly, one of them failed', { cancelledBeads: 1, failedBeads: 1 }, 'needs_human'],
    ['it is not active any more', { status: 'ready_to_land', failedBeads: 1 }, 'ready_to_land'],
  ])('%s', (_given, over, phase) => {
    expect(convoyPhase(given(over))).toBe(phase);
  });
});
