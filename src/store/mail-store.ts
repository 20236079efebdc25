import { MAIL_EXPIRES_AFTER_MS, MAIL_KEPT_MS, MAILBOX_UNREAD_MAX, PRUNE_BATCH } from '../core/limits.ts';
import type { MailId } from '../core/model/ids.ts';
import type { Mail, MailEndReason, NewMail } from '../core/model/mail.ts';
import type { Sql, SqlValue } from '../ports/sql.ts';
import { MAIL_COLUMNS } from './columns.ts';
import { int, intOrNull, mailFromRow } from './rows.ts';

const UNREAD = 'read_at IS NULL AND ended_at IS NULL';

/** The mail table of one actor. Marking is idempotent; reading deletes nothing. */
export class MailStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  #many(where: string, ...args: SqlValue[]): readonly Mail[] {
    return this.#sql.all(`SELECT ${MAIL_COLUMNS} FROM mail WHERE ${where}`, ...args).map(mailFromRow);
  }

  /** Stores a mail; one with a known key is the mail that is there already. */
  put(mail: NewMail, id: MailId, nowMs: number): Mail {
    this.#sql.all(
      `INSERT INTO mail (id, key, sender, recipient, kind, subject, body, reply_to, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (key) DO NOTHING`,
      id,
      mail.key,
      mail.from,
      mail.to,
      mail.kind,
      mail.subject,
      mail.body,
      mail.replyTo,
      nowMs,
      mail.expiresAtMs ?? nowMs + MAIL_EXPIRES_AFTER_MS,
    );
    this.#prune(nowMs);
    const [stored] = this.#many('key = ?', mail.key);
    if (stored === undefined) throw new Error('a mail that was just stored is there');
    return stored;
  }

  byKey(key: string): Mail | null {
    return this.#many('key = ?', key)[0] ?? null;
  }

  get(id: string): Mail | null {
    return this.#many('id = ?', id)[0] ?? null;
  }

  /** Oldest first. */
  unread(recipient: string, limit: number): readonly Mail[] {
    return this.#many(`recipient = ? AND ${UNREAD} ORDER BY id LIMIT 0 + ?`, recipient, limit);
  }

  /** Unread mail that this session has not been shown. */
  undelivered(recipient: string, attempt: string, limit: number): readonly Mail[] {
    return this.#many(
      `recipient = ? AND ${UNREAD} AND delivered_attempt IS NOT ? ORDER BY id LIMIT 0 + ?`,
      recipient,
      attempt,
      limit,
    );
  }

  /** Unread mail that was shown to this session. */
  deliveredTo(recipient: string, attempt: string): readonly Mail[] {
    return this.#many(
      `recipient = ? AND ${UNREAD} AND delivered_attempt = ? ORDER BY id LIMIT 0 + ?`,
      recipient,
      attempt,
      MAILBOX_UNREAD_MAX,
    );
  }

  /** Newest first; with `recipient` null those of everybody here. */
  list(filter: {
    readonly recipient: string | null;
    readonly unreadOnly: boolean;
    readonly limit: number;
  }): readonly Mail[] {
    // Only the conditions that are asked for, so that unread mail is found by its own index.
    const where = [...(filter.recipient === null ? [] : ['recipient = ?']), ...(filter.unreadOnly ? [UNREAD] : [])];
    return this.#many(
      `${where.length === 0 ? '1 = 1' : where.join(' AND ')} ORDER BY id DESC LIMIT 0 + ?`,
      ...(filter.recipient === null ? [] : [filter.recipient]),
      filter.limit,
    );
  }

  unreadCount(recipient: string | null): number {
    const query = `SELECT COUNT(*) AS n FROM mail WHERE ${UNREAD}${recipient === null ? '' : ' AND recipient = ?'}`;
    return int(this.#sql.all(query, ...(recipient === null ? [] : [recipient]))[0]?.['n']);
  }

  /** Shown to this session; the first time counts as the delivery. */
  markDelivered(mails: readonly Mail[], attempt: string, nowMs: number): void {
    if (mails.length === 0) return;
    this.#sql.all(
      `UPDATE mail SET delivered_at = coalesce(delivered_at, ?), delivered_attempt = ?
        WHERE id IN (SELECT value FROM json_each(?)) AND delivered_attempt IS NOT ?`,
      nowMs,
      attempt,
      JSON.stringify(mails.map((mail) => mail.id)),
      attempt,
    );
  }

  markRead(id: MailId, nowMs: number): void {
    this.#sql.all(
      'UPDATE mail SET read_at = ?, delivered_at = coalesce(delivered_at, ?) WHERE id = ? AND read_at IS NULL AND ended_at IS NULL',
      nowMs,
      nowMs,
      id,
    );
  }

  /** False when it was read or ended meanwhile. */
  end(key: string, reason: MailEndReason, nowMs: number): boolean {
    return (
      this.#sql.all(
        `UPDATE mail SET ended_at = ?, end_reason = ? WHERE key = ? AND ${UNREAD} RETURNING id`,
        nowMs,
        reason,
        key,
      ).length > 0
    );
  }

  expired(nowMs: number, limit: number): readonly Mail[] {
    return this.#many(`${UNREAD} AND expires_at <= ? ORDER BY expires_at, id LIMIT 0 + ?`, nowMs, limit);
  }

  nextExpiry(): number | null {
    return intOrNull(this.#sql.all(`SELECT MIN(expires_at) AS at FROM mail WHERE ${UNREAD}`)[0]?.['at']);
  }

  /** Each new mail pays for the removal of old ones, so the table needs no timer of its own. */
  #prune(nowMs: number): void {
    this.#sql.all(
      `DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE created_at < ? AND NOT (${UNREAD}) LIMIT 0 + ?)`,
      nowMs - MAIL_KEPT_MS,
      PRUNE_BATCH,
    );
  }
}
