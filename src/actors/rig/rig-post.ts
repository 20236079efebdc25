import type { RigToTown } from '../../core/messages.ts';
import { must } from '../../core/assert.ts';
import { notFound, precondition, TownError } from '../../core/errors.ts';
import { MAIL_BODY_CHARS_MAX, MAIL_SUBJECT_CHARS_MAX, MAILBOX_UNREAD_MAX } from '../../core/limits.ts';
import { trusted } from '../../core/model/ids.ts';
import { DAEMON, isAgentOf, parseAddress, type Mail, type NewMail } from '../../core/model/mail.ts';
import { MAILBOX } from '../../core/refs.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/** The rig's post office: mail of its own agents stays here, everything else goes to the town. */
export class RigPost {
  readonly #rig: RigContext;

  constructor(rig: RigContext) {
    this.#rig = rig;
  }

  /**
   * Stores a mail, or sends it on; one with a known key is sent once. Answers what is stored here, null for one that left.
   * Errors: `agent_not_found`, `mailbox_full`; mail that the town itself wrote is never refused for a full mailbox.
   */
  send(turn: Turn, mail: NewMail, limit: 'limited' | 'unlimited'): Mail | null {
    const { mail: store } = this.#rig.view;
    const address = parseAddress(mail.to);
    if (!isAgentOf(address, this.#rig.view.config().name)) {
      turn.send<RigToTown>('town', this.#rig.address, { type: 'mail_sent', mail });
      turn.journal({ entity: `agent:${mail.from}`, action: 'send_mail', rule: 'mail', reason: mail.kind, to: mail.to });
      return null;
    }
    const known = store.byKey(mail.key);
    if (known !== null) return known;
    const agent = this.#rig.view.agent(trusted.agent(address.text));
    if (agent === null || agent.status === 'dead') throw notFound('agent', address.text);
    if (limit === 'limited' && store.unreadCount(agent.id) >= MAILBOX_UNREAD_MAX) throw mailboxFull(agent.id);
    const stored = store.put(mail, this.#rig.mintMail(turn.nowMs), turn.nowMs);
    turn.dirty(MAILBOX);
    turn.journal({
      entity: `agent:${agent.id}`,
      action: 'receive_mail',
      rule: 'mail',
      reason: `${mail.kind} ${stored.id} from ${mail.from}`,
    });
    return stored;
  }

  /** A mail of another rig or of the town; what can't be taken goes back, so that nobody waits for an answer to it. */
  receive(turn: Turn, mail: NewMail): void {
    try {
      turn.sql.tx(() => this.send(turn, mail, 'limited'));
    } catch (error) {
      // A broken disk is no answer to a mail: the kernel tries the whole message again.
      if (!(error instanceof TownError)) throw error;
      this.bounce(turn, mail, error.message);
    }
  }

  /** Tells the sender that a mail did not arrive. What the town itself wrote has nobody to tell. */
  bounce(turn: Turn, mail: NewMail, reason: string): void {
    turn.journal({ entity: MAILBOX, action: 'return_mail', rule: 'mail', reason, to: mail.from });
    if (isOwnWord(mail.from)) return;
    const back: NewMail = {
      key: `returned:${mail.key}`,
      from: DAEMON,
      to: mail.from,
      kind: 'note',
      subject: `Returned: ${mail.subject}`.slice(0, MAIL_SUBJECT_CHARS_MAX),
      body: `Your mail to ${mail.to} was not read: ${reason}\n\n${mail.body}`.slice(0, MAIL_BODY_CHARS_MAX),
      replyTo: null,
    };
    // The sender may be gone by now; a return is not returned.
    if (this.#canTake(back.to)) this.send(turn, back, 'unlimited');
  }

  #canTake(to: string): boolean {
    const address = parseAddress(to);
    return !isAgentOf(address, this.#rig.view.config().name) || this.#rig.view.agent(trusted.agent(to)) !== null;
  }

  /** Ends a mail that nobody read in time. */
  expire(turn: Turn, id: Mail['id']): Mail {
    const mail = must(this.#rig.view.mail.get(id), 'an expired mail exists');
    const isReturned = !isOwnWord(mail.from);
    if (!this.#rig.view.mail.end(mail.key, isReturned ? 'returned' : 'expired', turn.nowMs)) return mail;
    turn.dirty(MAILBOX);
    if (isReturned) this.bounce(turn, mail, 'nobody read it before it expired.');
    return mail;
  }
}

/** Written by code that reads no answers. */
const isOwnWord = (from: string): boolean => ['daemon', 'witness', 'refinery'].includes(parseAddress(from).kind);

const mailboxFull = (agent: string): Error =>
  precondition(
    'mailbox_full',
    `${agent} has ${String(MAILBOX_UNREAD_MAX)} unread mails; it takes no more.`,
    'Nothing was sent. A person has been told; try again when it has read its mail.',
  );
