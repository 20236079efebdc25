/**
 * The reconciler that the goals are measured against: each tick asks every rule's question of all beads there ever were.
 * A plain table without partial indexes, each row checked by a schema. It decides and writes nothing more than it must.
 */
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const Row = z.object({
  id: z.string(),
  type: z.enum(['issue', 'merge_request']),
  status: z.enum(['open', 'in_progress', 'in_review', 'closed', 'failed']),
  hold: z.string().nullable(),
  open_blockers: z.number().int().nonnegative(),
  failed_blockers: z.number().int().nonnegative(),
  not_before: z.number().int(),
  updated_at: z.number().int(),
});
type Bead = z.infer<typeof Row>;

/** Six questions, as the engine's rule groups have them; each goes over everything. */
const RULES: readonly ((bead: Bead, nowMs: number) => boolean)[] = [
  (bead, nowMs) =>
    bead.type === 'issue' &&
    bead.status === 'open' &&
    bead.hold === null &&
    bead.open_blockers === 0 &&
    bead.not_before <= nowMs,
  (bead) => bead.status === 'in_progress' && bead.type === 'issue',
  (bead) => bead.type === 'merge_request' && bead.status === 'open',
  (bead) => bead.status === 'in_review',
  (bead) => bead.failed_blockers > 0 && bead.status === 'open',
  (bead, nowMs) => bead.status === 'in_progress' && bead.updated_at < nowMs - 900_000,
];

export class FullScan {
  readonly #db = new DatabaseSync(':memory:');

  constructor(closed: number) {
    this.#db.exec(
      'CREATE TABLE beads (id TEXT PRIMARY KEY, type TEXT, status TEXT, hold TEXT, open_blockers INTEGER, failed_blockers INTEGER, not_before INTEGER, updated_at INTEGER)',
    );
    this.#db.exec(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(closed)})
        INSERT INTO beads SELECT 'b' || i, CASE i % 2 WHEN 0 THEN 'issue' ELSE 'merge_request' END, 'closed', NULL, 0, 0, 0, i FROM n`,
    );
  }

  /** `changes` beads come in staged, then every rule looks at everything. Answers how many beads a rule would act on. */
  tick(changes: number, nowMs: number): number {
    this.#db.exec('BEGIN');
    const insert = this.#db.prepare("INSERT INTO beads VALUES (?, 'issue', 'open', 'staged', 0, 0, 0, ?)");
    for (let at = 0; at < changes; at += 1) insert.run(`n${String(nowMs)}-${String(at)}`, nowMs);
    let found = 0;
    for (const rule of RULES) {
      const rows = this.#db
        .prepare('SELECT id, type, status, hold, open_blockers, failed_blockers, not_before, updated_at FROM beads')
        .all();
      for (const row of rows) if (rule(Row.parse(row), nowMs)) found += 1;
    }
    this.#db.exec('COMMIT');
    return found;
  }

  close(): void {
    this.#db.close();
  }
}
