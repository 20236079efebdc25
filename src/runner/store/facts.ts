import { type Fact, factSchema } from '../../api/contract/runner.ts';
import { FACT_BATCH_MAX } from '../limits.ts';
import { errorText } from '../text.ts';
import type { RunnerDb } from './db.ts';

/** Facts that wait for the brain: first in, first out within a rig; a key is recorded once. */
export class FactStore {
  readonly #db: RunnerDb;
  /** Called after a new fact is on disk. */
  onRecorded: () => void = () => undefined;
  /** Called after a fact was set aside here that no brain would take. */
  onSetAside: (key: string, reason: string) => void = () => undefined;
  readonly #waiters = new Map<string, (() => void)[]>();

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  /** Records a fact; a repeat of its key changes nothing. A newer watermark of an attempt replaces the older one. */
  record(fact: Fact): void {
    this.#db.tx(() => {
      const subject = subjectOf(fact);
      // A question, and that it was answered, are no watermarks: each must arrive.
      if (fact.type === 'agent_event' && fact.eventType === 'output') {
        this.#db.all(
          `DELETE FROM facts WHERE type = 'agent_event' AND subject = ? AND body ->> '$.eventType' = 'output'`,
          subject,
        );
      }
      this.#db.all(
        'INSERT INTO facts (key, rig, subject, type, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING',
        fact.key,
        fact.rig,
        subject,
        fact.type,
        JSON.stringify(fact),
      );
    });
    // The waker runs later than the caller's transaction, which may enclose this one.
    setImmediate(() => {
      this.onRecorded();
    });
  }

  rigsWaiting(): readonly string[] {
    return this.#db.all('SELECT DISTINCT rig FROM facts WHERE rejected IS NULL').map((row) => String(row['rig']));
  }

  /** Those that wait longest. One that is no fact (a number that a program made up) is set aside and hides no other. */
  oldest(rig: string): readonly Fact[] {
    for (;;) {
      const rows = this.#db.all(
        'SELECT key, body FROM facts WHERE rig = ? AND rejected IS NULL ORDER BY seq LIMIT 0 + ?',
        rig,
        FACT_BATCH_MAX,
      );
      const read = rows.map((row) => ({ key: String(row['key']), fact: readFact(String(row['body'])) }));
      const facts = read.flatMap(({ fact }) => (typeof fact === 'string' ? [] : [fact]));
      for (const { key, fact } of read) {
        if (typeof fact !== 'string') continue;
        this.reject(key, fact);
        this.onSetAside(key, fact);
      }
      // Nothing but such: the next ones may be good.
      if (facts.length > 0 || rows.length === 0) return facts;
    }
  }

  /**
   * All of them, oldest first, also those that were set aside: for a town that takes the place of the one that refused them.
   * `unread`: how many of them this version can't read.
   */
  all(): { readonly facts: readonly Fact[]; readonly unread: number } {
    const read = this.#db.all('SELECT body FROM facts ORDER BY seq').map((row) => readFact(String(row['body'])));
    const facts = read.filter((fact) => typeof fact !== 'string');
    return { facts, unread: read.length - facts.length };
  }

  forget(keys: readonly string[]): void {
    this.#db.all('DELETE FROM facts WHERE key IN (SELECT value FROM json_each(?))', JSON.stringify(keys));
    for (const key of keys) {
      for (const tell of this.#waiters.get(key) ?? []) tell();
      this.#waiters.delete(key);
    }
  }

  /** Resolves when the brain has recorded the fact (or never got to hear of it because it is long forgotten). */
  delivered(key: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#db.all('SELECT 1 FROM facts WHERE key = ?', key).length === 0) resolve();
      else this.#waiters.set(key, [...(this.#waiters.get(key) ?? []), resolve]);
    });
  }

  /** Sets a fact aside that the brain refuses for itself; it is kept, and offered again by the next start of the runner. */
  reject(key: string, reason: string): void {
    this.#db.all('UPDATE facts SET rejected = ? WHERE key = ?', reason, key);
  }

  /** What was set aside waits once more: who refused it may be newer or another one by now. Answers how many. */
  retryRejected(): number {
    return this.#db.all('UPDATE facts SET rejected = NULL WHERE rejected IS NOT NULL RETURNING seq').length;
  }

  /** How many are set aside, and what was said about the first; null: none. */
  refused(): { readonly count: number; readonly reason: string } | null {
    const rows = this.#db.all(
      'SELECT rejected, count(*) OVER () AS count FROM facts WHERE rejected IS NOT NULL ORDER BY seq LIMIT 1',
    );
    return rows[0] === undefined ? null : { count: Number(rows[0]['count']), reason: String(rows[0]['rejected']) };
  }

  counts(): { readonly waiting: number; readonly rejected: number } {
    const row = this.#db.all('SELECT count(*) - count(rejected) AS waiting, count(rejected) AS rejected FROM facts')[0];
    return { waiting: Number(row?.['waiting'] ?? 0), rejected: Number(row?.['rejected'] ?? 0) };
  }
}

/** The fact, or what is wrong with it. */
function readFact(body: string): Fact | string {
  try {
    const read = factSchema.safeParse(JSON.parse(body));
    return read.success ? read.data : (read.error.issues[0]?.message ?? 'it is no fact');
  } catch (error) {
    return errorText(error);
  }
}

function subjectOf(fact: Fact): string {
  if (fact.type === 'job_finished') return fact.jobKey;
  return fact.type === 'agent_exited' ? fact.exit.attempt : fact.attempt;
}
