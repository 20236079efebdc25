/**
 * What needs a person: one pure function from what is recorded to the list that `gt inbox`, `gt status`, `gt why`, the
 * API and the feed show. An item says why in the very sentence of `gt why`, so that no two places contradict each other.
 */
import type { AttentionItem } from './attention-item.ts';
import { convoyOutlook } from './convoy-outlook.ts';
import { isTripped } from './breaker-scope.ts';
import { BREAKER_TOLD_AFTER_MS, PAUSE_TOLD_AFTER_MS } from './limits.ts';
import type { Bead, Blocker } from './model/bead.ts';
import { isTerminal } from './model/bead.ts';
import type { Convoy, ConvoyBead } from './model/convoy.ts';
import { causeOf, SEVERITIES, type Severity } from './model/escalation.ts';
import { RUNNER_SUBJECT, type Health } from './model/health.ts';
import { isBeadId, trusted, type BeadId, type RigName } from './model/ids.ts';
import type { Mail } from './model/mail.ts';
import type { StoppedTrain } from './model/train.ts';
import type { EscalationSummary, Why } from './queries.ts';
import type { RefusedSettings } from './refused-settings.ts';
import { hasPassword } from './remote-url.ts';
import type { RunnerTrouble } from './runner-trouble.ts';
import { breakerCause } from './rules/dispatch-breaker.ts';
import type { AttemptFacts, RigView } from './view.ts';
import { whyBead } from './why.ts';
import { whyConvoy } from './why-convoy.ts';
import {
  whyBroken,
  whyRefusedSettings,
  whyEscalation,
  whyMail,
  whyPassword,
  whyPaused,
  whyRig,
  whyRunner,
} from './why-others.ts';

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
  /** Merge trains that are paused or red. */
  stoppedTrains(): readonly StoppedTrain[];
}

/** What attention reads of a town besides its rigs, which may be elsewhere and find for themselves. */
export interface AttentionView {
  /** Convoys that have not ended, with their beads. */
  convoys(): readonly { readonly convoy: Convoy; readonly beads: readonly ConvoyBead[] }[];
  escalations(): readonly EscalationSummary[];
  health(): readonly Health[];
  /** Null: the town works with what its file says. */
  refusedSettings(): RefusedSettings | null;
  /** Null: the runner beside the daemon is there, or there is none. */
  runnerTrouble(): RunnerTrouble | null;
  /** Unread mail of people, newest last. */
  mail(): readonly Mail[];
}

/** An item with its cause: what is found twice about one cause is one item. */
export interface Found extends AttentionItem {
  readonly cause: string;
}

export type AttentionSource = (view: AttentionView, about: AboutBead) => readonly Found[];
export type RigAttentionSource = (rig: RigAttentionView, nowMs: number) => readonly Found[];

/** What a rig says of a bead that an escalation is about; null when there is none. */
interface Told {
  /** The cause by which it is one item with the bead. */
  readonly cause: string;
  /** The bead was given up: what it says for itself. */
  readonly ended: Found | null;
}
type AboutBead = (bead: string) => Told | null;

/** What one rig finds that needs a person, and what it says of the beads that it was asked about. */
export interface RigFindings {
  readonly found: readonly Found[];
  readonly about: Readonly<Record<string, Told>>;
}

