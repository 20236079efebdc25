import type { z } from 'zod';

import { type StartAgent, startAgentSchema } from '../../api/contract/runner.ts';
import type { RunnerDb } from './db.ts';

/** Of the order to start, what its work is looked at and stored with; nothing secret. */
export type AsideOrder = Pick<
  StartAgent,
  'attempt' | 'epoch' | 'rig' | 'bead' | 'sourceBead' | 'author' | 'repo' | 'sandbox'
>;
const orderSchema: z.ZodType<AsideOrder> = startAgentSchema.pick({
  attempt: true,
  epoch: true,
  rig: true,
  bead: true,
  sourceBead: true,
  author: true,
  repo: true,
  sandbox: true,
});

/** Work of an ended attempt that is nowhere but in its worktree (and, when it was shut in, its box). */
export interface SetAside {
  readonly request: AsideOrder;
  readonly base: string | null;
  /** Why it could not be stored, the last time. */
  readonly problem: string;
  /** It is stored since, in this ref (empty: there was nothing to store); what is left of it may go. Null: not yet. */
  readonly saved: string | null;
}

/** What may not be removed, whatever else is forgotten of its attempt. */
export class SetAsideStore {
  readonly #db: RunnerDb;

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  add(
    request: AsideOrder,
    work: { readonly base: string | null; readonly problem: string; readonly atMs: number },
  ): void {
    this.#db.all(
      `INSERT INTO set_aside (attempt, request, base, problem, at_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (attempt) DO UPDATE SET problem = excluded.problem`,
      request.attempt,
      JSON.stringify(orderSchema.parse(request)),
      work.base,
      work.problem,
      work.atMs,
    );
  }

  has(attempt: string): boolean {
    return this.#db.all('SELECT 1 FROM set_aside WHERE attempt = ?', attempt).length > 0;
  }

  list(): readonly SetAside[] {
    return this.#db.all('SELECT request, base, problem, saved FROM set_aside ORDER BY attempt').map((row) => ({
      request: orderSchema.parse(JSON.parse(String(row['request']))),
      base: typeof row['base'] === 'string' ? row['base'] : null,
      problem: String(row['problem']),
      saved: typeof row['saved'] === 'string' ? row['saved'] : null,
    }));
  }

  failedAgain(attempt: string, problem: string): void {
    this.#db.all('UPDATE set_aside SET problem = ? WHERE attempt = ?', problem, attempt);
  }

  saved(attempt: string, ref: string | null): void {
    this.#db.all('UPDATE set_aside SET saved = ? WHERE attempt = ?', ref ?? '', attempt);
  }

  remove(attempt: string): void {
    this.#db.all('DELETE FROM set_aside WHERE attempt = ?', attempt);
  }
}
