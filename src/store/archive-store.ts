import { isTerminal, type Bead, type Blocker } from '../core/model/bead.ts';
import { trusted, type AgentId, type BeadId, type RigName } from '../core/model/ids.ts';
import type { Molecule } from '../core/model/molecule.ts';
import type { Proposal } from '../core/model/proposal.ts';
import type { AttemptFacts, ReviewFacts } from '../core/view.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { readProposalRow } from './proposal-store.ts';
import { moleculeFromRows } from './molecule-store.ts';
import { attemptFromRow, beadFromRow, blockerFromRow, int, json, reviewFromRow, text, textOrNull } from './rows.ts';

/** Tables that hold something of a branch, parents first, and the column that names its bead. */
const PARTS = [
  ['beads', 'id'],
  ['attempts', 'bead_id'],
  ['reviews', 'bead_id'],
  ['proposals', 'bead_id'],
  ['blockers', 'bead_id'],
  ['reverts', 'bead_id'],
  ['molecules', 'bead_id'],
  ['molecule_steps', 'bead_id'],
  ['spending', 'scope'],
] as const;
type Part = (typeof PARTS)[number][0];

/** A bead that rests in the archive, with what belongs to it. */
export interface ArchivedBead {
  readonly bead: Bead;
  readonly archivedAtMs: number;
  readonly blockers: readonly Blocker[];
  readonly attempts: readonly AttemptFacts[];
  readonly review: ReviewFacts | null;
  readonly proposal: Proposal | null;
  readonly rework: readonly BeadId[];
  readonly molecule: Molecule | null;
}

/**
 * Beads that ended long ago, by branch: a source bead with its merge request, its rework and all their attempts moves as
 * one, and comes back as one when somebody names a bead of it.
 */
