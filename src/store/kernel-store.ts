import type { ChannelEnd } from '../core/channels.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull } from './rows.ts';

/** One fact that waits to be applied. */
export interface InboxEvent {
  readonly seq: number;
  readonly key: string;
  readonly type: string;
  /** Events of one subject are applied in order; a quarantined one lets the next go on. */
  readonly subject: string;
  readonly payload: string;
  readonly tries: number;
}

export interface NewEvent {
  readonly key: string;
  readonly type: string;
  readonly subject: string;
  readonly payload: unknown;
}

/** One effect that must happen after commit, at least once, recognisable by its key. */
export interface OutboxRow {
  readonly seq: number;
  readonly key: string;
  readonly kind: string;
  /** Rows of one lane are performed in `seq` order. */
  readonly lane: string;
  readonly payload: string;
  readonly tries: number;
}

/** How many effects may be claimed; of a slow kind at most its own share of them. */
export interface ClaimRoom {
  readonly all: number;
  readonly slow?: { readonly kind: string; readonly room: number };
}

export interface NewEffect {
  readonly key: string;
  readonly kind: string;
  readonly lane: string;
  readonly payload: unknown;
  /** Not before this moment. */
  readonly atMs: number;
}

export interface JournalRow {
  readonly tick: number;
  readonly atMs: number;
  readonly entity: string;
  readonly action: string;
  readonly rule: string;
  readonly reason: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** Messages to one peer are delivered in their order. */
export const messageLane = (peer: string): string => `to:${peer}`;

/** The tables that every actor has: queue in, queue out, journal, timers, channels, answers. */
export class KernelStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  getMeta(key: string): string | null {
    return textOrNull(this.#sql.all('SELECT value FROM meta WHERE key = ?', key)[0]?.['value']);
  }

  setMeta(key: string, value: string): void {
    this.#sql.all(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      key,
      value,
    );
  }

