import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DbError } from '../../ports/sql.ts';
import { SqliteSql } from './sql-sqlite.ts';

const kindOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof DbError ? error.kind : `not a DbError: ${String(error)}`;
  }
  return 'no error';
};

describe('SqliteSql', () => {
  let folder: string;
  let sql: SqliteSql;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gt-sql-'));
    sql = SqliteSql.open(join(folder, 'a.db'), { readOnly: false });
    sql.all('CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER CHECK (n < 100)) STRICT');
    sql.all('CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id)) STRICT');
    sql.all("CREATE TRIGGER keep BEFORE DELETE ON p BEGIN SELECT RAISE(ABORT, 'kept'); END");
  });

  afterEach(() => {
    sql.close();
    rmSync(folder, { recursive: true });
  });

  const names = (): unknown[] => sql.all('SELECT name FROM p ORDER BY id').map((row) => row['name']);
  const add = (name: string): unknown => sql.all('INSERT INTO p (name) VALUES (?) RETURNING id', name);

  it('returns all rows of a statement', () => {
    expect(add('a')).toMatchObject([{ id: 1 }]);
    expect(sql.all('SELECT name, n FROM p')).toMatchObject([{ name: 'a', n: null }]);
  });

  it('names the constraint that refused', () => {
    add('a');
    expect(kindOf(() => add('a'))).toBe('unique');
    expect(kindOf(() => sql.all('INSERT INTO p (name) VALUES (NULL)'))).toBe('notnull');
    expect(kindOf(() => sql.all("INSERT INTO p (name, n) VALUES ('b', 100)"))).toBe('check');
    expect(kindOf(() => sql.all('INSERT INTO c (p) VALUES (77)'))).toBe('foreignkey');
    expect(kindOf(() => sql.all("INSERT INTO p (name, n) VALUES ('b', 'x')"))).toBe('datatype');
    expect(kindOf(() => sql.all('DELETE FROM p'))).toBe('trigger');
    expect(kindOf(() => sql.all('SELECT nothing FROM nowhere'))).toBe('other');
    expect(kindOf(() => SqliteSql.open(join(folder, 'no', 'such', 'a.db'), { readOnly: false }))).toBe('storage');
  });

  it('rolls back the part of a nested transaction that threw', () => {
    sql.tx(() => {
      add('a');
      expect(() =>
        sql.tx(() => {
          add('b');
          throw new Error('inner');
        }),
      ).toThrow('inner');
      sql.tx(() => add('c'));
    });
    expect(names()).toEqual(['a', 'c']);
    expect(() =>
      sql.tx(() => {
        add('d');
        throw new Error('outer');
      }),
    ).toThrow('outer');
    expect(names()).toEqual(['a', 'c']);
  });

  it('refuses asynchronous work and takes none of it', () => {
    expect(() => sql.tx(() => Promise.resolve(add('a')))).toThrow('synchronous');
    expect(names()).toEqual([]);
  });

  it('keeps working when more texts are used than statements are kept', () => {
    for (let index = 0; index < 900; index += 1)
      expect(sql.all(`SELECT ${String(index % 450)} AS n`)[0]?.['n']).toBe(index % 450);
  });

  it('reads beside a writer without the right to write', () => {
    add('a');
    const reader = SqliteSql.open(join(folder, 'a.db'), { readOnly: true });
    expect(reader.all('SELECT name FROM p')).toHaveLength(1);
    expect(kindOf(() => reader.all("INSERT INTO p (name) VALUES ('x')"))).toBe('storage');
    add('b');
    expect(reader.all('SELECT name FROM p')).toHaveLength(2);
    reader.close();
  });

  it('reads a file that its writer has closed', () => {
    add('a');
    sql.close();
    const reader = SqliteSql.open(join(folder, 'a.db'), { readOnly: true });
    expect(reader.all('SELECT name FROM p')).toHaveLength(1);
    reader.close();
    sql = SqliteSql.open(join(folder, 'a.db'), { readOnly: false });
  });
});
