import { chmodSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

/** Version 1 of the runner's own tables; a later version adds a step, these texts are never edited. */
const SCHEMA_1 = `
CREATE TABLE attempts (
  attempt TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  agent TEXT NOT NULL,
  rig TEXT NOT NULL,
  bead TEXT NOT NULL,
  source_bead TEXT NOT NULL,
  capability_hash TEXT NOT NULL,
  request TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('accepted', 'running', 'exited')),
  pid INTEGER,
  base TEXT,
  stop_mode TEXT,
  claims INTEGER NOT NULL DEFAULT 0,
  intent_hash TEXT,
  started_at_ms INTEGER,
  last_output_at_ms INTEGER,
  exit_record TEXT,
  accepted_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_live ON attempts (state) WHERE state <> 'exited';
CREATE INDEX attempts_capability ON attempts (capability_hash);
CREATE TABLE tombstones (attempt TEXT PRIMARY KEY, epoch INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE epochs (rig TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (rig, kind, subject)) STRICT;
CREATE TABLE facts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  rig TEXT NOT NULL,
  subject TEXT NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  rejected TEXT
) STRICT;
CREATE INDEX facts_queue ON facts (rig, seq) WHERE rejected IS NULL;
CREATE TABLE jobs (
  key TEXT PRIMARY KEY,
  rig TEXT NOT NULL,
  kind TEXT NOT NULL,
  runs INTEGER NOT NULL,
  result TEXT,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE worktrees (
  rig TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('making', 'free', 'owned', 'kept')),
  owner TEXT,
  PRIMARY KEY (rig, name)
) STRICT;
CREATE UNIQUE INDEX worktrees_owner ON worktrees (owner) WHERE owner IS NOT NULL;
`;

/** Words that were put into a session, and refs that the origin does not have yet. */
const SCHEMA_2 = `
CREATE TABLE said (attempt TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (attempt, key)) STRICT, WITHOUT ROWID;
CREATE TABLE unpushed (rig TEXT NOT NULL, ref TEXT NOT NULL, repo TEXT NOT NULL, PRIMARY KEY (rig, ref)) STRICT, WITHOUT ROWID;
`;

/** Sessions of agents' programs that a later attempt may take up again. */
const SCHEMA_3 = `
CREATE TABLE sessions (rig TEXT NOT NULL, bead TEXT NOT NULL, runtime TEXT NOT NULL, session TEXT NOT NULL, cwd TEXT NOT NULL, attempt TEXT NOT NULL, PRIMARY KEY (rig, bead, runtime)) STRICT, WITHOUT ROWID;
`;
/** What of a session's cost attempts were charged (millionths of a US dollar); null: by their tokens, or by an older version. */
const SCHEMA_4 = `
ALTER TABLE sessions ADD COLUMN counted INTEGER;
`;
/** Work that could not be stored when its attempt ended. `saved`: where it is since; empty: nothing of it was to be stored. */
const SCHEMA_5 = `
CREATE TABLE set_aside (attempt TEXT PRIMARY KEY, request TEXT NOT NULL, base TEXT, problem TEXT NOT NULL, at_ms INTEGER NOT NULL, saved TEXT) STRICT, WITHOUT ROWID;
`;
const SCHEMAS = [SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4, SCHEMA_5];

export type Row = Readonly<Record<string, unknown>>;

/** The runner's SQLite file: WAL with full sync, so that what was answered survives a power cut. */
export class RunnerDb {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 5_000 });
    if (file !== ':memory:') chmodSync(file, 0o600);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#migrate();
  }

  all(text: string, ...args: readonly SQLInputValue[]): readonly Row[] {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement.all(...args);
  }

  /** Runs synchronous work atomically; a nested call joins the outer one. */
  tx<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth = 1;
    try {
      const value = work();
      this.#db.exec('COMMIT');
      return value;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth = 0;
    }
  }

  close(): void {
    this.#db.close();
  }

  #migrate(): void {
    const row = this.#db.prepare('PRAGMA user_version').get();
    const version = Number(row?.['user_version'] ?? 0);
    for (const [index, schema] of SCHEMAS.entries()) {
      if (index < version) continue;
      this.#db.exec(`BEGIN; ${schema} PRAGMA user_version = ${String(index + 1)}; COMMIT;`);
    }
  }
}
