import { createHash } from 'node:crypto';

import { type ExitRecord, exitRecordSchema } from '../../api/contract/exit-record.ts';
import { type StartAgent, startAgentSchema } from '../../api/contract/runner.ts';
import { ATTEMPTS_KEPT_MAX } from '../limits.ts';
import type { Row, RunnerDb } from './db.ts';

export type AttemptState = 'accepted' | 'running' | 'exited';
export type StopMode = 'graceful' | 'now';

export interface AttemptRow {
  readonly attempt: string;
  readonly epoch: number;
  readonly agent: string;
  readonly rig: string;
  readonly state: AttemptState;
  readonly pid: number | null;
  readonly base: string | null;
  readonly stopMode: StopMode | null;
  /** Number of claims recorded; the next one has this number plus one in its fact key. */
  readonly claims: number;
  /** Which intent file the last claim was made from. */
  readonly intentHash: string | null;
  readonly startedAtMs: number | null;
  readonly lastOutputAtMs: number | null;
  readonly exit: ExitRecord | null;
}

export type AcceptVerdict = 'new' | 'repeat' | 'stopped' | 'stale_epoch' | 'busy';

const COLUMNS =
  'attempt, epoch, agent, rig, state, pid, base, stop_mode, claims, intent_hash, started_at_ms, last_output_at_ms, exit_record';

