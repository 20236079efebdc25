import { trusted, type AttemptId, type BeadId } from '../core/model/ids.ts';
import { RUNNER_STATES, type Runner, type RunnerFacts, type RunnerState } from '../core/model/runner.ts';
import type { RunnerLoad } from '../core/view.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { int, intOrNull, json, text, textOrNull, word } from './rows.ts';

/** Two refs each travel with a start; older ones are ancestors of newer ones or were given up. */
const UNSEEN_ENDS_READ = 5;

const COLUMNS =
  'id, instance_id, url, state, last_seen_at, capacity, labels, versions, draining, drain_until, next_serial, created_at';

/** The town's registry of runners. */
export class RunnerStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  all(): readonly Runner[] {
    return this.#sql.all(`SELECT ${COLUMNS} FROM runners ORDER BY id`).map(runnerFromRow);
  }

  get(id: string): Runner | null {
    const row = this.#sql.all(`SELECT ${COLUMNS} FROM runners WHERE id = ?`, id)[0];
    return row === undefined ? null : runnerFromRow(row);
  }

  /** Of the tokens that it may show: the present one, and one that was made but not used yet. */
  serials(id: string): { readonly current: string; readonly next: string | null } | null {
    const row = this.#sql.all('SELECT serial, next_serial FROM runners WHERE id = ?', id)[0];
    const current = row === undefined ? null : textOrNull(row['serial']);
    return current === null ? null : { current, next: textOrNull(row?.['next_serial'] ?? null) };
  }

  insert(
    runner: { readonly id: string; readonly url: string | null; readonly serial: string | null },
    nowMs: number,
  ): void {
    this.#sql.all(
      `INSERT INTO runners (id, url, state, labels, versions, serial, created_at) VALUES (?, ?, 'suspect', '[]', '{}', ?, ?)`,
      runner.id,
      runner.url,
      runner.serial,
      nowMs,
    );
  }

  update(id: string, columns: Readonly<Record<string, SqlValue>>): void {
    const names = Object.keys(columns);
    this.#sql.all(
      `UPDATE runners SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`,
      ...names.map((name) => columns[name] ?? null),
      id,
    );
  }

  remove(id: string): void {
    this.#sql.all('DELETE FROM runners WHERE id = ?', id);
  }
}

function runnerFromRow(row: SqlRow): Runner {
  return {
    id: text(row['id']),
    instance: textOrNull(row['instance_id']),
    url: textOrNull(row['url']),
    state: word(RUNNER_STATES, row['state'], 'runners.state'),
    lastSeenAtMs: intOrNull(row['last_seen_at']),
    capacity: intOrNull(row['capacity']),
    labels: json<readonly string[]>(row['labels']),
    versions: json<Readonly<Record<string, string>>>(row['versions']),
    draining: int(row['draining']) === 1,
    drainUntilMs: intOrNull(row['drain_until']),
    createdAtMs: int(row['created_at']),
    rotating: row['next_serial'] !== null,
  };
}

/** What a rig knows of the runners, and how many of its processes each may still have. */
export function readRunnerLoads(sql: Sql): readonly RunnerLoad[] {
  return sql
    .all(
      `SELECT id, instance, state, capacity, labels,
        (SELECT COUNT(*) FROM attempts WHERE process_gone = 0 AND runner = runners.id) AS used FROM runners ORDER BY id`,
    )
    .map((row) => ({
      id: text(row['id']),
      instance: textOrNull(row['instance']),
      state: word(RUNNER_STATES, row['state'], 'runners.state'),
      capacity: intOrNull(row['capacity']),
      labels: json<readonly string[]>(row['labels']),
      used: int(row['used']),
    }));
}

/** Records what a rig was told of a runner; answers what it knew before. */
export function putRunner(
  sql: Sql,
  runner: RunnerFacts,
): { readonly instance: string | null; readonly state: RunnerState } | null {
  const before = sql.all('SELECT instance, state FROM runners WHERE id = ?', runner.id)[0];
  sql.all(
    `INSERT INTO runners (id, instance, state, capacity, labels) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET instance = excluded.instance, state = excluded.state, capacity = excluded.capacity, labels = excluded.labels`,
    runner.id,
    runner.instance,
    runner.state,
    runner.capacity,
    JSON.stringify(runner.labels),
  );
  return before === undefined
    ? null
    : { instance: textOrNull(before['instance']), state: word(RUNNER_STATES, before['state'], 'runners.state') };
}

export function dropRunner(sql: Sql, id: string): void {
  sql.all('DELETE FROM runners WHERE id = ?', id);
}

/** Where this lineage was worked on last. */
export function lastRunnerOf(sql: Sql, source: BeadId): string | null {
  const row = sql.all('SELECT runner FROM attempts WHERE source_bead_id = ? ORDER BY epoch DESC LIMIT 1', source)[0];
  return row === undefined ? null : text(row['runner']);
}

/**
 * Attempts of a bead that ran and whose end nobody saw, newer than any that left a record, newest first: what their
 * runner stored of them may be on the origin.
 */
export function unseenEnds(sql: Sql, bead: BeadId): readonly { readonly id: AttemptId; readonly epoch: number }[] {
  return sql
    .all(
      `SELECT id, epoch FROM attempts WHERE bead_id = ? AND ended_at IS NOT NULL AND exit_record IS NULL AND running_at IS NOT NULL
        AND epoch > coalesce((SELECT MAX(epoch) FROM attempts a WHERE a.bead_id = attempts.bead_id AND a.exit_record IS NOT NULL), 0)
        ORDER BY epoch DESC LIMIT 0 + ?`,
      bead,
      UNSEEN_ENDS_READ,
    )
    .map((row) => ({ id: trusted.attempt(text(row['id'])), epoch: int(row['epoch']) }));
}
