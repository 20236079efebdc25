/**
 * What needs a person: one pure function from what is recorded to the list that `gt inbox`, `gt status`, `gt why`, the
 * API and the feed show. An item says why in the very sentence of `gt why`, so that no two places contradict each other.
 */
import type { AttentionItem } from './attention-item.ts';
import { convoyOutlook } from './convoy-outlook.ts';
import { BREAKER_TOLD_AFTER_MS, INFRA_FAILURES_TO_OPEN } from './limits.ts';
import type { Bead, Blocker } from './model/bead.ts';
import { isTerminal } from './model/bead.ts';
import type { Convoy, ConvoyBead } from './model/convoy.ts';
import { causeOf, SEVERITIES, type Severity } from './model/escalation.ts';
import { RUNNER_SUBJECT, type Health } from './model/health.ts';
import { isBeadId, trusted, type BeadId, type RigName } from './model/ids.ts';
import type { Mail } from './model/mail.ts';
import type { EscalationSummary, Why } from './queries.ts';
import { breakerCause } from './rules/dispatch-breaker.ts';
import type { AttemptFacts, RigView } from './view.ts';
import { whyBead } from './why.ts';
import { whyConvoy } from './why-convoy.ts';
import { whyEscalation, whyMail, whyRig, whyRunner } from './why-others.ts';

/** One rig as attention reads it: the view of the rules, and what only people ask for. Lazy and bounded. */
export interface RigAttentionView {
  readonly name: RigName;
  readonly view: RigView;
  blockers(bead: BeadId): readonly Blocker[];
  /** Live beads and merge requests that only a person can move: held, or waiting for what was not done. */
  heldUp(): readonly Bead[];
  /** Live attempts whose agent asks a person. */
  questions(): readonly AttemptFacts[];
  /** Beads that are open and not held, and merge requests that have not ended. */
  waiting(): number;
}

/** What attention reads of a town. */
export interface AttentionView {
  readonly rigs: readonly RigAttentionView[];
  rigOf(bead: BeadId): RigAttentionView | null;
  /** Convoys that have not ended, with their beads. */
  convoys(): readonly { readonly convoy: Convoy; readonly beads: readonly ConvoyBead[] }[];
  escalations(): readonly EscalationSummary[];
  health(): readonly Health[];
  /** Unread mail of people, newest last. */
  mail(): readonly Mail[];
}

/** An item with its cause: what is found twice about one cause is one item. */
export interface Found extends AttentionItem {
  readonly cause: string;
}

export type AttentionSource = (view: AttentionView, nowMs: number) => readonly Found[];

/** Says `why` as an item. A thing that no command resolves is looked at with `gt why`. */
export function found(cause: string, why: Why, item: Pick<AttentionItem, 'kind' | 'severity' | 'title'>): Found {
  return {
    cause,
    kind: item.kind,
    severity: item.severity,
    subject: why.id,
    title: item.title,
    sentence: why.sentence,
    sinceMs: why.sinceMs,
    command: why.command ?? `gt why ${why.id}`,
    escalation: null,
    acknowledgedBy: null,
  };
}

const beadCause = (id: string): string => `bead:${id}`;

function foundBead(rig: RigAttentionView, bead: Bead, nowMs: number): Found {
  const source = bead.type === 'merge_request' ? (bead.parentId ?? bead.id) : bead.id;
  const shown = rig.view.bead(source) ?? bead;
  const why = whyBead(rig.view, shown, rig.blockers(shown.id), nowMs);
  return found(beadCause(source), why, {
    kind: bead.type === 'merge_request' ? 'merge_request' : 'bead',
    severity: bead.hold === 'held' ? 'low' : bead.status === 'failed' ? 'high' : 'medium',
    title: shown.title,
  });
}

const beads: AttentionSource = (view, nowMs) =>
  view.rigs.flatMap((rig) => rig.heldUp().map((bead) => foundBead(rig, bead, nowMs)));

const questions: AttentionSource = (view, nowMs) =>
  view.rigs.flatMap((rig) =>
    rig.questions().flatMap((attempt) => {
      const bead = rig.view.bead(attempt.beadId);
      if (bead === null) return [];
      const why = { ...whyBead(rig.view, bead, [], nowMs), id: attempt.agentId };
      return [found(`question:${attempt.id}`, why, { kind: 'question', severity: 'medium', title: bead.title })];
    }),
  );

const convoys: AttentionSource = (view) =>
  view
    .convoys()
    .filter(({ convoy, beads: its }) => convoy.status === 'active' && convoyOutlook(convoy, its).kind === 'held')
    .map(({ convoy, beads: its }) =>
      found(`convoy:${convoy.id}`, whyConvoy(convoy, its), { kind: 'convoy', severity: 'medium', title: convoy.title }),
    );

