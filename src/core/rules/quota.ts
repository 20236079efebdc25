import type { RigAction } from '../actions.ts';
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
import { trusted } from '../model/ids.ts';
import { quotaParts } from '../quota.ts';
import { attemptEntity, beadRef, quotaRef } from '../refs.ts';
import { duration } from '../text.ts';
import type { AttemptFacts, QuotaWindow, RigView } from '../view.ts';
import { act, NOTHING, wakeAt, type RigRule } from './rule.ts';

/**
 * The window as it is with what this attempt reported: until the moment that the provider said, else a wait that doubles
 * with each refusal in a row. Null when it reported nothing, or nothing newer.
 */
export function windowAfter(view: RigView, attempt: AttemptFacts): QuotaWindow | null {
  const { quota: report, quotaScope: scope } = attempt;
  if (report === null || scope === null) return null;
  const before = view.quotaWindow(scope);
  return before !== null && before.reportedAtMs >= report.atMs ? null : refused(scope, before, report);
}

function refused(scope: string, before: QuotaWindow | null, report: QuotaReport): QuotaWindow {
  const stillClosed = before !== null && before.resetsAtMs > report.atMs;
  // One that opened only to be refused again was not open.
  const goesOn = before !== null && report.atMs < before.resetsAtMs + QUOTA_BLAME_MS;
  const strikes = strikesAfter(goesOn ? before.strikes : 0, report, stillClosed);
  const saidMs = Math.min(report.resetsAtMs ?? report.atMs + backoffMs(strikes), report.atMs + QUOTA_WINDOW_MAX_MS);
  const resetsAtMs = stillClosed ? Math.max(before.resetsAtMs, saidMs) : saidMs;
  return {
    scope,
    ...quotaParts(scope),
    openedAtMs: goesOn ? before.openedAtMs : report.atMs,
    reportedAtMs: report.atMs,
    resetsAtMs,
    isKnown: report.resetsAtMs !== null,
    isBurst: resetsAtMs - report.atMs <= QUOTA_BURST_MS,
    strikes,
    reason: report.reason,
    told: before?.told === 'yes' ? 'yes' : 'no',
  };
}

/** Refusals of agents that were started together are one. */
function strikesAfter(before: number, report: QuotaReport, stillClosed: boolean): number {
  if (report.resetsAtMs !== null) return 0;
  return before + (stillClosed ? 0 : 1);
}

const backoffMs = (strikes: number): number =>
  Math.min(QUOTA_BACKOFF_MIN_MS * 2 ** Math.max(0, strikes - 1), QUOTA_BACKOFF_MAX_MS);

/** What an agent said about its quota holds for all that draw on the same account and model. */
export const quotaReported: RigRule = (view, id) => {
  const attempt = view.attempt(trusted.attempt(id));
  const window = attempt === null ? null : windowAfter(view, attempt);
  if (attempt === null || window === null) return NOTHING;
  return act({
    rule: 'quota',
    entity: attemptEntity(attempt.id),
    reason: `the provider refuses ${window.scope}`,
    actions: [{ type: 'close_quota', window }],
  });
};

/** An end soon after a refusal was caused by it: nobody is to blame, and the work goes on when the window opens. */
export function endedByQuota(attempt: AttemptFacts): boolean {
  const { quota, exit } = attempt;
  return quota !== null && exit !== null && exit.cause === 'exited' && exit.endedAtMs - quota.atMs <= QUOTA_BLAME_MS;
}

/** When the work of an attempt that its quota ended may go on. */
export const parkedUntil = (view: RigView, attempt: AttemptFacts, nowMs: number): number => {
  const window = windowAfter(view, attempt) ?? view.quotaWindow(attempt.quotaScope ?? '');
  return Math.max(nowMs, window?.resetsAtMs ?? 0);
};

/** A parked bead runs again when its window opens; when that was moved meanwhile, dispatch waits for it. */
export const releaseParked: RigRule = (view, id, nowMs) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || bead.status !== 'open' || bead.hold !== 'parked') return NOTHING;
  if (nowMs < bead.notBeforeMs) return wakeAt(bead.notBeforeMs);
  return act({
    rule: 'quota',
    entity: beadRef(bead.id),
    reason: 'its quota window is open again',
    actions: [{ type: 'release_bead', bead: bead.id }],
  });
};

/** A scope that stays closed is told to a person once; when it is open again, that is over by itself. */
export const quotaScopeRule: RigRule = (view, id, nowMs) => {
  const window = view.quotaWindow(id);
  if (window === null || window.told === 'other') return NOTHING;
  const causeKey = `quota:${window.scope}`;
  const decide = (reason: string, actions: readonly RigAction[]) =>
    act({ rule: 'quota', entity: quotaRef(window.scope), reason, actions });
  if (nowMs >= window.resetsAtMs) {
    if (window.told === 'no') return NOTHING;
    const provenMs = window.resetsAtMs + QUOTA_PROOF_MS;
    if (nowMs < provenMs) return wakeAt(provenMs);
    return decide('the window has been open for a while', [
      { type: 'mark_quota_told', scope: window.scope, told: false },
      { type: 'resolve_escalation', causeKey, bead: null },
    ]);
  }
  if (window.told === 'yes') return wakeAt(window.resetsAtMs);
  const dueMs = window.openedAtMs + QUOTA_ESCALATE_AFTER_MS;
  if (nowMs < dueMs) return wakeAt(Math.min(dueMs, window.resetsAtMs));
  const until = window.isKnown ? `opens in ${duration(window.resetsAtMs - nowMs)}` : 'nobody said until when';
  return decide('the scope is closed for long', [
    { type: 'mark_quota_told', scope: window.scope, told: true },
    {
      type: 'raise_escalation',
      causeKey,
      severity: 'medium',
      category: 'quota',
      subject: quotaRef(window.scope),
      message: `The quota of account ${window.account} for model ${window.model} has been used up for ${duration(nowMs - window.openedAtMs)}; ${until}. Its work waits and nothing is charged; other runtimes and models run on.${window.reason === '' ? '' : ` The provider said: ${window.reason}`}`,
    },
  ]);
};