/** Says `why` as an item. A thing that no command resolves is looked at with `gt why`. */
function found(cause: string, why: Why, item: Pick<AttentionItem, 'kind' | 'severity' | 'title'>): Found {
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

/** What waits for a review at its forge is the ordinary way of things, as is what somebody holds. */
function severityOf(bead: Bead): Severity {
  if (bead.status === 'failed') return 'high';
  return bead.hold === 'held' || (bead.type === 'merge_request' && bead.status === 'in_progress') ? 'low' : 'medium';
}

function foundBead(rig: RigAttentionView, bead: Bead, nowMs: number): Found {
  const source = bead.type === 'merge_request' ? (bead.parentId ?? bead.id) : bead.id;
  const shown = rig.view.bead(source) ?? bead;
  const why = whyBead(rig.view, shown, rig.blockers(shown.id), nowMs);
  return found(beadCause(source), why, {
    kind: bead.type === 'merge_request' ? 'merge_request' : 'bead',
    severity: severityOf(bead),
    title: shown.title,
  });
}

const beads: RigAttentionSource = (rig, nowMs) => rig.heldUp().map((bead) => foundBead(rig, bead, nowMs));

const questions: RigAttentionSource = (rig, nowMs) =>
  rig.questions().flatMap((attempt) => {
    const bead = rig.view.bead(attempt.beadId);
    if (bead === null) return [];
    const why = { ...whyBead(rig.view, bead, [], nowMs), id: attempt.agentId };
    return [found(`question:${attempt.id}`, why, { kind: 'question', severity: 'medium', title: bead.title })];
  });

const convoys: AttentionSource = (view) =>
  view
    .convoys()
    .filter(({ convoy, beads: its }) => convoy.status === 'active' && convoyOutlook(convoy, its).kind === 'held')
    .map(({ convoy, beads: its }) =>
      found(`convoy:${convoy.id}`, whyConvoy(convoy, its), { kind: 'convoy', severity: 'medium', title: convoy.title }),
    );

/** Parked, or without a way to start some or all of its agents, while work waits for it: one item for each breaker. */
const itself: RigAttentionSource = (rig, nowMs) => {
  if (rig.waiting() === 0) return [];
  if (rig.view.config().parked) {
    const why = whyRig(rig.view, rig.waiting(), nowMs);
    return [found(`parked:${rig.name}`, why, { kind: 'rig', severity: 'low', title: null })];
  }
  return rig.view
    .breakers()
    .filter((row) => isTripped(row) && row.openedAtMs !== null && nowMs - row.openedAtMs >= BREAKER_TOLD_AFTER_MS)
    .map((row) =>
      found(breakerCause(rig.view, row.scope), whyBroken(rig.view, row, nowMs), {
        kind: 'rig',
        severity: 'medium',
        title: null,
      }),
    );
};

/** A pause that holds something up, or that was probably forgotten. A red train has its escalation. */
const pauses: RigAttentionSource = (rig, nowMs) =>
  rig
    .stoppedTrains()
    .filter(({ state }) => state === 'paused')
    .filter(({ waiting, changedAtMs }) => waiting > 0 || nowMs - changedAtMs >= PAUSE_TOLD_AFTER_MS)
    .map((train) =>
      found(`paused:${rig.name}:${train.target}`, whyPaused(rig.view, train, nowMs), {
        kind: 'rig',
        severity: 'low',
        title: null,
      }),
    );

/** Also of a rig that has nothing to do: what is shown is shown. */
const logins: RigAttentionSource = (rig, nowMs) =>
  hasPassword(rig.view.config().url)
    ? [found(`password:${rig.name}`, whyPassword(rig.view, nowMs), { kind: 'rig', severity: 'medium', title: null })]
    : [];

/** One that does not start is told before the watchdog has asked three times, and in a town without work too. */
const machines: AttentionSource = (view) => {
  const health = view.health().find((item) => item.subject === RUNNER_SUBJECT && item.state === 'down') ?? null;
  const trouble = view.runnerTrouble();
  if (health === null && trouble === null) return [];
  const why = whyRunner(health, trouble);
  return [found(`health:${RUNNER_SUBJECT}`, why, { kind: 'runner', severity: 'high', title: null })];
};

/** What people changed and believe to hold, and does not. */
const settings: AttentionSource = (view) => {
  const refused = view.refusedSettings();
  if (refused === null) return [];
  const why = whyRefusedSettings(refused);
  return [found('settings', why, { kind: 'settings', severity: 'high', title: 'gastown.toml' })];
};

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

const escalations: AttentionSource = (view, about) =>
  view.escalations().map((item) => {
    const told = about(causeOf(item.causeKey).id);
    return {
      ...(endedBead(told, item) ?? toldOf(told, item)),
      severity: item.severity,
      escalation: item.id,
      acknowledgedBy: item.acknowledgedBy,
    };
  });

/** A bead that was given up speaks for itself; its escalation says what can be done. */
function endedBead(told: Told | null, item: EscalationSummary): Found | null {
  if (told === null || told.ended === null) return null;
  return { ...told.ended, command: whyEscalation(item).command ?? told.ended.command };
}

/** By its cause it is one item with what it is about, if that needs a person by itself. */
function toldOf(told: Told | null, item: EscalationSummary): Found {
  const title = item.subject.slice(item.subject.indexOf(':') + 1);
  return found(told?.cause ?? item.causeKey, whyEscalation(item), {
    kind: 'escalation',
    severity: item.severity,
    title: title === '' ? null : title,
  });
}

/** The bead that an escalation is about; its rig is asked what it says of it. */
export function beadOfCause(causeKey: string): BeadId | null {
  const { kind, id } = causeOf(causeKey);
  return kind === 'bead' && isBeadId(id) ? trusted.bead(id) : null;
}

function toldByRig(rig: RigAttentionView, id: BeadId, nowMs: number): Told | null {
  const bead = rig.view.bead(id);
  if (bead === null) return null;
  const source = bead.type === 'merge_request' ? (bead.parentId ?? bead.id) : bead.id;
  return { cause: beadCause(source), ended: isTerminal(bead.status) ? foundBead(rig, bead, nowMs) : null };
}

/**
 * Everything that can need a person. A new cause is a source here: what it reads is a question in its view, what it says
 * is a `Why`, so that `gt why` says the same.
 */
const RIG_SOURCES: readonly RigAttentionSource[] = [questions, beads, itself, pauses, logins];
const SOURCES: readonly AttentionSource[] = [convoys, machines, settings, escalations, mail];

/** What one rig finds; `asked` are its beads that the town's open escalations are about. */
export function rigFindings(rig: RigAttentionView, asked: readonly BeadId[], nowMs: number): RigFindings {
  const about: Record<string, Told> = {};
  for (const id of asked) {
    const told = toldByRig(rig, id, nowMs);
    if (told !== null) about[id] = told;
  }
  return { found: RIG_SOURCES.flatMap((source) => source(rig, nowMs)), about };
}

/** Worst first, then oldest; what somebody takes care of already comes last. */
export function attention(view: AttentionView, rigs: readonly RigFindings[]): readonly AttentionItem[] {
  const items = new Map<string, Found>();
  const about: AboutBead = (bead) => rigs.map((rig) => rig.about[bead]).find((told) => told !== undefined) ?? null;
  const all = [...rigs.flatMap((rig) => rig.found), ...SOURCES.flatMap((source) => source(view, about))];
  for (const item of all) {
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
