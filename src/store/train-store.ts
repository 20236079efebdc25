import type { ProbeOrder } from '../core/actions.ts';
import type { GateRun, JobResult } from '../core/facts.ts';
import { TESTED_TREES_KEPT_MAX } from '../core/limits.ts';
import { trusted, type BeadId } from '../core/model/ids.ts';
import {
  newTrain,
  PROBE_STATES,
  TRAIN_STATES,
  type MergedEntry,
  type Probe,
  type StoppedTrain,
  type Train,
} from '../core/model/train.ts';
import { beadRef, trainRef, type Ref } from '../core/refs.ts';
import { learn, type RoundOutcome } from '../core/train/rates.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import type { ReviewFacts } from '../core/view.ts';
import { REVIEW_COLUMNS } from './columns.ts';
import { proposedFor } from './proposal-store.ts';
import { int, intOrNull, jsonOrNull, parseJson, readable, reviewFromRow, text, textOrNull, word } from './rows.ts';

const PROBE_COLUMNS = 'key, leader, entries, target_sha, commit_sha, tree, state, run, cached';
const TRAIN_COLUMNS =
  'target, state, reason, changed_by, changed_at, red_tree, retry_at, entries, bad, runs, flakes, escalated, version';

const probeFromRow = (row: SqlRow): Probe => ({
  key: text(row['key']),
  leader: trusted.bead(text(row['leader'])),
  entries: parseJson<readonly MergedEntry[]>(text(row['entries'])),
  targetSha: trusted.sha(text(row['target_sha'])),
  commit: trusted.sha(text(row['commit_sha'])),
  tree: text(row['tree']),
  state: word(PROBE_STATES, row['state'], 'probes.state'),
  run: jsonOrNull<GateRun>(row['run']),
  cached: int(row['cached']) === 1,
});

const trainFromRow = (row: SqlRow): Train => ({
  target: text(row['target']),
  state: word(TRAIN_STATES, row['state'], 'trains.state'),
  reason: textOrNull(row['reason']),
  changedBy: text(row['changed_by']),
  changedAtMs: int(row['changed_at']),
  redTree: textOrNull(row['red_tree']),
  retryAtMs: intOrNull(row['retry_at']),
  stats: { entries: int(row['entries']), bad: int(row['bad']), runs: int(row['runs']), flakes: int(row['flakes']) },
  escalated: int(row['escalated']) === 1,
  version: int(row['version']),
});

export const readProbes = (sql: Sql, leader: BeadId): readonly Probe[] =>
  sql.all(`SELECT ${PROBE_COLUMNS} FROM probes WHERE leader = ? ORDER BY number`, leader).map(probeFromRow);

/** The round of a target that is under way, its leader first. */
export const ROUND: string = `SELECT ${REVIEW_COLUMNS} FROM reviews WHERE target_branch = ? AND step IN ('preparing', 'gating', 'pushing') ORDER BY coalesce(position, 0)`;

export const readRound = (sql: Sql, target: string): readonly ReviewFacts[] =>
  readable(sql.all(ROUND, target), reviewFromRow);

/** The front of the line: queued, unblocked merge requests in order. */
export const readLine = (sql: Sql, target: string, limit: number): readonly ReviewFacts[] =>
  readable(
    sql.all(
      `SELECT ${REVIEW_COLUMNS} FROM reviews WHERE target_branch = ? AND step = 'queued' AND strategy = 'direct'
        AND EXISTS (SELECT 1 FROM beads b WHERE b.id = reviews.bead_id AND b.status = 'open' AND b.hold IS NULL AND b.open_blockers = 0 AND b.failed_blockers = 0)
        ORDER BY queue_key, bead_id LIMIT 0 + ?`,
      target,
      limit,
    ),
    reviewFromRow,
  );

/** Leaders whose round waits for a run of gates. */
export const probedLeaders = (sql: Sql): readonly string[] =>
  sql.all(`SELECT DISTINCT leader FROM probes WHERE state = 'running'`).map((row) => text(row['leader']));

export const isProbeWanted = (sql: Sql, key: string): boolean =>
  sql.all(`SELECT 1 AS one FROM probes WHERE key = ? AND state = 'running'`, key).length > 0;

export function readTrain(sql: Sql, target: string): Train {
  const row = sql.all(`SELECT ${TRAIN_COLUMNS} FROM trains WHERE target = ?`, target)[0];
  return row === undefined ? newTrain(target) : trainFromRow(row);
}

/** Trains that are paused or red, each with how many stand in line for it. */
export const readStopped = (sql: Sql): readonly StoppedTrain[] =>
  sql
    .all(
      `SELECT ${TRAIN_COLUMNS}, (SELECT COUNT(*) FROM reviews WHERE target_branch = trains.target AND step IN ('queued', 'proposed')) AS waiting
        FROM trains WHERE state <> 'running' ORDER BY target`,
    )
    .map((row) => ({ ...trainFromRow(row), waiting: int(row['waiting']) }));

