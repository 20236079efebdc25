import type { ExitRecord } from '../core/facts.ts';
import {
  MAYOR_MESSAGE_STATES,
  MAYOR_OUTCOMES,
  MAYOR_WISHES,
  type MayorAttempt,
  type MayorExit,
  type MayorFacts,
  type MayorMessage,
  type MayorOutcome,
  type MayorWish,
  type Sitting,
} from '../core/model/mayor.ts';
import { MAYOR } from '../core/model/mayor.ts';
import { trusted, type AttemptId } from '../core/model/ids.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { readRunnerLoads } from './runner-store.ts';
import { MailStore } from './mail-store.ts';
import { int, intOrNull, json, text, textOrNull, word } from './rows.ts';

const ATTEMPT_COLUMNS =
  'id, epoch, sitting, started_at, running_at, ended_at, outcome, reason, exit_record, process_gone, contact_lost_at, runner';
const MESSAGE_COLUMNS = 'seq, sender, text, state, sitting, reply, created_at, settled_at';

/** The mayor's tables: conversation, sittings, processes, session, mail. Writers guard what they judged. */
export class MayorStore {
  readonly mail: MailStore;
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.mail = new MailStore(sql);
  }

  facts(isConfigured: boolean, hasLocalRunner = true): MayorFacts {
    const [row] = this.#sql.all('SELECT wish, failures, not_before, escalated FROM session');
    return {
      isConfigured,
      wish: word(MAYOR_WISHES, row?.['wish'], 'session.wish'),
      failures: int(row?.['failures']),
      notBeforeMs: int(row?.['not_before']),
      isEscalated: int(row?.['escalated']) === 1,
      attempt: this.unresolved(),
      sitting: this.openSitting(),
      waitingMessages: this.#count(`SELECT COUNT(*) AS n FROM messages WHERE state = 'waiting'`),
      newMail: this.#count(
        'SELECT COUNT(*) AS n FROM mail WHERE recipient = ? AND read_at IS NULL AND ended_at IS NULL AND delivered_attempt IS NULL',
        MAYOR,
      ),
      runners: readRunnerLoads(this.#sql),
      hasLocalRunner,
      lastRunner: textOrNull(this.#sql.all('SELECT runner FROM attempts ORDER BY epoch DESC LIMIT 1')[0]?.['runner']),
    };
  }

  #count(query: string, ...args: SqlValue[]): number {
    return int(this.#sql.all(query, ...args)[0]?.['n']);
  }

  setWish(wish: MayorWish): void {
    this.#sql.all('UPDATE session SET wish = ?', wish);
  }

  /** A person's word: what failed before counts no more, and nothing is waited for. */
  forgiveFailures(): void {
    this.#sql.all('UPDATE session SET failures = 0, not_before = 0, escalated = 0');
  }

  setFailures(failures: number, notBeforeMs: number): void {
    this.#sql.all('UPDATE session SET failures = ?, not_before = ?', failures, notBeforeMs);
  }

  setEscalated(escalated: boolean): void {
    this.#sql.all('UPDATE session SET escalated = ?', escalated ? 1 : 0);
  }

  checkpoint(): string | null {
    return textOrNull(this.#sql.all('SELECT checkpoint FROM session')[0]?.['checkpoint']);
  }

  saveCheckpoint(json: string | null): void {
    this.#sql.all('UPDATE session SET checkpoint = ?', json);
  }

  addMessage(from: string, content: string, nowMs: number): number {
    return int(
      this.#sql.all(
        `INSERT INTO messages (seq, sender, text, created_at) SELECT coalesce(max(seq), 0) + 1, ?, ?, ? FROM messages RETURNING seq`,
        from,
        content,
        nowMs,
      )[0]?.['seq'],
    );
  }

  message(seq: number): MayorMessage | null {
    const [row] = this.#sql.all(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE seq = ?`, seq);
    return row === undefined ? null : messageFromRow(row);
  }

  waiting(limit: number): readonly MayorMessage[] {
    return this.#sql
      .all(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE state = 'waiting' ORDER BY seq LIMIT 0 + ?`, limit)
      .map(messageFromRow);
  }

  /** Oldest first, after a place. */
  messagesAfter(seq: number, limit: number): readonly MayorMessage[] {
    return this.#sql
      .all(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE seq > ? ORDER BY seq LIMIT 0 + ?`, seq, limit)
      .map(messageFromRow);
  }

  /** The newest, oldest first. */
  latestMessages(limit: number): readonly MayorMessage[] {
    return this.#sql
      .all(`SELECT ${MESSAGE_COLUMNS} FROM messages ORDER BY seq DESC LIMIT 0 + ?`, limit)
      .map(messageFromRow)
      .toReversed();
  }

  messagesOf(sitting: number): readonly MayorMessage[] {
    return this.#sql
      .all(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE sitting = ? ORDER BY seq`, sitting)
      .map(messageFromRow);
  }

  /** False when it was answered before. */
  answer(seq: number, reply: string, by: { readonly attempt: AttemptId; readonly nowMs: number }): boolean {
    return (
      this.#sql.all(
        `UPDATE messages SET state = 'answered', reply = ?, replied_by = ?, settled_at = ? WHERE seq = ? AND state = 'shown' RETURNING seq`,
        reply,
        by.attempt,
        by.nowMs,
        seq,
      ).length > 0
    );
  }

  openSitting(): Sitting | null {
    const [row] = this.#sql.all('SELECT number, failures FROM sittings WHERE closed_at IS NULL');
    if (row === undefined) return null;
    const number = int(row['number']);
    const messages = this.messagesOf(number);
    const settled = messages.flatMap((message) => (message.settledAtMs === null ? [] : [message.settledAtMs]));
    return {
      number,
      failures: int(row['failures']),
      messages: messages.length,
      openMessages: messages.filter((message) => message.state === 'shown').length,
      answeredAtMs: settled.length === 0 ? null : Math.max(...settled),
    };
  }

  /** Throws `GuardFailed` when one is open. */
  beginSitting(seqs: readonly number[], nowMs: number): number {
    if (this.openSitting() !== null) throw new GuardFailed('a sitting is open');
    const number = int(
      this.#sql.all(
        'INSERT INTO sittings (number, opened_at) SELECT coalesce(max(number), 0) + 1, ? FROM sittings RETURNING number',
        nowMs,
      )[0]?.['number'],
    );
    this.#sql.all(
      `UPDATE messages SET state = 'shown', sitting = ? WHERE state = 'waiting' AND seq IN (SELECT value FROM json_each(?))`,
      number,
      JSON.stringify(seqs),
    );
    return number;
  }

  chargeSitting(number: number): void {
    this.#sql.all('UPDATE sittings SET failures = failures + 1 WHERE number = ? AND closed_at IS NULL', number);
  }

  closeSitting(number: number, outcome: 'done' | 'gave_up', nowMs: number): void {
    const closed = this.#sql.all(
      'UPDATE sittings SET closed_at = ?, outcome = ? WHERE number = ? AND closed_at IS NULL RETURNING number',
      nowMs,
      outcome,
      number,
    );
    if (closed.length === 0) throw new GuardFailed(`sitting ${String(number)} is not open`);
    this.#sql.all(
      `UPDATE messages SET state = 'unanswered', settled_at = ? WHERE sitting = ? AND state = 'shown'`,
      nowMs,
      number,
    );
  }

  attempt(id: string): MayorAttempt | null {
    const [row] = this.#sql.all(`SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE id = ?`, id);
    return row === undefined ? null : attemptFromRow(row);
  }

  /** The one that has not ended or whose process is not proven gone; the live one first. */
  unresolved(): MayorAttempt | null {
    const live = this.#sql.all(`SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE ended_at IS NULL LIMIT 1`)[0];
    const row = live ?? this.#sql.all(`SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE process_gone = 0 LIMIT 1`)[0];
    return row === undefined ? null : attemptFromRow(row);
  }

  /** How the sitting's earlier processes ended, oldest first. */
  endedOf(sitting: number): readonly MayorAttempt[] {
    return this.#sql
      .all(`SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE sitting = ? AND ended_at IS NOT NULL ORDER BY epoch`, sitting)
      .map(attemptFromRow);
  }

  insertAttempt(row: {
    readonly id: AttemptId;
    readonly epoch: number;
    readonly sitting: number;
    readonly runner: string;
    /** The runner's process, where it is known. */
    readonly instance: string | null;
    readonly nowMs: number;
  }): void {
    if (this.unresolved() !== null) throw new GuardFailed('a process of the mayor is not proven gone');
    this.#sql.all(
      'INSERT INTO attempts (id, epoch, sitting, started_at, runner_id, runner) VALUES (?, ?, ?, ?, ?, ?)',
      row.id,
      row.epoch,
      row.sitting,
      row.nowMs,
      row.instance,
      row.runner,
    );
  }

  setRunning(id: AttemptId, nowMs: number, runner: string | null): void {
    this.#sql.all(
      'UPDATE attempts SET running_at = coalesce(running_at, ?), runner_id = coalesce(?, runner_id), contact_lost_at = NULL WHERE id = ? AND process_gone = 0',
      nowMs,
      runner,
      id,
    );
  }

  setContactLost(id: AttemptId, nowMs: number): void {
    this.#sql.all(
      'UPDATE attempts SET contact_lost_at = coalesce(contact_lost_at, ?) WHERE id = ? AND process_gone = 0',
      nowMs,
      id,
    );
  }

  setGone(id: AttemptId, exit: ExitRecord | null): void {
    this.#sql.all(
      'UPDATE attempts SET process_gone = 1, exit_record = coalesce(exit_record, ?) WHERE id = ?',
      exit === null ? null : JSON.stringify(exit),
      id,
    );
  }

  endAttempt(
    id: AttemptId,
    end: { readonly outcome: MayorOutcome; readonly reason: string; readonly nowMs: number },
  ): void {
    const ended = this.#sql.all(
      'UPDATE attempts SET ended_at = ?, outcome = ?, reason = ? WHERE id = ? AND ended_at IS NULL RETURNING id',
      end.nowMs,
      end.outcome,
      end.reason,
      id,
    );
    if (ended.length === 0) throw new GuardFailed(`${id} has ended`);
  }
}

function messageFromRow(row: SqlRow): MayorMessage {
  return {
    seq: int(row['seq']),
    from: text(row['sender']),
    text: text(row['text']),
    state: word(MAYOR_MESSAGE_STATES, row['state'], 'messages.state'),
    sitting: intOrNull(row['sitting']),
    reply: textOrNull(row['reply']),
    createdAtMs: int(row['created_at']),
    settledAtMs: intOrNull(row['settled_at']),
  };
}

function attemptFromRow(row: SqlRow): MayorAttempt {
  const outcome = textOrNull(row['outcome']);
  return {
    id: trusted.attempt(text(row['id'])),
    epoch: int(row['epoch']),
    sitting: int(row['sitting']),
    startedAtMs: int(row['started_at']),
    runningAtMs: intOrNull(row['running_at']),
    endedAtMs: intOrNull(row['ended_at']),
    outcome: outcome === null ? null : word(MAYOR_OUTCOMES, outcome, 'attempts.outcome'),
    reason: textOrNull(row['reason']),
    processGone: int(row['process_gone']) === 1,
    exit: row['exit_record'] === null ? null : json<MayorExit>(row['exit_record']),
    contactLostAtMs: intOrNull(row['contact_lost_at']),
    runner: text(row['runner']),
  };
}
