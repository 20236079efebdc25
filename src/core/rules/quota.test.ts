import { describe, expect, it } from 'vitest';
import { attempt, bead, exitRecord, NOW, rigView, type World } from '../../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../../test/support/rig-config.ts';
import { NO_CAPS } from '../commands.ts';
import {
  QUOTA_BACKOFF_MAX_MS,
  QUOTA_BACKOFF_MIN_MS,
  QUOTA_BLAME_MS,
  QUOTA_BURST_MS,
  QUOTA_ESCALATE_AFTER_MS,
  QUOTA_PROOF_MS,
  QUOTA_WINDOW_MAX_MS,
} from '../limits.ts';
import type { QuotaReport } from '../model/agent.ts';
import { engineOf, quotaParts, quotaScope } from '../quota.ts';
import type { QuotaWindow } from '../view.ts';
import { endedByQuota, parkedUntil, quotaReported, quotaScopeRule, releaseParked, windowAfter } from './quota.ts';

const SCOPE = 'script/default';
const MINUTE = 60_000;
const report = (over: Partial<QuotaReport> = {}): QuotaReport => ({
  resetsAtMs: NOW + 60 * MINUTE,
  reason: 'limit reached',
  atMs: NOW,
  ...over,
});
/** Closed ten minutes ago for an hour, told to nobody. */
const window = (over: Partial<QuotaWindow> = {}): QuotaWindow => ({
  scope: SCOPE,
  account: 'script',
  model: 'default',
  openedAtMs: NOW - 10 * MINUTE,
  reportedAtMs: NOW - 10 * MINUTE,
  resetsAtMs: NOW + 50 * MINUTE,
  isKnown: true,
  isBurst: false,
  strikes: 0,
  reason: 'before',
  told: 'no',
  ...over,
});
const own = attempt(bead(), { quota: report() });
const nothing = { decisions: [], wakeAtMs: null };

describe('what a bead would run with', () => {
  it.each([
    ['the settings of its rig', {}, {}, { runtime: 'script', model: null, account: 'script', quotaScope: SCOPE }],
    [
      'what it says itself',
      { runtime: 'command', model: 'big' },
      { model: 'small' },
      { runtime: 'command', model: 'big', account: 'command', quotaScope: 'command/big' },
    ],
    [
      'the account that its rig names',
      {},
      { model: 'small', caps: { ...NO_CAPS, account: 'work' } },
      { runtime: 'script', model: 'small', account: 'work', quotaScope: 'work/small' },
    ],
  ])('is %s', (_case, its, config, engine) => {
    expect(engineOf({ runtime: null, model: null, ...its }, rigConfig('api', config))).toEqual(engine);
  });

  it('names its scope so that it can be read back, whatever the model is called', () => {
    expect(quotaParts(quotaScope('work', 'org/big'))).toEqual({ account: 'work', model: 'org/big' });
    expect(quotaParts(quotaScope('work', null))).toEqual({ account: 'work', model: 'default' });
  });
});

