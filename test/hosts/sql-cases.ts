/** The `Sql` port: what the core may rely on, whichever host runs it. Each case gets an empty database. */
import { DbError, type Sql, type SqlValue } from '../../src/ports/sql.ts';
import { migrate } from '../../src/store/migrate.ts';
import { dumpTable, tableNames } from '../../src/store/table-dump.ts';
import { MAYOR_MIGRATIONS } from '../../src/store/migrations/mayor.ts';
import { RIG_MIGRATIONS } from '../../src/store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../src/store/migrations/town.ts';
import { equal, thrown, type Case } from './case.ts';

const TABLE = 'CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER CHECK (n < 100)) STRICT';

const kindOf = (work: () => unknown): string => {
  const error = thrown(work);
  return error instanceof DbError ? error.kind : String(error);
};
const guarded = (work: () => unknown): string => {
  const error = thrown(work);
  return error instanceof Error ? error.name : String(error);
};
const names = (sql: Sql): readonly unknown[] => sql.all('SELECT name FROM p ORDER BY id').map((row) => row['name']);
const add = (sql: Sql, name: string): unknown => sql.all('INSERT INTO p (name) VALUES (?) RETURNING id', name);
const one = (sql: Sql, text: string, ...args: SqlValue[]): SqlValue | undefined => sql.all(text, ...args)[0]?.['v'];

