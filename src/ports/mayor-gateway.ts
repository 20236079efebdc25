import type { Caller } from '../core/commands.ts';
import type { MailId } from '../core/model/ids.ts';
import type { LifecycleAction } from '../core/model/lifecycle.ts';
import type { Mail, MailDraft } from '../core/model/mail.ts';
import type { MayorMessage } from '../core/model/mayor.ts';
import type { MayorCapability, MayorSummary } from '../core/queries.ts';
import type { SentMail } from './talk-gateway.ts';

/** The conversation with the mayor, for people and for its own sessions. */
export interface MayorGateway {
  summary(): Promise<MayorSummary>;
  /** Errors: `no_mayor`. */
  start(caller: Caller): Promise<MayorSummary>;
  stop(caller: Caller): Promise<MayorSummary>;
  /** Errors: `no_mayor`, `mayor_busy`. */
  message(text: string, caller: Caller): Promise<MayorMessage>;
  /** Waits until it is answered or given up, at most so long. Errors: `message_not_found`. */
  getMessage(seq: number, waitMs: number): Promise<MayorMessage>;
  /** After a place, oldest first; without one the newest. */
  messages(after: number | null, limit: number): Promise<readonly MayorMessage[]>;
  /** Errors: `no_mayor`, `no_session`. */
  lifecycle(
    request: { readonly action: LifecycleAction; readonly requestedBy: string; readonly note: string },
    key: string | undefined,
  ): Promise<string>;

  /** Of a session: all throw `superseded` when it is not the live one. */
  check(capability: MayorCapability): Promise<void>;
  prime(capability: MayorCapability): Promise<string>;
  /** Errors: `nothing_to_answer`, `which_message`, `already_answered`, `message_not_found`. */
  reply(
    capability: MayorCapability,
    reply: { readonly to: number | null; readonly text: string },
  ): Promise<MayorMessage>;
  checkpoint(capability: MayorCapability, json: string): Promise<void>;
  ownMail(capability: MayorCapability, unreadOnly: boolean): Promise<readonly Mail[]>;
  checkMail(capability: MayorCapability): Promise<string | null>;
  readOwnMail(capability: MayorCapability, id: MailId): Promise<Mail>;
  sendOwnMail(capability: MayorCapability, draft: MailDraft): Promise<SentMail>;
  escalate(
    capability: MayorCapability,
    problem: { readonly severity: 'low' | 'medium' | 'high' | 'critical'; readonly message: string },
  ): Promise<void>;
  /** Errors: `nothing_left`, `too_many_handoffs`. */
  handoff(capability: MayorCapability, note: { readonly subject: string; readonly body: string }): Promise<string>;
}