/** Parked, or without a way to start agents, while work waits for it. */
const rigs: AttentionSource = (view, nowMs) =>
  view.rigs.flatMap((rig) => {
    const { failures, openedAtMs } = rig.view.breaker();
    const { parked } = rig.view.config();
    const isStuck =
      failures >= INFRA_FAILURES_TO_OPEN && openedAtMs !== null && nowMs - openedAtMs >= BREAKER_TOLD_AFTER_MS;
    if ((!parked && !isStuck) || rig.waiting() === 0) return [];
    const why = whyRig(rig.view, rig.waiting(), nowMs);
    const cause = parked ? `parked:${rig.name}` : breakerCause(rig.view);
    return [found(cause, why, { kind: 'rig', severity: parked ? 'low' : 'medium', title: null })];
  });

const machines: AttentionSource = (view) =>
  view
    .health()
    .filter((item) => item.subject === RUNNER_SUBJECT && item.state === 'down')
    .map((item) => found(`health:${item.subject}`, whyRunner(item), { kind: 'runner', severity: 'high', title: null }));

const mail: AttentionSource = (view) =>
  view
    .mail()
    // A mail about an escalation would say twice what stands there.
    .filter((item) => !item.key.startsWith('notify:'))
    .map((item) =>
      found(`mail:${item.id}`, whyMail(item), {
        kind: 'mail',
        severity: item.kind === 'help' ? 'medium' : 'low',
        title: item.subject,
      }),
    );

const escalations: AttentionSource = (view, nowMs) =>
  view.escalations().map((item) => ({
    ...(endedBead(view, item, nowMs) ?? toldOf(view, item)),
    severity: item.severity,
    escalation: item.id,
    acknowledgedBy: item.acknowledgedBy,
  }));

/** A bead that was given up speaks for itself; its escalation says what can be done. */
function endedBead(view: AttentionView, item: EscalationSummary, nowMs: number): Found | null {
  const { rig, bead } = beadOf(view, item);
  if (rig === null || bead === null || !isTerminal(bead.status)) return null;
  const ended = foundBead(rig, bead, nowMs);
  return { ...ended, command: whyEscalation(item).command ?? ended.command };
}

/** By its cause it is one item with what it is about, if that needs a person by itself. */
function toldOf(view: AttentionView, item: EscalationSummary): Found {
  const { bead } = beadOf(view, item);
  const source = bead?.type === 'merge_request' ? (bead.parentId ?? bead.id) : bead?.id;
  const title = item.subject.slice(item.subject.indexOf(':') + 1);
  return found(source === undefined ? item.causeKey : beadCause(source), whyEscalation(item), {
    kind: 'escalation',
    severity: item.severity,
    title: title === '' ? null : title,
  });
}

function beadOf(
  view: AttentionView,
  item: EscalationSummary,
): { readonly rig: RigAttentionView | null; readonly bead: Bead | null } {
  const { kind, id } = causeOf(item.causeKey);
  const rig = kind === 'bead' && isBeadId(id) ? view.rigOf(trusted.bead(id)) : null;
  return { rig, bead: rig?.view.bead(trusted.bead(id)) ?? null };
}

/**
 * Everything that can need a person. A new cause is a source here: what it reads is a question in `AttentionView`, what
 * it says is a `Why`, so that `gt why` says the same.
 */
const SOURCES: readonly AttentionSource[] = [questions, beads, convoys, rigs, machines, escalations, mail];

/** Worst first, then oldest; what somebody takes care of already comes last. */
export function attention(view: AttentionView, nowMs: number): readonly AttentionItem[] {
  const items = new Map<string, Found>();
  for (const item of SOURCES.flatMap((source) => source(view, nowMs))) {
    const before = items.get(item.cause);
    items.set(item.cause, before === undefined ? item : joined(before, item));
  }
  return [...items.values()].toSorted(inOrder).map(({ cause: _cause, ...item }) => item);
}

/** The thing itself says why, its escalation how badly it is needed and who cares. */
const joined = (first: Found, second: Found): Found => ({
  ...first,
  severity: worse(first.severity, second.severity),
  sinceMs: earlier(first.sinceMs, second.sinceMs),
  escalation: first.escalation ?? second.escalation,
  acknowledgedBy: first.acknowledgedBy ?? second.acknowledgedBy,
});

const earlier = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

const worse = (a: Severity, b: Severity): Severity => (SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b);

const inOrder = (a: AttentionItem, b: AttentionItem): number =>
  Number(a.acknowledgedBy !== null) - Number(b.acknowledgedBy !== null) ||
  SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) ||
  (a.sinceMs ?? Number.MAX_SAFE_INTEGER) - (b.sinceMs ?? Number.MAX_SAFE_INTEGER) ||
  (a.subject < b.subject ? -1 : 1);

/** How the town stands, in one line: for the head of the status, and for `gt why` without an id. */
export function attentionSentence(items: readonly AttentionItem[]): string {
  const open = items.filter((item) => item.acknowledgedBy === null);
  const worst = open[0];
  if (worst === undefined)
    return items.length === 0 ? 'Nothing needs you.' : 'All that needs a person is taken care of.';
  const count = open.length === 1 ? 'One thing needs' : `${String(open.length)} things need`;
  return `${count} you; ${open.length === 1 ? 'it is' : 'the worst is'} ${worst.subject}: ${worst.sentence}`;
}
