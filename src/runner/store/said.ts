import type { RunnerDb } from './db.ts';

/** Keys of words that were put into a session: a repeated call does not say them twice, also after a restart. */
export class SaidStore {
  readonly #db: RunnerDb;

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  has(attempt: string, key: string): boolean {
    return this.#db.all('SELECT 1 FROM said WHERE attempt = ? AND key = ?', attempt, key).length > 0;
  }

  add(attempt: string, key: string): void {
    this.#db.all('INSERT INTO said (attempt, key) VALUES (?, ?) ON CONFLICT DO NOTHING', attempt, key);
  }

  remove(attempt: string, key: string): void {
    this.#db.all('DELETE FROM said WHERE attempt = ? AND key = ?', attempt, key);
  }

  /** Those of attempts that nobody asks about any more. */
  prune(): void {
    this.#db.all('DELETE FROM said WHERE attempt NOT IN (SELECT attempt FROM attempts)');
  }
}