  /** Strictly growing counter: ticks, epochs. */
  nextCounter(key: string): number {
    const row = this.#sql.all(
      `INSERT INTO meta (key, value) VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) RETURNING value`,
      key,
    )[0];
    return Number(text(row?.['value']));
  }

  /** False when an event of this key was recorded before: exactly-once by key. */
  appendEvent(event: NewEvent, nowMs: number): boolean {
    // Not ON CONFLICT: that would use up a number of the sequence, a change which nobody counts and no replay sees.
    const rows = this.#sql.all(
      `INSERT INTO inbox (key, type, subject, payload, created_at) SELECT ?, ?, ?, ?, ?
        WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE key = ?) RETURNING seq`,
      event.key,
      event.type,
      event.subject,
      JSON.stringify(event.payload),
      nowMs,
      event.key,
    );
    return rows.length > 0;
  }

  pendingEvents(nowMs: number, limit: number): readonly InboxEvent[] {
    return this.#sql
      .all(
        `SELECT seq, key, type, subject, payload, tries, retry_at FROM inbox WHERE state = 'pending' ORDER BY seq LIMIT 0 + ?`,
        limit,
      )
      .filter((row, _index, all) => int(row['retry_at']) <= nowMs && !waitsForEarlier(row, all, nowMs))
      .map((row) => ({
        seq: int(row['seq']),
        key: text(row['key']),
        type: text(row['type']),
        subject: text(row['subject']),
        payload: text(row['payload']),
        tries: int(row['tries']),
      }));
  }

  settleEvent(seq: number, nowMs: number): void {
    this.#sql.all(`UPDATE inbox SET state = 'applied', settled_at = ? WHERE seq = ?`, nowMs, seq);
  }

  retryEvent(seq: number, retryAtMs: number, error: string): void {
    this.#sql.all('UPDATE inbox SET tries = tries + 1, retry_at = ?, error = ? WHERE seq = ?', retryAtMs, error, seq);
  }

  quarantineEvent(seq: number, nowMs: number, error: string): void {
    this.#sql.all(
      `UPDATE inbox SET state = 'quarantined', tries = tries + 1, settled_at = ?, error = ? WHERE seq = ?`,
      nowMs,
      error,
      seq,
    );
  }

  /** A repeat of the same key is the same effect. */
  addEffect(effect: NewEffect, nowMs: number): void {
    this.#sql.all(
      `INSERT INTO outbox (key, kind, lane, payload, next_at, created_at) SELECT ?, ?, ?, ?, ?, ?
        WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE key = ?)`,
      effect.key,
      effect.kind,
      effect.lane,
      JSON.stringify(effect.payload),
      effect.atMs,
      nowMs,
      effect.key,
    );
  }

  /**
   * Takes due effects whose lane is free, and sets when they come back by themselves if nothing is heard of them. What has
   * been due longest goes first, so that none waits for ever behind those that fail and come back.
   */
  claimEffects(nowMs: number, deadlineMs: number, { all, slow }: ClaimRoom): readonly OutboxRow[] {
    // Most turns find nothing due: one look at the index instead of a write statement.
    if (all <= 0 || !this.#hasDueEffect(nowMs)) return [];
    return this.#sql
      .all(
        `UPDATE outbox SET next_at = ?, tries = tries + 1, claimed = 1 WHERE seq IN (
          SELECT seq FROM (
            SELECT o.seq, o.next_at, o.kind = ? AS is_slow, sum(o.kind = ?) OVER (ORDER BY o.next_at, o.seq) AS slow_so_far
              FROM outbox o WHERE o.state = 'pending' AND o.next_at <= ?
              AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.state = 'pending' AND p.lane = o.lane AND p.seq < o.seq)
          ) WHERE is_slow = 0 OR slow_so_far <= 0 + ? ORDER BY next_at, seq LIMIT 0 + ?
        ) RETURNING seq, key, kind, lane, payload, tries`,
        nowMs + deadlineMs,
        slow?.kind ?? '',
        slow?.kind ?? '',
        nowMs,
        slow?.room ?? 0,
        all,
      )
      .map(outboxRow)
      .toSorted((a, b) => a.seq - b.seq);
  }

  #hasDueEffect(nowMs: number): boolean {
    return (
      this.#sql.all(`SELECT 1 AS one FROM outbox WHERE state = 'pending' AND next_at <= ? LIMIT 1`, nowMs).length > 0
    );
  }

  /** False when the row is settled already: a late second answer. */
  settleEffect(key: string, state: 'done' | 'failed', error: string | null, nowMs: number): boolean {
    return (
      this.#sql.all(
        `UPDATE outbox SET state = ?, error = ?, settled_at = ? WHERE key = ? AND state = 'pending' RETURNING seq`,
        state,
        error,
        nowMs,
        key,
      ).length > 0
    );
  }

  /** Puts it back until a time that holds over restarts. Without an error the last one stays. */
  retryEffect(key: string, nextAtMs: number, error: string | null): void {
    const query = `UPDATE outbox SET next_at = ?, error = coalesce(?, error), claimed = 0 WHERE key = ? AND state = 'pending'`;
    this.#sql.all(query, nextAtMs, error, key);
  }

  pendingEffect(key: string): OutboxRow | null {
    const row = this.#sql.all(
      `SELECT seq, key, kind, lane, payload, tries FROM outbox WHERE key = ? AND state = 'pending'`,
      key,
    )[0];
    return row === undefined ? null : outboxRow(row);
  }

  /** A message to this address has not arrived. */
  isOnTheWay(address: string): boolean {
    const query = `SELECT 1 AS one FROM outbox WHERE state = 'pending' AND lane = ? LIMIT 1`;
    return this.#sql.all(query, messageLane(address)).length > 0;
  }

  hasPendingEffects(): boolean {
    return this.#sql.all(`SELECT 1 AS one FROM outbox WHERE state = 'pending' LIMIT 1`).length > 0;
  }

  writeJournal(row: JournalRow): void {
    this.#sql.all(
      'INSERT INTO journal (tick, at, entity, action, rule, reason, from_status, to_status) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      row.tick,
      row.atMs,
      row.entity,
      row.action,
      row.rule,
      row.reason,
      row.from,
      row.to,
    );
  }

  journalAfter(seq: number, limit: number): readonly (JournalRow & { readonly seq: number })[] {
    return this.#sql
      .all(
        'SELECT seq, tick, at, entity, action, rule, reason, from_status, to_status FROM journal WHERE seq > ? ORDER BY seq LIMIT 0 + ?',
        seq,
        limit,
      )
      .map(journalRow);
  }

  /** As `journalAfter`; null when rows behind `seq` may have been put away, or this journal never came so far. */
  journalBehind(seq: number, limit: number): readonly (JournalRow & { readonly seq: number })[] | null {
    if (seq < Number(this.getMeta('snapshot_journal') ?? 0)) return null;
    const rows = this.journalAfter(seq, limit);
    return rows.length === 0 && seq > this.lastSeq() ? null : rows;
  }

  /** The newest entries since a moment, oldest first. */
  journalTail(sinceMs: number, limit: number): readonly (JournalRow & { readonly seq: number })[] {
    return this.#sql
      .all(
        'SELECT seq, tick, at, entity, action, rule, reason, from_status, to_status FROM journal ORDER BY seq DESC LIMIT 0 + ?',
        limit,
      )
      .map(journalRow)
      .filter((row) => row.atMs >= sinceMs)
      .toReversed();
  }

  lastSeq(): number {
    return intOrNull(this.#sql.all('SELECT MAX(seq) AS seq FROM journal')[0]?.['seq']) ?? 0;
  }

  /** When this actor last recorded anything; 0 when it never did. */
  lastRecordedMs(): number {
    return intOrNull(this.#sql.all('SELECT at FROM journal ORDER BY seq DESC LIMIT 1')[0]?.['at']) ?? 0;
  }

  /** The newest entry about an entity, for `gt why`. */
  lastJournal(entity: string): (JournalRow & { readonly seq: number }) | null {
    const row = this.#sql.all(
      'SELECT seq, tick, at, entity, action, rule, reason, from_status, to_status FROM journal WHERE entity = ? ORDER BY seq DESC LIMIT 1',
      entity,
    )[0];
    return row === undefined ? null : journalRow(row);
  }

  /** Writes only when something changes: an unchanged timer costs one read. */
  setTimer(entity: string, kind: string, dueAtMs: number | null): void {
    const known = this.timer(entity, kind);
    if (known === dueAtMs) return;
    if (dueAtMs === null) this.#sql.all('DELETE FROM timers WHERE entity = ? AND kind = ?', entity, kind);
    else
      this.#sql.all(
        'INSERT INTO timers (entity, kind, due_at) VALUES (?, ?, ?) ON CONFLICT (entity, kind) DO UPDATE SET due_at = excluded.due_at',
        entity,
        kind,
        dueAtMs,
      );
  }

  timer(entity: string, kind: string): number | null {
    const row = this.#sql.all('SELECT due_at FROM timers WHERE entity = ? AND kind = ?', entity, kind)[0];
    return row === undefined ? null : int(row['due_at']);
  }

  dueTimers(kind: string, nowMs: number, limit: number): readonly string[] {
    return this.#sql
      .all('SELECT entity FROM timers WHERE due_at <= ? AND kind = ? ORDER BY due_at LIMIT 0 + ?', nowMs, kind, limit)
      .map((row) => text(row['entity']));
  }

  /**
   * The earliest moment at which this actor must look again; null when nothing is due ever. Effects and events that
   * are due already wait for their lane or their predecessor, and overdue observations for an answer: what they wait
   * for wakes the actor, so they don't.
   */
  nextDue(nowMs: number): number | null {
    const row = this.#sql.all(
      `SELECT MIN(at) AS at FROM (
        SELECT MIN(due_at) AS at FROM timers WHERE kind = 'rule' OR due_at > ?
        UNION ALL SELECT MIN(next_at) FROM outbox WHERE state = 'pending' AND next_at > ?
        UNION ALL SELECT MIN(retry_at) FROM inbox WHERE state = 'pending' AND retry_at > ?
      )`,
      nowMs,
      nowMs,
      nowMs,
    )[0];
    const at = row?.['at'];
    return at === null || at === undefined ? null : int(at);
  }

  nextSent(peer: string): number {
    const row = this.#sql.all(
      'INSERT INTO channels (peer, sent) VALUES (?, 1) ON CONFLICT (peer) DO UPDATE SET sent = sent + 1 RETURNING sent',
      peer,
    )[0];
    return int(row?.['sent']);
  }

  received(peer: string): number {
    const row = this.#sql.all('SELECT received FROM channels WHERE peer = ?', peer)[0];
    return row === undefined ? 0 : int(row['received']);
  }

  /** This end of the channel to a peer. */
  channel(peer: string): ChannelEnd {
    const row = this.#sql.all('SELECT sent, received FROM channels WHERE peer = ?', peer)[0];
    const waiting = this.#sql.all(
      `SELECT COUNT(*) AS n FROM outbox WHERE state = 'pending' AND lane = ?`,
      messageLane(peer),
    )[0];
    return { sent: int(row?.['sent'] ?? 0), received: int(row?.['received'] ?? 0), waiting: int(waiting?.['n']) };
  }

  setReceived(peer: string, seq: number): void {
    this.#sql.all(
      'INSERT INTO channels (peer, received) VALUES (?, ?) ON CONFLICT (peer) DO UPDATE SET received = excluded.received',
      peer,
      seq,
    );
  }

  answer(key: string): string | null {
    return textOrNull(this.#sql.all('SELECT response FROM answers WHERE key = ?', key)[0]?.['response']);
  }

  saveAnswer(key: string, response: string, nowMs: number): void {
    this.#sql.all('INSERT INTO answers (key, response, created_at) VALUES (?, ?, ?)', key, response, nowMs);
  }
}

/** An event whose predecessor of the same subject waits for another try must wait as well. */
function waitsForEarlier(row: SqlRow, all: readonly SqlRow[], nowMs: number): boolean {
  return all.some(
    (other) =>
      int(other['seq']) < int(row['seq']) && other['subject'] === row['subject'] && int(other['retry_at']) > nowMs,
  );
}

const outboxRow = (row: SqlRow): OutboxRow => ({
  seq: int(row['seq']),
  key: text(row['key']),
  kind: text(row['kind']),
  lane: text(row['lane']),
  payload: text(row['payload']),
  tries: int(row['tries']),
});

const journalRow = (row: SqlRow): JournalRow & { readonly seq: number } => ({
  seq: int(row['seq']),
  tick: int(row['tick']),
  atMs: int(row['at']),
  entity: text(row['entity']),
  action: text(row['action']),
  rule: text(row['rule']),
  reason: text(row['reason']),
  from: textOrNull(row['from_status']),
  to: textOrNull(row['to_status']),
});
