import { describe, expect, it } from 'vitest';
import { SqliteSql } from '../hosts/node/sql-sqlite.ts';
import { checksum, migrate, NewerDatabaseError, type Migration } from './migrate.ts';
import { RIG_MIGRATIONS } from './migrations/rig.ts';
import { TOWN_MIGRATIONS } from './migrations/town.ts';

const ONE: Migration = { id: 1, name: 'one', statements: ['CREATE TABLE a (x INTEGER) STRICT'] };
const TWO: Migration = { id: 2, name: 'two', statements: ['INSERT INTO a (x) VALUES (7)', 'CREATE TABLE b (y TEXT)'] };
const open = (): SqliteSql => SqliteSql.open(':memory:', { readOnly: false });
const ledger = (sql: SqliteSql) => sql.all('SELECT id, name, applied_at FROM migrations ORDER BY id');

describe('migrate', () => {
  it.each([
    ['rig', RIG_MIGRATIONS],
    ['town', TOWN_MIGRATIONS],
  ])('brings an empty database of a %s up to date, and a second time does nothing', (_name, migrations) => {
    const sql = open();
    migrate(sql, migrations, 1);
    migrate(sql, migrations, 2);
    expect(ledger(sql).map((row) => row['applied_at'])).toEqual(migrations.map(() => 1));
    expect(sql.all('SELECT COUNT(*) AS n FROM inbox')).toEqual([{ n: 0 }]);
  });

  it.each([
    ['rig', RIG_MIGRATIONS],
    ['town', TOWN_MIGRATIONS],
  ])('of a %s are applied in the order of their numbers, each once', (_name, migrations) => {
    const ids = migrations.map((migration) => migration.id);
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
  });

  it('applies only what is missing, in order', () => {
    const sql = open();
    migrate(sql, [ONE], 1);
    migrate(sql, [ONE, TWO], 2);
    expect(ledger(sql)).toEqual([
      { id: 1, name: 'one', applied_at: 1 },
      { id: 2, name: 'two', applied_at: 2 },
    ]);
    expect(sql.all('SELECT x FROM a')).toEqual([{ x: 7 }]);
  });

  it('leaves nothing of a step that fails, and keeps the steps before it', () => {
    const sql = open();
    const bad: Migration = { id: 2, name: 'bad', statements: ['INSERT INTO a (x) VALUES (1)', 'CREATE TABLE a (x)'] };
    expect(() => {
      migrate(sql, [ONE, bad], 1);
    }).toThrow('already exists');
    expect(ledger(sql)).toHaveLength(1);
    expect(sql.all('SELECT x FROM a')).toEqual([]);
    migrate(sql, [ONE, TWO], 2);
    expect(ledger(sql)).toHaveLength(2);
  });

  it('refuses a step that was changed after it was applied, and touches nothing', () => {
    const sql = open();
    migrate(sql, [ONE], 1);
    expect(() => {
      migrate(sql, [{ ...ONE, statements: ['CREATE TABLE a (x TEXT) STRICT'] }, TWO], 2);
    }).toThrow('migration 1 (one) was changed after it was applied');
    expect(ledger(sql)).toHaveLength(1);
  });

  it('never touches a database of a newer program', () => {
    const sql = open();
    migrate(sql, [ONE, TWO], 1);
    expect(() => {
      migrate(sql, [ONE], 2);
    }).toThrow(NewerDatabaseError);
  });

  it('notices a change of one character', () => {
    expect(checksum(ONE)).toMatch(/^[0-9a-f]{8}$/);
    expect(checksum(ONE)).not.toBe(checksum({ ...ONE, statements: ['CREATE TABLE a (y INTEGER) STRICT'] }));
    expect(checksum(ONE)).toBe(checksum({ ...ONE, name: 'another name' }));
  });
});

describe('the town', () => {
  it('never changes the status of a convoy that has ended (R4)', () => {
    const sql = open();
    migrate(sql, TOWN_MIGRATIONS, 1);
    for (const status of ['landed', 'failed', 'cancelled']) {
      sql.all(
        `INSERT INTO convoys (id, title, status, merge_mode, on_failure, start_when_ready, created_by, created_at) VALUES (?, 't', ?, 'review-and-merge', 'hold', 1, 'x', 1)`,
        `hq-cv-${status}`,
        status,
      );
      expect(() => sql.all(`UPDATE convoys SET status = 'active' WHERE status = ?`, status)).toThrow(
        expect.objectContaining({ kind: 'trigger' }),
      );
    }
  });

  it('has one open escalation per cause (I20)', () => {
    const sql = open();
    migrate(sql, TOWN_MIGRATIONS, 1);
    const raise = (id: string): unknown =>
      sql.all(
        `INSERT INTO escalations (id, source_rig_id, severity, message, subject, cause_key, created_at) VALUES (?, 'api', 'high', 'm', 's', 'cause', 1)`,
        id,
      );
    raise('one');
    expect(() => raise('two')).toThrow(expect.objectContaining({ kind: 'unique' }));
    sql.all('UPDATE escalations SET resolved_at = 2');
    raise('three');
    expect(sql.all('SELECT COUNT(*) AS n FROM escalations')).toEqual([{ n: 2 }]);
  });
});
