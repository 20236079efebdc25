import { MAIL_BODY_CHARS_MAX, MAIL_SUBJECT_CHARS_MAX, MAILBOX_UNREAD_MAX } from '../../core/limits.ts';
import { DAEMON, parseAddress, type Mail, type NewMail } from '../../core/model/mail.ts';
import { MAYOR } from '../../core/model/mayor.ts';
import type { MailId } from '../../core/model/ids.ts';
import { MAILBOX, MAYOR_REF } from '../../core/refs.ts';
import type { Turn } from '../kernel/turn.ts';
import type { MayorContext } from './mayor-context.ts';

const EXPIRED_BATCH = 50;

/** The mayor's mailbox. What it can't take or nobody read in time goes back to its sender, through the town. */
export class MayorPost {
  readonly #mayor: MayorContext;

  constructor(mayor: MayorContext) {
    this.#mayor = mayor;
  }

  take(turn: Turn, mail: NewMail): void {
    const { store } = this.#mayor;
    if (store.mail.byKey(mail.key) !== null) return;
    if (mail.from !== DAEMON && store.mail.unreadCount(MAYOR) >= MAILBOX_UNREAD_MAX) {
      this.#bounce(turn, mail, `the mayor has ${String(MAILBOX_UNREAD_MAX)} unread mails`);
      return;
    }
    const stored = store.mail.put({ ...mail, to: MAYOR }, this.#mayor.mintMail(turn.nowMs), turn.nowMs);
    turn.dirty(MAILBOX);
    turn.dirty(MAYOR_REF);
    turn.journal({
      entity: MAILBOX,
      action: 'receive_mail',
      rule: 'mail',
      reason: `${mail.kind} ${stored.id} from ${mail.from}`,
      to: MAYOR,
    });
  }

  #bounce(turn: Turn, mail: NewMail, reason: string): void {
    turn.journal({ entity: MAILBOX, action: 'return_mail', rule: 'mail', reason, to: mail.from });
    const sender = parseAddress(mail.from);
    if (sender.kind !== 'agent' && sender.kind !== 'human') return;
    this.#mayor.tellTown(turn, {
      type: 'mail_sent',
      mail: {
        key: `returned:${mail.key}`,
        from: DAEMON,
        to: sender.text,
        kind: 'note',
        subject: `Returned: ${mail.subject}`.slice(0, MAIL_SUBJECT_CHARS_MAX),
        body: `Your mail to ${MAYOR} was not read: ${reason}.\n\n${mail.body}`.slice(0, MAIL_BODY_CHARS_MAX),
        replyTo: null,
      },
    });
  }

  read(turn: Turn, id: MailId): Mail | null {
    this.#mayor.store.mail.markRead(id, turn.nowMs);
    turn.dirty(MAILBOX);
    return this.#mayor.store.mail.get(id);
  }

  /** Returns what nobody read in time; answers when to look again. */
  expire(turn: Turn): number | null {
    const { mail: store } = this.#mayor.store;
    for (const mail of store.expired(turn.nowMs, EXPIRED_BATCH))
      if (store.end(mail.key, mail.from === DAEMON ? 'expired' : 'returned', turn.nowMs))
        this.#bounce(turn, mail, 'nobody read it before it expired');
    return store.nextExpiry();
  }
}
