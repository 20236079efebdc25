import { type Job, type JobResult, jobResultSchema } from '../../api/contract/runner.ts';
import { JOBS_KEPT_MAX } from '../limits.ts';
import type { RunnerDb } from './db.ts';

/** Jobs by key with their results. A row without result is running, or was when the runner died: run it again. */
export class JobStore {
  readonly #db: RunnerDb;

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  /** Result of a finished job, or null. An `error` is no result: a repeat tries again. */
  result(key: string): JobResult | null {
    const row = this.#db.all('SELECT result FROM jobs WHERE key = ?', key)[0];
    const text = row?.['result'];
    return typeof text === 'string' ? jobResultSchema.parse(JSON.parse(text)) : null;
  }

  /** Records that a job runs; the answer is the number of this run, which makes its fact key. */
  begin(job: Job, nowMs: number): number {
    const row = this.#db.all(
      `INSERT INTO jobs (key, rig, kind, runs, at_ms) VALUES (?, ?, ?, 1, ?)
       ON CONFLICT (key) DO UPDATE SET runs = runs + 1, at_ms = excluded.at_ms RETURNING runs`,
      job.key,
      job.repo.rig,
      job.kind,
      nowMs,
    )[0];
    return Number(row?.['runs'] ?? 1);
  }

  finish(key: string, result: JobResult): void {
    if (result.result === 'error') return;
    this.#db.all('UPDATE jobs SET result = ? WHERE key = ?', JSON.stringify(result), key);
  }

  prune(): void {
    this.#db.all(
      'DELETE FROM jobs WHERE key NOT IN (SELECT key FROM jobs ORDER BY at_ms DESC LIMIT 0 + ?)',
      JOBS_KEPT_MAX,
    );
  }
}