/** One row per run of an agent, the fence of epochs, and the tombstones of stopped attempts. */
export class AttemptStore {
  readonly #db: RunnerDb;

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  /** Decides and records a start in one transaction; only `new` may go on to a process. */
  accept(request: StartAgent, nowMs: number): AcceptVerdict {
    return this.#db.tx(() => {
      const verdict = this.#judge(request);
      if (verdict === 'new') this.#insert(request, nowMs);
      return verdict;
    });
  }

  get(attempt: string): AttemptRow | null {
    const row = this.#db.all(`SELECT ${COLUMNS} FROM attempts WHERE attempt = ?`, attempt)[0];
    return row === undefined ? null : parseRow(row);
  }

  /** Start request of an attempt that has not ended; the text is dropped with the exit. */
  request(attempt: string): StartAgent | null {
    const row = this.#db.all(`SELECT request FROM attempts WHERE attempt = ? AND state <> 'exited'`, attempt)[0];
    return row === undefined ? null : startAgentSchema.parse(JSON.parse(String(row['request'])));
  }

  byCapability(capability: string): AttemptRow | null {
    const row = this.#db.all(
      `SELECT ${COLUMNS} FROM attempts WHERE capability_hash = ? ORDER BY epoch DESC LIMIT 1`,
      hash(capability),
    )[0];
    return row === undefined ? null : parseRow(row);
  }

  unfinished(): readonly AttemptRow[] {
    return this.#db
      .all(`SELECT ${COLUMNS} FROM attempts WHERE state <> 'exited' ORDER BY accepted_at_ms`)
      .map(parseRow);
  }

  prepared(attempt: string, base: string): void {
    this.#db.all('UPDATE attempts SET base = ? WHERE attempt = ?', base, attempt);
  }

  running(attempt: string, pid: number, nowMs: number): void {
    this.#db.all(
      `UPDATE attempts SET state = 'running', pid = ?, started_at_ms = ? WHERE attempt = ? AND state = 'accepted'`,
      pid,
      nowMs,
      attempt,
    );
  }

  claimed(attempt: string, intentHash: string | null): void {
    this.#db.all('UPDATE attempts SET claims = claims + 1, intent_hash = ? WHERE attempt = ?', intentHash, attempt);
  }

  /** The same head claimed again asks about the same claim (a new intent file, no new number). */
  claimedAgain(attempt: string, intentHash: string): void {
    this.#db.all('UPDATE attempts SET intent_hash = ? WHERE attempt = ?', intentHash, attempt);
  }

  /** The last claim is decided: the next one is a new one, even of the same head. */
  claimRefused(attempt: string): void {
    this.#db.all('UPDATE attempts SET intent_hash = NULL WHERE attempt = ?', attempt);
  }

  /** From here on the attempt can't start any more, whether it was heard of or not. */
  tombstone(attempt: string, epoch: number, how: { readonly mode: StopMode; readonly nowMs: number }): void {
    this.#db.tx(() => {
      this.#db.all(
        'INSERT INTO tombstones (attempt, epoch, at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        attempt,
        epoch,
        how.nowMs,
      );
      this.#db.all(
        `UPDATE attempts SET stop_mode = ? WHERE attempt = ? AND state <> 'exited' AND (stop_mode IS NULL OR stop_mode = 'graceful')`,
        how.mode,
        attempt,
      );
    });
  }

  isStopped(attempt: string): boolean {
    return this.#db.all('SELECT 1 FROM tombstones WHERE attempt = ?', attempt).length > 0;
  }

  /** Ends an attempt. The first exit record stands. Drops the start request: it holds the capability and long texts. */
  exited(exit: ExitRecord, lastOutputAtMs: number | null): void {
    this.#db.all(
      `UPDATE attempts SET state = 'exited', request = '', exit_record = ?, last_output_at_ms = ? WHERE attempt = ? AND state <> 'exited'`,
      JSON.stringify(exit),
      lastOutputAtMs,
      exit.attempt,
    );
  }

  prune(): void {
    this.#db.all(
      `DELETE FROM attempts WHERE state = 'exited' AND attempt NOT IN (SELECT attempt FROM attempts ORDER BY accepted_at_ms DESC LIMIT 0 + ?)`,
      ATTEMPTS_KEPT_MAX,
    );
    this.#db.all(
      'DELETE FROM tombstones WHERE attempt NOT IN (SELECT attempt FROM tombstones ORDER BY at_ms DESC LIMIT 0 + ?)',
      ATTEMPTS_KEPT_MAX,
    );
  }

  #judge(request: StartAgent): AcceptVerdict {
    if (this.isStopped(request.attempt)) return 'stopped';
    if (this.get(request.attempt) !== null) return 'repeat';
    const highest = this.#db.all(
      `SELECT max(epoch) AS epoch FROM epochs WHERE rig = ? AND ((kind = 'bead' AND subject IN (?, ?)) OR (kind = 'agent' AND subject = ?))`,
      request.rig,
      request.bead,
      request.sourceBead,
      request.agent,
    )[0];
    if (Number(highest?.['epoch'] ?? 0) >= request.epoch) return 'stale_epoch';
    const rival = this.#db.all(
      `SELECT 1 FROM attempts WHERE state <> 'exited' AND (agent = ? OR (rig = ? AND (source_bead IN (?, ?) OR bead IN (?, ?)))) LIMIT 1`,
      request.agent,
      request.rig,
      request.bead,
      request.sourceBead,
      request.bead,
      request.sourceBead,
    );
    return rival.length > 0 ? 'busy' : 'new';
  }

  #insert(request: StartAgent, nowMs: number): void {
    this.#db.all(
      `INSERT INTO attempts (attempt, epoch, agent, rig, bead, source_bead, capability_hash, request, state, accepted_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?)`,
      request.attempt,
      request.epoch,
      request.agent,
      request.rig,
      request.bead,
      request.sourceBead,
      hash(request.capability),
      JSON.stringify(request),
      nowMs,
    );
    const subjects = [
      ['bead', request.bead],
      ['bead', request.sourceBead],
      ['agent', request.agent],
    ] as const;
    for (const [kind, subject] of subjects) {
      this.#db.all(
        `INSERT INTO epochs (rig, kind, subject, epoch) VALUES (?, ?, ?, ?)
         ON CONFLICT (rig, kind, subject) DO UPDATE SET epoch = max(epoch, excluded.epoch)`,
        request.rig,
        kind,
        subject,
        request.epoch,
      );
    }
  }
}

function hash(capability: string): string {
  return createHash('sha256').update(capability).digest('hex');
}

function parseRow(row: Row): AttemptRow {
  const exitText = text(row['exit_record']);
  return {
    attempt: String(row['attempt']),
    epoch: Number(row['epoch']),
    agent: String(row['agent']),
    rig: String(row['rig']),
    state: parseState(row['state']),
    pid: integer(row['pid']),
    base: text(row['base']),
    stopMode: parseStopMode(row['stop_mode']),
    claims: Number(row['claims']),
    intentHash: text(row['intent_hash']),
    startedAtMs: integer(row['started_at_ms']),
    lastOutputAtMs: integer(row['last_output_at_ms']),
    exit: exitText === null ? null : exitRecordSchema.parse(JSON.parse(exitText)),
  };
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const integer = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const parseState = (value: unknown): AttemptState => (value === 'accepted' || value === 'running' ? value : 'exited');
const parseStopMode = (value: unknown): StopMode | null => (value === 'graceful' || value === 'now' ? value : null);