describe('the window after a refusal', () => {
  const after = (over: Partial<QuotaReport> = {}, before: QuotaWindow | null = null): QuotaWindow | null =>
    windowAfter(rigView({ windows: before === null ? [] : [before] }), attempt(bead(), { quota: report(over) }));

  it('is closed until the moment that the provider said', () => {
    expect(after()).toEqual({
      scope: SCOPE,
      account: 'script',
      model: 'default',
      openedAtMs: NOW,
      reportedAtMs: NOW,
      resetsAtMs: NOW + 60 * MINUTE,
      isKnown: true,
      isBurst: false,
      strikes: 0,
      reason: 'limit reached',
      told: 'no',
    });
  });

  it('is nothing without a refusal, without a scope, and after one that is known', () => {
    const view = rigView({ windows: [window({ reportedAtMs: NOW })] });
    expect(windowAfter(view, own)).toBeNull();
    expect(windowAfter(rigView({ windows: [window({ reportedAtMs: NOW - 1 })] }), own)).not.toBeNull();
    expect(windowAfter(rigView(), attempt(bead()))).toBeNull();
    expect(windowAfter(rigView(), { ...own, quotaScope: null })).toBeNull();
  });

  it.each([
    [QUOTA_BURST_MS, true],
    [QUOTA_BURST_MS + 1, false],
  ])('for %i ms is a burst: %s', (forMs, isBurst) => {
    expect(after({ resetsAtMs: NOW + forMs })).toMatchObject({ isBurst });
  });

  it('is never longer than a unit that was mistaken', () => {
    expect(after({ resetsAtMs: NOW + QUOTA_WINDOW_MAX_MS + 1 })?.resetsAtMs).toBe(NOW + QUOTA_WINDOW_MAX_MS);
  });

  it('lasts as long as the longest refusal of those that came while it was closed', () => {
    expect(after({ resetsAtMs: NOW + 1 }, window())).toMatchObject({
      resetsAtMs: NOW + 50 * MINUTE,
      openedAtMs: NOW - 10 * MINUTE,
    });
    expect(after({}, window())).toMatchObject({ resetsAtMs: NOW + 60 * MINUTE });
  });

  it('is the same one when it was open for a short time only, and a new one after a long time', () => {
    const opened = (agoMs: number): QuotaWindow => window({ resetsAtMs: NOW - agoMs, told: 'yes' });
    expect(after({}, opened(QUOTA_BLAME_MS - 1))).toMatchObject({ openedAtMs: NOW - 10 * MINUTE, told: 'yes' });
    expect(after({}, opened(QUOTA_BLAME_MS))).toMatchObject({ openedAtMs: NOW, told: 'yes' });
    expect(after({}, window({ told: 'other' }))).toMatchObject({ told: 'no' });
  });

  describe('of which nobody says until when', () => {
    const unsaid = { resetsAtMs: null };
    const opened = (strikes: number): QuotaWindow => window({ strikes, resetsAtMs: NOW });

    it('begins with a short wait and counts', () => {
      expect(after(unsaid)).toMatchObject({ isKnown: false, strikes: 1, resetsAtMs: NOW + QUOTA_BACKOFF_MIN_MS });
    });

    it.each([
      [1, 2, 2 * QUOTA_BACKOFF_MIN_MS],
      [2, 3, 4 * QUOTA_BACKOFF_MIN_MS],
      [20, 21, QUOTA_BACKOFF_MAX_MS],
    ])('after %i refusals in a row waits longer', (before, strikes, waitMs) => {
      expect(after(unsaid, opened(before))).toMatchObject({ strikes, resetsAtMs: NOW + waitMs });
    });

    it('counts those of agents that were started together once', () => {
      const closed = window({ strikes: 2, resetsAtMs: NOW + 1 });
      expect(after(unsaid, closed)).toMatchObject({ strikes: 2, resetsAtMs: NOW + 2 * QUOTA_BACKOFF_MIN_MS });
    });

    it('begins again after it was open for long, and when the provider says until when', () => {
      expect(after(unsaid, window({ strikes: 5, resetsAtMs: NOW - QUOTA_BLAME_MS }))).toMatchObject({ strikes: 1 });
      expect(after({}, opened(5))).toMatchObject({ strikes: 0 });
    });
  });
});

describe('a refusal that an agent reports', () => {
  it('closes the window for all that draw on it', () => {
    const view = rigView({ attempts: [own] });
    expect(quotaReported(view, own.id, NOW)).toEqual({
      decisions: [
        {
          rule: 'quota',
          entity: `attempt:${own.id}`,
          reason: 'the provider refuses script/default',
          actions: [{ type: 'close_quota', window: windowAfter(view, own) }],
        },
      ],
      wakeAtMs: null,
    });
  });

  it('changes nothing when it is known, and nothing of an attempt that is gone', () => {
    const view = rigView({ attempts: [own], windows: [window({ reportedAtMs: NOW })] });
    expect(quotaReported(view, own.id, NOW)).toEqual(nothing);
    expect(quotaReported(rigView(), own.id, NOW)).toEqual(nothing);
  });
});

describe('an end after a refusal', () => {
  const ended = (agoMs: number, over = {}): boolean =>
    endedByQuota({ ...own, exit: exitRecord({ endedAtMs: NOW + agoMs, ...over }) });

  it('soon enough was caused by it', () => {
    expect(ended(QUOTA_BLAME_MS)).toBe(true);
    expect(ended(QUOTA_BLAME_MS + 1)).toBe(false);
  });

  it('of another cause, or without an exit or a refusal, was not', () => {
    expect(ended(1, { cause: 'stopped' })).toBe(false);
    expect(endedByQuota(own)).toBe(false);
    expect(endedByQuota(attempt(bead(), { exit: exitRecord() }))).toBe(false);
  });

  it.each<[string, Partial<World>, typeof own, number]>([
    ['its own refusal', {}, own, NOW + 60 * MINUTE],
    ['the window that is known', { windows: [window()] }, attempt(bead(), { quota: null }), NOW + 50 * MINUTE],
    ['no window', {}, attempt(bead()), NOW],
    ['a window that has opened', { windows: [window({ resetsAtMs: NOW - 1 })] }, attempt(bead()), NOW],
    ['no scope', { windows: [window({ scope: '' })] }, attempt(bead(), { quotaScope: null }), NOW + 50 * MINUTE],
  ])('parks the work until the end of %s', (_case, world, of, untilMs) => {
    expect(parkedUntil(rigView(world), of, NOW)).toBe(untilMs);
  });
});

