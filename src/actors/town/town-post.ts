import type { TownToRig } from '../../core/messages.ts';
import type { TownToMayor } from '../../core/mayor-actions.ts';
import { MAYOR_ADDRESS } from '../../core/model/mayor.ts';
import { MAIL_BODY_CHARS_MAX, MAIL_SUBJECT_CHARS_MAX, PEOPLE_UNREAD_MAX } from '../../core/limits.ts';
import { crockford, sortableTime, trusted, type MailId } from '../../core/model/ids.ts';
import { DAEMON, HUMAN, parseAddress, type Mail, type NewMail } from '../../core/model/mail.ts';
import { MAILBOX } from '../../core/refs.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { MailStore } from '../../store/mail-store.ts';
import type { Turn } from '../kernel/turn.ts';

/** Random characters of a mail's id, behind the millisecond. */
const RANDOM_CHARACTERS = 8;
const EXPIRED_BATCH = 50;

/** Set while the mayor reads its mail itself. */
const MAYOR_PRESENT = 'mayor_present';

/** What the post office needs of the town actor. */
export interface PostTown {
  readonly sql: Sql;
  readonly ports: Pick<HostPorts, 'random'>;
  tell(turn: Turn, rig: string, message: TownToRig): void;
  raise(turn: Turn, raise: MailProblem): void;
}

/** A mail that can't be taken, in front of a person; one per cause while it is open. */
interface MailProblem {
  readonly rig: string;
  readonly causeKey: string;
  readonly severity: 'low' | 'medium';
  readonly category: string;
  readonly subject: string;
  readonly message: string;
}

/**
 * The town's post office: passes mail on from rig to rig, and keeps what people read. That is the mail to `human/`, and
 * to witnesses and refineries, behind which stands code that reads nothing; and to the mayor of a town without one.
 */
export class TownPost {
  readonly store: MailStore;
  readonly #town: PostTown;

  constructor(town: PostTown) {
    this.#town = town;
    this.store = new MailStore(town.sql);
  }

  /** Takes a mail on its way; one that can't go on goes back. */
  take(turn: Turn, mail: NewMail): void {
    const address = parseAddress(mail.to);
    switch (address.kind) {
      case 'agent':
        if (this.#hasRig(address.rig)) this.#town.tell(turn, address.rig, { type: 'deliver_mail', mail });
        else this.#bounce(turn, mail, `there is no rig ${address.rig}`);
        return;
      case 'daemon':
        this.#bounce(turn, mail, 'lifecycle requests are executed where they are made');
        return;
      case 'mayor':
        if (turn.kernel.getMeta(MAYOR_PRESENT) === 'yes')
          turn.send<TownToMayor>(MAYOR_ADDRESS, 'town', { type: 'deliver_mail', mail });
        else this.#keep(turn, mail);
        return;
      default:
        this.#keep(turn, mail);
    }
  }

  /** Keeps a mail for people, to whomever it is addressed: the mayor can't be asked to mend itself. */
  takeForPeople(turn: Turn, mail: NewMail): void {
    this.#keep(turn, mail);
  }

  /** Who reads the mail to the mayor from now on: itself, or people. */
  setMayorPresent(turn: Turn, present: boolean): void {
    turn.kernel.setMeta(MAYOR_PRESENT, present ? 'yes' : 'no');
  }

  /** Nothing is said where no mayor hears it. */
  tellMayor(turn: Turn, message: TownToMayor): void {
    if (turn.kernel.getMeta(MAYOR_PRESENT) === 'yes') turn.send<TownToMayor>(MAYOR_ADDRESS, 'town', message);
  }

  /** True where mail to this address can be kept or passed on. */
  knows(to: string): boolean {
    const address = parseAddress(to);
    return !('rig' in address) || this.#hasRig(address.rig);
  }

  #hasRig(rig: string): boolean {
    return (
      this.#town.sql.all(`SELECT 1 AS one FROM rigs WHERE name = ? AND json_extract(config, '$.removed') IS NULL`, rig)
        .length > 0
    );
  }

  #keep(turn: Turn, mail: NewMail): void {
    if (this.store.byKey(mail.key) !== null) return;
    const isReturn = mail.from === DAEMON;
    if (!isReturn && this.store.unreadCount(null) >= PEOPLE_UNREAD_MAX) {
      this.#bounce(turn, mail, `people have ${String(PEOPLE_UNREAD_MAX)} unread mails`);
      this.#tellOfOverflow(turn);
      return;
    }
    const stored = this.store.put(mail, this.#mint(turn.nowMs), turn.nowMs);
    turn.dirty(MAILBOX);
    turn.journal({
      entity: MAILBOX,
      action: 'receive_mail',
      rule: 'mail',
      reason: `${mail.kind} ${stored.id} from ${mail.from}`,
      to: mail.to,
    });
  }

  #mint(nowMs: number): MailId {
    return trusted.mail(`ml-${sortableTime(nowMs)}${crockford(this.#town.ports.random.bytes(RANDOM_CHARACTERS))}`);
  }

  #bounce(turn: Turn, mail: NewMail, reason: string): void {
    turn.journal({ entity: MAILBOX, action: 'return_mail', rule: 'mail', reason, to: mail.from });
    const sender = parseAddress(mail.from);
    if (sender.kind !== 'agent' && sender.kind !== 'human' && sender.kind !== 'mayor') return;
    this.take(turn, {
      key: `returned:${mail.key}`,
      from: DAEMON,
      to: sender.text,
      kind: 'note',
      subject: `Returned: ${mail.subject}`.slice(0, MAIL_SUBJECT_CHARS_MAX),
      body: `Your mail to ${mail.to} was not read: ${reason}.\n\n${mail.body}`.slice(0, MAIL_BODY_CHARS_MAX),
      replyTo: null,
    });
  }

  #tellOfOverflow(turn: Turn): void {
    this.tell(turn, {
      rig: '',
      causeKey: 'mailbox:people',
      severity: 'medium',
      subject: `mailbox:${HUMAN}`,
      message: `People have ${String(PEOPLE_UNREAD_MAX)} unread mails; new ones go back to their senders.`,
    });
  }

  tell(turn: Turn, problem: Omit<MailProblem, 'category'>): void {
    this.#town.raise(turn, { ...problem, category: 'mail' });
  }

  read(turn: Turn, id: MailId): Mail | null {
    this.store.markRead(id, turn.nowMs);
    turn.dirty(MAILBOX);
    return this.store.get(id);
  }

  /** Returns what nobody read in time; answers when to look again. */
  expire(turn: Turn): number | null {
    for (const mail of this.store.expired(turn.nowMs, EXPIRED_BATCH)) {
      if (this.store.end(mail.key, mail.from === DAEMON ? 'expired' : 'returned', turn.nowMs))
        this.#bounce(turn, mail, 'nobody read it before it expired');
    }
    return this.store.nextExpiry();
  }
}
