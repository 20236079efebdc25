import type { Caller } from '../core/commands.ts';
import { precondition } from '../core/errors.ts';
import { mailDigest } from '../core/mail-digest.ts';
import type { MailId } from '../core/model/ids.ts';
import { lifecycleOfMail, type LifecycleAction } from '../core/model/lifecycle.ts';
import { parseAddress, type Mail, type MailDraft, type NewMail } from '../core/model/mail.ts';
import { MAYOR, type MayorMessage } from '../core/model/mayor.ts';
import type { MayorCapability, MayorSummary } from '../core/queries.ts';
import { fingerprint } from '../core/text.ts';
import type { MayorGateway } from '../ports/mayor-gateway.ts';
import type { SentMail } from '../ports/talk-gateway.ts';
import type { AskedMayor } from './asked.ts';

/** Mails of the mayor that a list shows; its mailbox holds no more unread ones. */
const OWN_MAIL_MAX = 100;

/** What the conversation needs of the town around it. */
export interface MayorTown {
  readonly mayor: AskedMayor | null;
  /** Throws when this process may only read. */
  writable(): void;
  /** Throws `unknown_recipient`. */
  mustKnow(to: string): Promise<void>;
  /** One mail per receiver: groups are taken apart. */
  receivers(to: string): Promise<readonly string[]>;
}

const NEVER_HAD: MayorSummary = {
  status: 'stopped',
  isConfigured: false,
  runtime: null,
  attempt: null,
  sitting: null,
  waitingMessages: 0,
  openMessages: 0,
  unreadMail: 0,
  failures: 0,
  retryAtMs: null,
  isBreakerOpen: false,
  runner: null,
  noRunner: null,
};

export class MayorService implements MayorGateway {
  readonly #town: MayorTown;

  constructor(town: MayorTown) {
    this.#town = town;
  }

  /** For changes. */
  #mayor(): AskedMayor {
    this.#town.writable();
    const { mayor } = this.#town;
    if (mayor === null) throw precondition('no_mayor', 'This town has no mayor.', 'Start the town with "gt up" first.');
    return mayor;
  }

  async summary(): Promise<MayorSummary> {
    return (await this.#town.mayor?.summary()) ?? NEVER_HAD;
  }

  async start(caller: Caller): Promise<MayorSummary> {
    await this.#mayor().start(caller);
    return this.summary();
  }

  async stop(caller: Caller): Promise<MayorSummary> {
    await this.#mayor().stop(caller);
    return this.summary();
  }

  async message(text: string, caller: Caller): Promise<MayorMessage> {
    const mayor = this.#mayor();
    return mayor.getMessage(await mayor.message(text, caller));
  }

  async getMessage(seq: number, waitMs: number): Promise<MayorMessage> {
    const { mayor } = this.#town;
    if (mayor === null) throw precondition('no_mayor', 'This town has no mayor.', 'Start the town with "gt up" first.');
    return mayor.settled(seq, waitMs);
  }

  async messages(after: number | null, limit: number): Promise<readonly MayorMessage[]> {
    return (await this.#town.mayor?.messages(after, limit)) ?? [];
  }

  async lifecycle(
    request: { readonly action: LifecycleAction; readonly requestedBy: string; readonly note: string },
    key: string | undefined,
  ): Promise<string> {
    return this.#mayor().lifecycle(request, key);
  }

  async check(capability: MayorCapability): Promise<void> {
    await this.#mayor().check(capability);
  }

  async prime(capability: MayorCapability): Promise<string> {
    return this.#mayor().prime(capability);
  }

  async reply(
    capability: MayorCapability,
    reply: { readonly to: number | null; readonly text: string },
  ): Promise<MayorMessage> {
    return this.#mayor().reply(capability, reply);
  }

  async checkpoint(capability: MayorCapability, json: string): Promise<void> {
    return this.#mayor().checkpoint(capability, json);
  }

  async ownMail(capability: MayorCapability, unreadOnly: boolean): Promise<readonly Mail[]> {
    await this.check(capability);
    return this.#mayor().mail.list({ recipient: MAYOR, unreadOnly, limit: OWN_MAIL_MAX });
  }

  async checkMail(capability: MayorCapability): Promise<string | null> {
    return mailDigest(await this.#mayor().newMail(capability));
  }

  async readOwnMail(capability: MayorCapability, id: MailId): Promise<Mail> {
    return this.#mayor().readMail(capability, id);
  }

  /** The same words to the same receiver within one sitting are the same mail: a successor may say them again. */
  async sendOwnMail(capability: MayorCapability, draft: MailDraft): Promise<SentMail> {
    const mayor = this.#mayor();
    const address = parseAddress(draft.to);
    if (address.kind === 'daemon') {
      const request = lifecycleOfMail(draft, { identity: MAYOR, isAgent: true });
      const answer = await mayor.lifecycle(
        { ...request, requestedBy: MAYOR },
        `${capability.attempt}:${request.action}`,
      );
      return { state: 'executed', id: null, to: 'daemon/', answer };
    }
    if (address.kind === 'mayor')
      throw precondition('own_mailbox', 'That is your own mailbox.', "Remember things with gt checkpoint '<json>'.");
    const receivers = await this.#town.receivers(draft.to);
    for (const to of receivers) await this.#town.mustKnow(to);
    const words = fingerprint(`${draft.to}\n${draft.subject}\n${draft.body}`);
    for (const to of receivers)
      await mayor.sendMail(
        capability,
        mailOf(draft, { to, key: `mayor:${String(capability.sitting)}:${words}:${to}` }),
      );
    return { state: 'sent', id: null, to: address.text, answer: `On its way to ${receivers.join(', ')}.` };
  }

  async escalate(
    capability: MayorCapability,
    problem: { readonly severity: 'low' | 'medium' | 'high' | 'critical'; readonly message: string },
  ): Promise<void> {
    return this.#mayor().escalate(capability, problem);
  }

  async handoff(
    capability: MayorCapability,
    note: { readonly subject: string; readonly body: string },
  ): Promise<string> {
    return this.#mayor().handoff(capability, note);
  }
}

const mailOf = (draft: MailDraft, by: { readonly to: string; readonly key: string }): NewMail => ({
  key: by.key,
  from: MAYOR,
  to: by.to,
  kind: draft.kind,
  subject: draft.subject,
  body: draft.body,
  replyTo: draft.replyTo,
});