export class ArchiveStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  has(bead: string): boolean {
    return this.#sourceOf(bead) !== null;
  }

  #sourceOf(bead: string): string | null {
    return textOrNull(
      this.#sql.all('SELECT source_bead_id FROM archived_beads WHERE bead_id = ?', bead)[0]?.['source_bead_id'],
    );
  }

  /** The next source beads that ended before `beforeMs`, in the order of their ends; after the last it begins anew. */
  candidates(
    beforeMs: number,
    limit: number,
    seen: string | null,
  ): { readonly ids: readonly BeadId[]; readonly seen: string | null } {
    const [atMs, id] = (seen ?? '-1 ').split(' ');
    const rows = this.#sql.all(
      `SELECT id, closed_at FROM beads WHERE type = 'issue' AND branch_of IS NULL AND status IN ('closed', 'failed')
        AND (closed_at, id) > (?, ?) AND closed_at <= ? ORDER BY closed_at, id LIMIT 0 + ?`,
      Number(atMs),
      id ?? '',
      beforeMs,
      limit,
    );
    const last = rows.at(-1);
    return {
      ids: rows.map((row) => trusted.bead(text(row['id']))),
      seen: last === undefined || rows.length < limit ? null : `${String(int(last['closed_at']))} ${text(last['id'])}`,
    };
  }

  /**
   * True while something of this branch has not ended before `beforeMs`, or something that lives, a person or the town
   * still needs it.
   */
  isKept(source: BeadId, beforeMs: number): boolean {
    return this.#lineage(source).some(
      (bead) =>
        !isTerminal(bead.status) ||
        (bead.closedAtMs ?? Number.MAX_SAFE_INTEGER) > beforeMs ||
        bead.escalated ||
        this.#isReferred(bead),
    );
  }

  #isReferred(bead: Bead): boolean {
    const any = (query: string, ...args: readonly SqlValue[]): boolean => this.#sql.all(query, ...args).length > 0;
    return (
      any(
        'SELECT 1 AS one FROM attempts WHERE bead_id = ? AND (ended_at IS NULL OR process_gone = 0) LIMIT 1',
        bead.id,
      ) ||
      any(`SELECT 1 AS one FROM reviews WHERE bead_id = ? AND step <> 'ended'`, bead.id) ||
      any(`SELECT 1 AS one FROM blockers WHERE blocker_ref = ? AND state = 'open' LIMIT 1`, bead.id) ||
      any(
        `SELECT 1 AS one FROM blockers b JOIN beads w ON w.id = b.bead_id
          WHERE b.blocker_ref = ? AND b.state = 'failed' AND w.status IN ('open', 'in_progress', 'in_review') LIMIT 1`,
        bead.id,
      ) ||
      any('SELECT 1 AS one FROM agents WHERE hook_bead_id = ?', bead.id) ||
      any(
        'SELECT 1 AS one FROM beads WHERE id = ? AND end_reported = 0 AND (watched = 1 OR convoy_id IS NOT NULL)',
        bead.id,
      ) ||
      any(`SELECT 1 AS one FROM timers WHERE entity = ?`, `bead:${bead.id}`) ||
      (bead.reopenedAs !== null &&
        any(`SELECT 1 AS one FROM beads WHERE id = ? AND status NOT IN ('closed', 'failed')`, bead.reopenedAs))
    );
  }

  /** The source bead, its merge request and its rework, as far as they are not archived. */
  #lineage(source: BeadId): readonly Bead[] {
    return this.#sql
      .all(
        `SELECT id FROM beads WHERE id = ? UNION SELECT bead_id FROM reviews WHERE source_bead_id = ?
          UNION SELECT id FROM beads WHERE branch_of = ?`,
        source,
        source,
        source,
      )
      .flatMap((row) => this.#rows('beads', [text(row['id'])]))
      .map(beadFromRow);
  }

  #rows(part: Part, keys: readonly string[]): readonly SqlRow[] {
    const key = PARTS.find(([name]) => name === part)?.[1] ?? 'bead_id';
    const names = this.#columns(part).map((column) => column.name);
    return this.#sql.all(
      `SELECT ${names.join(', ')} FROM ${part} WHERE ${key} IN (SELECT value FROM json_each(?))`,
      JSON.stringify(keys),
    );
  }

  #columns(part: Part): readonly { readonly name: string; readonly missing: SqlValue }[] {
    return this.#sql
      .all('SELECT name, dflt_value FROM pragma_table_info(?) ORDER BY cid', part)
      .map((row) => ({ name: text(row['name']), missing: defaultOf(textOrNull(row['dflt_value'])) }));
  }

  /** Moves a branch into the archive. What was said to ended sessions, and old journal rows, go for good. */
  putAway(source: BeadId, nowMs: number, journalUpTo: number): void {
    const beads = this.#lineage(source);
    const root = beads.find((bead) => bead.id === source);
    if (root === undefined) throw new GuardFailed(`${source} is not there`);
    const ids = beads.map((bead) => bead.id);
    this.#sql.all(
      'INSERT INTO archive (source_bead_id, convoy_id, ended_at, archived_at, lost) VALUES (?, ?, ?, ?, ?)',
      source,
      root.convoyId,
      Math.max(...beads.map((bead) => bead.closedAtMs ?? 0)),
      nowMs,
      root.status === 'failed' || root.closeReason === 'cancelled' ? 1 : 0,
    );
    const attempts = this.#store(source, ids);
    for (const bead of beads)
      this.#sql.all(
        'INSERT INTO archived_beads (bead_id, source_bead_id, merged_at) VALUES (?, ?, ?)',
        bead.id,
        source,
        bead.type === 'merge_request' && bead.closeReason === 'merged' ? bead.closedAtMs : null,
      );
    this.#count(beads, 1);
    const entities = [...ids.map((id) => `bead:${id}`), ...attempts.map((id) => `attempt:${id}`)];
    this.#sql.all('DELETE FROM nudges WHERE attempt_id IN (SELECT value FROM json_each(?))', JSON.stringify(attempts));
    this.#sql.all(
      'DELETE FROM journal WHERE entity IN (SELECT value FROM json_each(?)) AND seq <= ?',
      JSON.stringify(entities),
      journalUpTo,
    );
    for (const [part, key] of PARTS.toReversed())
      this.#sql.all(
        `DELETE FROM ${part} WHERE ${key} IN (SELECT value FROM json_each(?))`,
        JSON.stringify(keysOf(part, source, ids)),
      );
  }

  /** Stores all rows of these beads; answers their attempts. */
  #store(source: BeadId, ids: readonly string[]): readonly string[] {
    const attempts: string[] = [];
    for (const [part] of PARTS)
      for (const [n, row] of this.#rows(part, keysOf(part, source, ids)).entries()) {
        if (part === 'attempts') attempts.push(text(row['id']));
        this.#sql.all(
          'INSERT INTO archive_rows (source_bead_id, part, n, content) VALUES (?, ?, ?, ?)',
          source,
          part,
          n,
          JSON.stringify(row),
        );
      }
    return attempts;
  }

  #count(beads: readonly Pick<Bead, 'type' | 'status'>[], by: 1 | -1): void {
    for (const bead of beads.filter((each) => each.type === 'issue'))
      this.#sql.all(
        'INSERT INTO archived_counts (status, n) VALUES (?, 1) ON CONFLICT (status) DO UPDATE SET n = n + ?',
        bead.status,
        by,
      );
  }

  /** Puts the branch of this bead back where it was; false when the bead is not archived. */
  bringBack(bead: string): boolean {
    const source = this.#sourceOf(bead);
    if (source === null) return false;
    this.#count(this.#stored(source, 'beads').map(beadFromRow), -1);
    this.#sql.all('DELETE FROM archived_beads WHERE source_bead_id = ?', source);
    for (const [part] of PARTS)
      for (const row of this.#stored(source, part)) {
        const names = Object.keys(row);
        this.#sql.all(
          `INSERT INTO ${part} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
          ...names.map((name) => row[name] ?? null),
        );
      }
    this.#sql.all('DELETE FROM archive_rows WHERE source_bead_id = ?', source);
    this.#sql.all('DELETE FROM archive WHERE source_bead_id = ?', source);
    return true;
  }

  /** All archived branches of a convoy; answers how many. */
  bringBackConvoy(convoy: string): number {
    const sources = this.#sql
      .all('SELECT source_bead_id FROM archive WHERE convoy_id = ?', convoy)
      .map((row) => text(row['source_bead_id']));
    return sources.filter((source) => this.bringBack(source)).length;
  }

  /** Rows as they were; columns that came later have their defaults, columns that went are left out. */
  #stored(source: string, part: Part): readonly SqlRow[] {
    const columns = this.#columns(part);
    return this.#sql
      .all('SELECT content FROM archive_rows WHERE source_bead_id = ? AND part = ? ORDER BY n', source, part)
      .map((row) => json<Readonly<Record<string, SqlValue>>>(row['content']))
      .map((row) => Object.fromEntries(columns.map(({ name, missing }) => [name, row[name] ?? missing])));
  }

  /** What `gt bead show` says of an archived bead; null when it is not archived. */
  find(id: string): ArchivedBead | null {
    const source = this.#sourceOf(id);
    if (source === null) return null;
    const beads = this.#stored(source, 'beads').map(beadFromRow);
    const bead = beads.find((each) => each.id === id);
    if (bead === undefined) return null;
    const [row] = this.#sql.all('SELECT archived_at FROM archive WHERE source_bead_id = ?', source);
    const reviews = this.#stored(source, 'reviews').map(reviewFromRow);
    const [proposal] = this.#stored(source, 'proposals').map(readProposalRow);
    return {
      bead,
      archivedAtMs: int(row?.['archived_at']),
      blockers: this.#stored(source, 'blockers')
        .map(blockerFromRow)
        .filter((blocker) => blocker.beadId === id),
      attempts: this.#stored(source, 'attempts')
        .map(attemptFromRow)
        .filter((attempt) => attempt.beadId === id)
        .toSorted((a, b) => a.epoch - b.epoch),
      review: reviews.find((review) => review.beadId === id || review.sourceBeadId === id) ?? null,
      proposal: proposal ?? null,
      molecule: this.#molecule(source, id),
      rework: id === source ? beads.filter((each) => each.branchOf === source).map((each) => each.id) : [],
    };
  }

  #molecule(source: string, bead: string): Molecule | null {
    const own = (part: Part): readonly SqlRow[] => this.#stored(source, part).filter((row) => row['bead_id'] === bead);
    const [row] = own('molecules');
    return row === undefined ? null : moleculeFromRows(row, own('molecule_steps'));
  }

  /** Archived issues that ended with this status. */
  count(status: string): number {
    return int(this.#sql.all('SELECT n FROM archived_counts WHERE status = ?', status)[0]?.['n'] ?? 0);
  }

  /** Idle agents that nobody has needed since `beforeMs`, and those that are no polecats of the rig, whenever they were used. */
  unused(rig: RigName, beforeMs: number, limit: number): readonly AgentId[] {
    return this.#sql
      .all(
        `SELECT id FROM agents WHERE status = 'idle' AND (updated_at <= ? OR instr(id, ?) <> 1) ORDER BY updated_at, id LIMIT 0 + ?`,
        beforeMs,
        `${rig}/polecats/`,
        limit,
      )
      .map((row) => trusted.agent(text(row['id'])));
  }

  /** True while a bead waits for this agent, or mail does. */
  isAgentNeeded(agent: AgentId): boolean {
    return (
      this.#sql.all(
        `SELECT 1 AS one FROM beads WHERE pinned_agent = ? AND status IN ('open', 'in_progress', 'in_review') LIMIT 1`,
        agent,
      ).length > 0 ||
      this.#sql.all(
        'SELECT 1 AS one FROM mail WHERE recipient = ? AND read_at IS NULL AND ended_at IS NULL LIMIT 1',
        agent,
      ).length > 0
    );
  }
}

const keysOf = (part: Part, source: string, ids: readonly string[]): readonly string[] =>
  part === 'spending' ? [`bead:${source}`] : ids;

/** The value that SQLite gives a column that an old row does not have. Our defaults are numbers and plain texts. */
function defaultOf(literal: string | null): SqlValue {
  if (literal === null || literal.toUpperCase() === 'NULL') return null;
  return literal.startsWith("'") ? literal.slice(1, -1).replaceAll("''", "'") : Number(literal);
}

/** What lives and refers to something archived (I33): nothing may. Costs what lives. */
export function archivedInUse(sql: Sql): readonly string[] {
  return sql
    .all(
      `SELECT b.bead_id || ' waits for ' || b.blocker_ref AS what FROM beads w JOIN blockers b ON b.bead_id = w.id
          JOIN archived_beads a ON a.bead_id = b.blocker_ref
          WHERE w.status IN ('open', 'in_progress', 'in_review') AND b.state <> 'cleared'
        UNION ALL SELECT r.bead_id || ' merges ' || r.source_bead_id FROM reviews r JOIN archived_beads a ON a.bead_id = r.source_bead_id
          WHERE r.step <> 'ended'
        UNION ALL SELECT w.id || ' goes on with ' || w.branch_of FROM beads w JOIN archived_beads a ON a.bead_id = w.branch_of
          WHERE w.status IN ('open', 'in_progress', 'in_review')
        UNION ALL SELECT w.id || ' takes the place of ' || w.reopens FROM beads w JOIN archived_beads a ON a.bead_id = w.reopens
          WHERE w.status IN ('open', 'in_progress', 'in_review')`,
    )
    .map((row) => text(row['what']));
}