describe('a parked bead', () => {
  const judge = (over: Parameters<typeof bead>[0]): unknown =>
    releaseParked(rigView({ beads: [bead({ hold: 'parked', ...over })] }), bead().id, NOW);

  it('runs again when its window opens', () => {
    expect(judge({ notBeforeMs: NOW + 1 })).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    expect(judge({ notBeforeMs: NOW })).toEqual({
      decisions: [
        {
          rule: 'quota',
          entity: 'bead:api-task1',
          reason: 'its quota window is open again',
          actions: [{ type: 'release_bead', bead: bead().id }],
        },
      ],
      wakeAtMs: null,
    });
  });

  it('is not one that is held by a person, ended or gone', () => {
    expect(judge({ hold: 'held' })).toEqual(nothing);
    expect(judge({ status: 'closed' })).toEqual(nothing);
    expect(releaseParked(rigView(), bead().id, NOW)).toEqual(nothing);
  });
});

describe('a scope that is closed', () => {
  const judge = (over: Partial<QuotaWindow>, nowMs = NOW): unknown =>
    quotaScopeRule(rigView({ windows: [window(over)] }), SCOPE, nowMs);
  const one = (reason: string, ...actions: readonly object[]): object => ({
    decisions: [{ rule: 'quota', entity: `quota:${SCOPE}`, reason, actions }],
    wakeAtMs: null,
  });

  it('for long is told to a person, once, at its moment', () => {
    const told = (message: string): object =>
      one(
        'the scope is closed for long',
        { type: 'mark_quota_told', scope: SCOPE, told: true },
        {
          type: 'raise_escalation',
          causeKey: `quota:${SCOPE}`,
          severity: 'medium',
          category: 'quota',
          subject: `quota:${SCOPE}`,
          message,
        },
      );
    const openedAtMs = NOW - QUOTA_ESCALATE_AFTER_MS;
    const used = 'The quota of account script for model default has been used up for 30 min;';
    const waits = 'Its work waits and nothing is charged; other runtimes and models run on.';
    expect(judge({ openedAtMs: openedAtMs + 1 })).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    expect(judge({ openedAtMs })).toEqual(told(`${used} opens in 50 min. ${waits} The provider said: before`));
    expect(judge({ openedAtMs, isKnown: false, reason: '' })).toEqual(told(`${used} nobody said until when. ${waits}`));
    expect(judge({ openedAtMs, told: 'yes' })).toEqual({ decisions: [], wakeAtMs: NOW + 50 * MINUTE });
  });

  it('is looked at when it opens, if that is before it is long', () => {
    expect(judge({ openedAtMs: NOW, resetsAtMs: NOW + 5 })).toEqual({ decisions: [], wakeAtMs: NOW + 5 });
  });

  it('that has been open for a while ends what a person was told', () => {
    const at = (agoMs: number, told: QuotaWindow['told'] = 'yes'): unknown => judge({ told, resetsAtMs: NOW - agoMs });
    expect(at(QUOTA_PROOF_MS - 1)).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    expect(at(QUOTA_PROOF_MS)).toEqual(
      one(
        'the window has been open for a while',
        { type: 'mark_quota_told', scope: SCOPE, told: false },
        { type: 'resolve_escalation', causeKey: `quota:${SCOPE}`, bead: null },
      ),
    );
    expect(at(0)).toEqual({ decisions: [], wakeAtMs: NOW + QUOTA_PROOF_MS });
    expect(at(QUOTA_PROOF_MS, 'no')).toEqual(nothing);
  });

  it('is left to the rig that tells it, and is nothing when it is unknown', () => {
    expect(judge({ told: 'other', openedAtMs: 0 })).toEqual(nothing);
    expect(quotaScopeRule(rigView(), SCOPE, NOW)).toEqual(nothing);
  });
});