/** Branches that live work is merged into, and those whose train stands. */
export const readTargets = (sql: Sql): readonly string[] =>
  sql
    .all(
      `SELECT target_branch AS target FROM beads WHERE status IN ('open', 'in_progress', 'in_review')
        UNION SELECT target FROM trains WHERE state <> 'running' ORDER BY target`,
    )
    .map((row) => text(row['target']));

export const isTested = (sql: Sql, tree: string, gates: string): boolean =>
  sql.all('SELECT 1 AS one FROM tested_trees WHERE tree = ? AND gates = ?', tree, gates).length > 0;

/** Every write about rounds, beside the merge requests themselves. */
export class TrainWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
  }

  order(leader: BeadId, gates: string, probes: readonly ProbeOrder[]): void {
    for (const [number, probe] of probes.entries())
      this.#sql.all(
        `INSERT INTO probes (key, leader, number, entries, target_sha, commit_sha, tree, gates, state, cached) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        probe.key,
        leader,
        number,
        JSON.stringify(probe.entries),
        probe.targetSha,
        probe.commit,
        probe.tree,
        gates,
        probe.job === null ? 'green' : 'running',
        probe.job === null ? 1 : 0,
      );
    this.#dirty(beadRef(leader));
  }

  /** A run that something else ended begins again under another key. */
  repeat(key: string, again: string): void {
    this.#sql.all(
      `UPDATE probes SET key = ?, state = 'running', run = NULL WHERE key = ? AND state = 'killed'`,
      again,
      key,
    );
  }

  /** Answers the keys of those that still ran. */
  drop(leader: BeadId): readonly string[] {
    return this.#sql
      .all('DELETE FROM probes WHERE leader = ? RETURNING key, state', leader)
      .filter((row) => row['state'] === 'running')
      .map((row) => text(row['key']))
      .toSorted();
  }

  /** The answer of a run; a tree that passed is remembered. False: nobody waits for it. */
  answered(key: string, result: JobResult): boolean {
    if (result.result !== 'gates') return false;
    const red = result.green ? null : (result.runs.at(-1) ?? null);
    const state = result.green ? 'green' : red?.killedBy === undefined ? 'red' : 'killed';
    const row = this.#sql.all(
      `UPDATE probes SET state = ?, run = ? WHERE key = ? AND state = 'running' RETURNING leader, tree, gates`,
      state,
      red === null ? null : JSON.stringify(red),
      key,
    )[0];
    if (row === undefined) return false;
    if (result.green) this.passed(text(row['tree']), text(row['gates']));
    this.#dirty(beadRef(trusted.bead(text(row['leader']))));
    return true;
  }

  /** A tree that passed is not tested again with the same gates. */
  passed(tree: string, gates: string): void {
    this.#sql.all(
      'INSERT INTO tested_trees (tree, gates, tested_at) VALUES (?, ?, ?) ON CONFLICT (tree, gates) DO UPDATE SET tested_at = excluded.tested_at',
      tree,
      gates,
      this.#nowMs,
    );
    this.#sql.all(
      'DELETE FROM tested_trees WHERE tested_at < (SELECT tested_at FROM tested_trees ORDER BY tested_at DESC LIMIT 1 OFFSET ?)',
      TESTED_TREES_KEPT_MAX,
    );
  }

  set(target: string, to: Pick<Train, 'state' | 'reason' | 'redTree' | 'retryAtMs'> & { readonly by: string }): void {
    this.#sql.all(
      `INSERT INTO trains (target, state, reason, changed_by, changed_at, red_tree, retry_at) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (target) DO UPDATE SET state = excluded.state, reason = excluded.reason, changed_by = excluded.changed_by,
          changed_at = excluded.changed_at, red_tree = excluded.red_tree, retry_at = excluded.retry_at, version = version + 1`,
      target,
      to.state,
      to.reason,
      to.by,
      this.#nowMs,
      to.redTree,
      to.retryAtMs,
    );
    this.#dirty(trainRef(target));
    for (const mergeRequest of proposedFor(this.#sql, target)) this.#dirty(beadRef(mergeRequest));
  }

  learn(target: string, seen: RoundOutcome): void {
    const { entries, bad, runs, flakes } = learn(readTrain(this.#sql, target).stats, seen);
    this.#sql.all(
      `INSERT INTO trains (target, entries, bad, runs, flakes) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (target) DO UPDATE SET entries = excluded.entries, bad = excluded.bad, runs = excluded.runs, flakes = excluded.flakes`,
      target,
      entries,
      bad,
      runs,
      flakes,
    );
  }

  changeSuspicion(target: string, { mark, to }: { readonly mark: string; readonly to: string | null }): void {
    this.#sql.all(
      `UPDATE reviews SET suspect = ?, version = version + 1 WHERE target_branch = ? AND step = 'queued' AND suspect = ?`,
      to,
      target,
      mark,
    );
  }

  markEscalated(target: string, escalated: boolean): void {
    this.#sql.all('UPDATE trains SET escalated = ? WHERE target = ?', escalated ? 1 : 0, target);
  }
}
