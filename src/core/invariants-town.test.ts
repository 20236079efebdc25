import { describe, expect, it } from 'vitest';
import { convoy, convoyBead, landing } from '../../test/support/convoy-builder.ts';
import { checkTown, type TownInvariantFacts } from './invariants.ts';
import { LANDING_ATTEMPTS_MAX } from './limits.ts';
import { FAILURE_POLICIES, type Convoy, type ConvoyBead } from './model/convoy.ts';
import type { ConvoyLanding } from './model/landing.ts';

const REST: TownInvariantFacts = { convoys: [], repeatedCauses: [], endedWithTimer: [] };
const said = (over: Partial<TownInvariantFacts>): string[] =>
  checkTown({ ...REST, ...over }).map((violation) => `${violation.code} ${violation.text}`);
const saidOf = (of: Convoy, beads: readonly ConvoyBead[], landings: readonly ConvoyLanding[] = []): string[] =>
  said({ convoys: [{ convoy: of, beads, landings }] });

const SHA = 'f'.repeat(40);
const merged = { status: 'closed', closeReason: 'merged', mergeSha: SHA } as const;

describe('the invariants of a town', () => {
  it('I20: an escalation is open once per cause, and does not rise after its end', () => {
    expect(said({})).toEqual([]);
    expect(said({ repeatedCauses: ['breaker/api'], endedWithTimer: ['hq-esc-1'] })).toEqual([
      'I20 breaker/api has more than one open escalation',
      'I20 hq-esc-1 has ended and would be raised again',
    ]);
  });

  it('I14: a convoy counts as its rows do', () => {
    const rows = [
      convoyBead(0, merged),
      convoyBead(1, { status: 'failed' }),
      convoyBead(2, { status: 'cancelled' }),
      convoyBead(3),
    ];
    const right = convoy({ totalBeads: 4, closedBeads: 1, failedBeads: 1, cancelledBeads: 1 });
    expect(saidOf(right, rows)).toEqual([]);
    expect(saidOf(convoy({ totalBeads: 3 }), rows)).toEqual([
      'I14 hq-cv-00000 counts 3 beads; its rows say 4',
      'I14 hq-cv-00000 counts 0 closed; its rows say 1',
      'I14 hq-cv-00000 counts 0 failed; its rows say 1',
      'I14 hq-cv-00000 counts 0 cancelled; its rows say 1',
    ]);
  });

  describe('I15: a convoy that landed', () => {
    const landed = (over: Partial<Convoy> = {}): Convoy =>
      convoy({ status: 'landed', totalBeads: 2, closedBeads: 2, ...over });

    it('has all of its beads, each with its commit or without a change', () => {
      expect(saidOf(landed(), [convoyBead(0, merged), convoyBead(1, merged)])).toEqual([]);
      const unchanged = convoyBead(1, { status: 'closed', closeReason: 'no_change' });
      expect(saidOf(landed(), [convoyBead(0, merged), unchanged])).toEqual([]);
      expect(saidOf(landed(), [convoyBead(0, merged), convoyBead(1, { ...merged, mergeSha: null })])).toEqual([
        'I15 hq-cv-00000 landed without the merge commit of api-00001',
      ]);
      const nameless = convoyBead(1, { ...merged, mergeSha: null, beadId: null, title: 'Second' });
      expect(saidOf(landed(), [convoyBead(0, merged), nameless])).toEqual([
        'I15 hq-cv-00000 landed without the merge commit of Second',
      ]);
    });

    it('has something that ended well', () => {
      const nothing = convoy({ status: 'landed', onFailure: 'skip', totalBeads: 1, failedBeads: 1 });
      expect(saidOf(nothing, [convoyBead(0, { status: 'failed' })])).toEqual([
        'I15 hq-cv-00000 landed without a bead that ended well',
      ]);
    });

    it.each(['live', 'creating'] as const)('has no bead that is %s', (status) => {
      const early = landed({ closedBeads: 1, onFailure: 'skip' });
      expect(saidOf(early, [convoyBead(0, merged), convoyBead(1, { status })])).toEqual([
        'I15 hq-cv-00000 landed while 1 of its beads had not ended',
      ]);
    });

    it.each(FAILURE_POLICIES)('leaves a failed bead out only when its policy says so: %s', (onFailure) => {
      const partly = landed({ closedBeads: 1, failedBeads: 1, onFailure });
      const says = `I15 hq-cv-00000 landed without all of its beads although its policy is ${onFailure}`;
      expect(saidOf(partly, [convoyBead(0, merged), convoyBead(1, { status: 'failed' })])).toEqual(
        onFailure === 'skip' ? [] : [says],
      );
    });

    it('is judged when it has landed, not before', () => {
      const active = convoy({ closedBeads: 1 });
      expect(saidOf(active, [convoyBead(0, { ...merged, mergeSha: null }), convoyBead(1)])).toEqual([]);
    });
  });

  describe('I15: a convoy that lands as a whole', () => {
    const whole = (over: Partial<Convoy> = {}): Convoy =>
      convoy({ mergeMode: 'review-then-land', featureBranch: 'gt/all', closedBeads: 2, ...over });
    const onBranch = { ...merged, mergeTarget: 'gt/all' } as const;
    const beads = [convoyBead(0, onBranch), convoyBead(1, onBranch)];
    const done = { state: 'landed', attempt: 1, mergeSha: SHA } as const;
    const ordered = { state: 'ordered', attempt: 1 } as const;
    const says = (landings: readonly ConvoyLanding[], over: Partial<Convoy> = {}): string[] =>
      saidOf(whole(over), beads, landings).map((text) => text.replace('I15 hq-cv-00000 ', ''));

    it('goes rig by rig', () => {
      expect(says([landing(0), landing(1)])).toEqual([]);
      expect(says([landing(0, ordered), landing(1)])).toEqual([]);
      expect(says([landing(0, done), landing(1, ordered)])).toEqual([]);
      expect(says([landing(0, { state: 'nothing' }), landing(1, ordered)])).toEqual([]);
      expect(says([landing(0, ordered), landing(1, ordered)])).toEqual([
        'lands in api and web at once',
        'began to land in web before its turn',
      ]);
      expect(says([landing(0, { state: 'failed', attempt: 1 }), landing(1, ordered)])).toEqual([
        'began to land in web before its turn',
      ]);
    });

    it('tries a bounded number of times', () => {
      const tried = (attempt: number): string[] => says([landing(0, { ...ordered, attempt }), landing(1)]);
      expect(tried(LANDING_ATTEMPTS_MAX)).toEqual([]);
      expect(tried(LANDING_ATTEMPTS_MAX + 1)).toEqual([`was landed ${String(LANDING_ATTEMPTS_MAX + 1)} times in api`]);
    });

    it('has a commit where it landed, and only there', () => {
      expect(says([landing(0, { ...done, mergeSha: null }), landing(1)])).toEqual([
        'is landed in api, but its commit says otherwise',
      ]);
      expect(says([landing(0, { ...ordered, mergeSha: SHA }), landing(1)])).toEqual([
        'is ordered in api, but its commit says otherwise',
      ]);
    });

    it('has landed when every rig has in which something was merged', () => {
      const landed = { status: 'landed' } as const;
      expect(says([landing(0, done), landing(1, done)], landed)).toEqual([]);
      expect(says([landing(0, done)], landed)).toEqual(['landed without its landing in web']);
      expect(says([landing(0, done), landing(1, { state: 'nothing' })], landed)).toEqual([
        'landed without its landing in web',
      ]);
      expect(says([landing(0, done), landing(1, ordered)], landed)).toEqual([
        'landed without its landing in web',
        'landed while a landing was under way',
      ]);
    });

    it('asks for no landing where nothing was merged into its branch', () => {
      const unchanged = convoyBead(1, { status: 'closed', closeReason: 'no_change' });
      const elsewhere = convoyBead(1, { ...merged, mergeTarget: 'main' });
      for (const other of [unchanged, elsewhere, convoyBead(1, { ...onBranch, mergeSha: null, closeReason: null })])
        expect(saidOf(whole({ status: 'landed' }), [convoyBead(0, onBranch), other], [landing(0, done)])).toEqual([]);
    });

    it('is not judged so when its beads land one by one', () => {
      expect(saidOf(convoy({ closedBeads: 2 }), beads, [landing(0, ordered), landing(1, ordered)])).toEqual([]);
    });
  });
});
