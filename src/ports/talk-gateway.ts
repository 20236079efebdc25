import type { NudgeMode } from '../core/actions.ts';
import type { Caller } from '../core/commands.ts';
import type { EscalationId, MailId } from '../core/model/ids.ts';
import type { TownLifecycle } from '../core/model/lifecycle.ts';
import type { Mail, MailDraft } from '../core/model/mail.ts';
import type { Molecule } from '../core/model/molecule.ts';
import type { Nudge } from '../core/model/nudge.ts';
import type { Priority } from '../core/model/bead.ts';
import type { BeadSummary, Capability, EscalationSummary, HookView } from '../core/queries.ts';

/** What became of a mail: `stored` in a mailbox, `sent` on its way to one, `executed` by the daemon. */
export interface SentMail {
  readonly state: 'stored' | 'sent' | 'executed';
  readonly id: MailId | null;
  readonly to: string;
  readonly answer: string;
}

/** A question to people: asked anew, or the one that was asked at `askedAtMs`. */
export type Question = { readonly question: string } | { readonly askedAtMs: number };

export interface Waited {
  readonly state: 'answered' | 'waiting';
  readonly askedAtMs: number;
  /** What people wrote since; marked as read. */
  readonly answers: readonly Mail[];
}

/**
 * Words between people, agents and the town. Who speaks comes from the credential, never from the text. Agents' calls
 * throw `superseded` when their attempt is not the live one.
 */
export interface TalkGateway {
  /** Newest first; null is the mailbox that people share. Looking marks nothing. */
  mailbox(filter: {
    readonly address: string | null;
    readonly unreadOnly: boolean;
    readonly limit: number;
  }): Promise<readonly Mail[]>;
  /** Marks people's own mail as read; that of agents is only looked at. Errors: `mail_not_found`. */
  readMail(id: MailId): Promise<Mail>;
  /** Errors: `bad_address`, `unknown_recipient`, `mailbox_full`; of `daemon/` those of `lifecycle`. */
  sendMail(draft: MailDraft, caller: Caller): Promise<SentMail>;
  /** Waits a moment for the runner's answer. Errors: `agent_not_found`, `no_session`. */
  nudge(
    words: { readonly agent: string; readonly text: string; readonly mode: NudgeMode },
    caller: Caller,
  ): Promise<Nudge>;
  /** Executed once per timestamp. Errors: `agent_not_found`, `no_session`, `claim_pending`. */
  lifecycle(request: TownLifecycle, caller: Caller): Promise<string>;

  /** The hook with all unread mail, which then counts as delivered to this session. */
  prime(capability: Capability): Promise<HookView>;
  ownMail(capability: Capability, unreadOnly: boolean): Promise<readonly Mail[]>;
  /** At a turn's boundary: what this session has not been shown yet, once. Null when there is nothing. */
  checkMail(capability: Capability): Promise<string | null>;
  readOwnMail(capability: Capability, id: MailId): Promise<Mail>;
  sendOwnMail(capability: Capability, draft: MailDraft): Promise<SentMail>;
  wait(capability: Capability, question: Question, waitMs: number): Promise<Waited>;
  escalate(
    capability: Capability,
    problem: { readonly severity: 'low' | 'medium' | 'high' | 'critical'; readonly message: string },
  ): Promise<void>;
  /** Open ones about the own bead. */
  ownEscalations(capability: Capability): Promise<readonly EscalationSummary[]>;
  /** Errors: `escalation_not_found`, `not_your_escalation`, `escalation_resolved`. */
  acknowledge(capability: Capability, id: EscalationId): Promise<EscalationSummary>;
  /** Errors: `no_molecule`. */
  molecule(capability: Capability): Promise<Molecule>;
  /** Errors: `no_molecule`, `step_not_found`, `out_of_order`, `step_settled`. */
  advance(
    capability: Capability,
    report: { readonly step: number; readonly status: 'done' | 'skipped'; readonly summary: string },
  ): Promise<Molecule>;
  /** Recorded and linked, not started. Errors: `too_many_follow_ups`. */
  followUp(
    capability: Capability,
    draft: { readonly title: string; readonly body: string; readonly priority: Priority },
  ): Promise<BeadSummary>;
  /** Agents of its own rig only. Errors: `not_your_neighbour`, `own_nudge`, `too_many_nudges`, those of `nudge`. */
  nudgeNeighbour(capability: Capability, words: { readonly agent: string; readonly text: string }): Promise<Nudge>;
  handoff(capability: Capability, note: { readonly subject: string; readonly body: string }): Promise<string>;
}