export const SQL_CASES: readonly Case<Sql>[] = [
  {
    name: 'returns all rows, and none as an empty list',
    run: (sql) => {
      sql.all(TABLE);
      equal(sql.all('SELECT id, name FROM p'), []);
      equal(add(sql, 'a'), [{ id: 1 }]);
      equal(sql.all('SELECT id, name, n FROM p'), [{ id: 1, name: 'a', n: null }]);
    },
  },
  {
    name: 'names the constraint that refused',
    run: (sql) => {
      sql.all(TABLE);
      sql.all('CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id)) STRICT');
      sql.all("CREATE TRIGGER keep BEFORE DELETE ON p BEGIN SELECT RAISE(ABORT, 'kept'); END");
      add(sql, 'a');
      equal(
        [
          kindOf(() => add(sql, 'a')),
          kindOf(() => sql.all('INSERT INTO p (id, name) VALUES (1, ?)', 'b')),
          kindOf(() => sql.all('INSERT INTO p (name) VALUES (NULL)')),
          kindOf(() => sql.all("INSERT INTO p (name, n) VALUES ('b', 100)")),
          kindOf(() => sql.all('INSERT INTO c (p) VALUES (77)')),
          kindOf(() => sql.all("INSERT INTO p (name, n) VALUES ('b', 'x')")),
          kindOf(() => sql.all('DELETE FROM p')),
          kindOf(() => sql.all('SELECT nothing FROM nowhere')),
        ],
        ['unique', 'unique', 'notnull', 'check', 'foreignkey', 'datatype', 'trigger', 'other'],
      );
      equal(names(sql), ['a']);
    },
  },
  {
    name: 'stores and reads every kind of value',
    run: (sql) => {
      sql.all('CREATE TABLE v (i INTEGER, r REAL, t TEXT, b BLOB) STRICT');
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      sql.all('INSERT INTO v (i, r, t, b) VALUES (?, ?, ?, ?)', Number.MAX_SAFE_INTEGER, 0.5, 'ä\u{1f600}\n', bytes);
      sql.all('INSERT INTO v (i, r, t, b) VALUES (?, ?, ?, ?)', -1, -2.25, '', new Uint8Array(0));
      const rows = sql.all('SELECT i, r, t, b FROM v ORDER BY rowid');
      equal(rows, [
        { i: Number.MAX_SAFE_INTEGER, r: 0.5, t: 'ä\u{1f600}\n', b: bytes },
        { i: -1, r: -2.25, t: '', b: new Uint8Array(0) },
      ]);
      equal(rows[0]?.['b'] instanceof Uint8Array, true, 'a blob is a Uint8Array');
      equal(one(sql, 'SELECT typeof(i) AS v FROM v'), 'integer');
      // A view into a larger buffer is stored as what it shows.
      sql.all('UPDATE v SET b = ?', bytes.subarray(3, 5));
      equal(one(sql, 'SELECT b AS v FROM v'), new Uint8Array([3, 4]));
    },
  },
  {
    name: 'rolls back what threw, and only that',
    run: (sql) => {
      sql.all(TABLE);
      sql.tx(() => {
        add(sql, 'a');
        thrown(() =>
          sql.tx(() => {
            add(sql, 'b');
            throw new Error('inner');
          }),
        );
        equal(
          sql.tx(() => add(sql, 'c')),
          [{ id: 2 }],
        );
      });
      equal(names(sql), ['a', 'c']);
      const error = thrown(() =>
        sql.tx(() => {
          add(sql, 'd');
          throw new Error('outer');
        }),
      );
      equal(error instanceof Error ? error.message : '', 'outer');
      equal(names(sql), ['a', 'c']);
    },
  },
  {
    name: 'nests twenty deep, and goes on after a refused statement',
    run: (sql) => {
      sql.all(TABLE);
      const nest = (depth: number): void => {
        if (depth === 0) return;
        sql.tx(() => {
          add(sql, `at ${String(depth)}`);
          nest(depth - 1);
        });
      };
      nest(20);
      sql.tx(() => {
        equal(
          kindOf(() => add(sql, 'at 1')),
          'unique',
        );
        add(sql, 'after');
      });
      equal(names(sql).length, 21);
    },
  },
  {
    name: 'refuses asynchronous work and takes none of it',
    run: (sql) => {
      sql.all(TABLE);
      equal(
        guarded(() => sql.tx(() => Promise.resolve(add(sql, 'a')))),
        'TypeError',
      );
      equal(names(sql), []);
    },
  },
  {
    name: 'refuses what a host would misread',
    run: (sql) => {
      sql.all(TABLE);
      const wrong: unknown[] = [true, undefined, 1n, new Date(0), { a: 1 }, Number.NaN];
      for (const value of wrong)
        equal(
          guarded(() => sql.all('SELECT ? AS v', value as SqlValue)),
          'SqlGuardError',
        );
      for (const text of [
        'BEGIN',
        'PRAGMA user_version',
        'SELECT 1; SELECT 2',
        'SELECT 1 -- one',
        'SELECT "name" FROM p',
        'SELECT name FROM p WHERE id = :id',
        'SELECT name FROM p WHERE id = ?1',
      ])
        equal(
          guarded(() => sql.all(text)),
          'SqlGuardError',
          text,
        );
      equal(
        guarded(() => sql.all('SELECT ? AS v')),
        'SqlGuardError',
      );
    },
  },
  {
    name: 'takes as much as the narrowest host does: 100 values, lists as JSON, texts of 100 KB, values of 2 MB',
    run: (sql) => {
      const hundred = Array.from({ length: 100 }, (_, index) => index);
      const marks = hundred.map(() => '?').join(' + ');
      equal(one(sql, `SELECT ${marks} AS v`, ...hundred), 4_950);
      equal(
        guarded(() => sql.all(`SELECT ${marks} + ? AS v`, ...hundred, 1)),
        'SqlGuardError',
      );
      const ids = JSON.stringify(Array.from({ length: 5_000 }, (_, index) => index));
      equal(one(sql, 'SELECT sum(value) AS v FROM json_each(?)', ids), 12_497_500);
      sql.all(TABLE);
      sql.all('INSERT INTO p (name) VALUES (?)', 'x'.repeat(2_000_000));
      equal(one(sql, 'SELECT length(name) AS v FROM p'), 2_000_000);
      const text = (chars: number): string => `SELECT length('${'y'.repeat(chars)}') AS v`;
      const most = 100_000 - text(0).length;
      equal(one(sql, text(most)), most);
      equal(
        guarded(() => sql.all(text(most + 1))),
        'SqlGuardError',
      );
    },
  },
  {
    name: 'has the SQL that the store uses: upsert, RETURNING, JSON, windows, recursion, partial indexes, triggers',
    run: (sql) => {
      sql.all(TABLE);
      sql.all('CREATE UNIQUE INDEX some ON p (n) WHERE n > 5');
      sql.all('CREATE TABLE log (what TEXT NOT NULL) STRICT');
      sql.all('CREATE TRIGGER told AFTER UPDATE ON p BEGIN INSERT INTO log (what) VALUES (new.name); END');
      for (const name of ['a', 'b', 'a'])
        sql.all('INSERT INTO p (name, n) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1', name);
      equal(sql.all('UPDATE p SET n = n + 10 WHERE name = ? RETURNING id, n', 'a'), [{ id: 1, n: 12 }]);
      equal(sql.all('SELECT what FROM log'), [{ what: 'a' }, { what: 'a' }]);
      equal(one(sql, "SELECT json_set('{}', '$.a', json('true')) AS v"), '{"a":true}');
      equal(sql.all('SELECT name, row_number() OVER (ORDER BY n DESC) AS v FROM p ORDER BY v'), [
        { name: 'a', v: 1 },
        { name: 'b', v: 2 },
      ]);
      equal(
        one(
          sql,
          'WITH RECURSIVE c (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c WHERE x < 50) SELECT sum(x) AS v FROM c',
        ),
        1_275,
      );
    },
  },
  {
    name: 'counts what was written',
    run: (sql) => {
      sql.all(TABLE);
      const before = Number(one(sql, 'SELECT total_changes() AS v'));
      sql.all('SELECT name FROM p');
      equal(Number(one(sql, 'SELECT total_changes() AS v')) - before, 0);
      add(sql, 'a');
      equal(Number(one(sql, 'SELECT total_changes() AS v')) - before, 1);
    },
  },
  ...Object.entries({ town: TOWN_MIGRATIONS, rig: RIG_MIGRATIONS, mayor: MAYOR_MIGRATIONS }).map(([name, steps]) => ({
    name: `brings the schema of ${name} up to date, twice, and dumps it`,
    run: (sql: Sql): void => {
      migrate(sql, steps, 1_000);
      migrate(sql, steps, 2_000);
      const tables = tableNames(sql);
      equal(tables.includes('journal') && tables.includes('outbox'), true, 'kernel tables');
      equal(
        tables.filter((table) => table.startsWith('_cf')),
        [],
      );
      for (const table of tables) equal(dumpTable(sql, table).rows.length >= 0, true, table);
    },
  })),
];
