import { describe, expect, it } from 'vitest';
import { checkArgs, checkStatement, SqlGuardError, utf8Bytes } from './sql-guard.ts';

describe('checkStatement', () => {
  it.each([
    ['SELECT 1', 0],
    ["SELECT '?' , ? FROM t WHERE a = ?", 2],
    ["SELECT 'it''s ?' ;", 0],
    ["UPDATE t SET a = ? WHERE b LIKE 'x%' RETURNING version", 1],
    ["SELECT data->>'$.a' FROM t WHERE id IN (SELECT value FROM json_each(?))", 1],
    ['SELECT a FROM t ORDER BY a LIMIT 0 + ?', 1],
    ['SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t', 0],
    ["CREATE TRIGGER x BEFORE UPDATE ON t BEGIN SELECT RAISE(ABORT, 'no'); SELECT 1; END", 0],
    ['SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5', 0],
    [
      'SELECT a FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3) UNION SELECT a FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3)',
      0,
    ],
  ])('accepts %s', (text, params) => {
    expect(checkStatement(text)).toBe(params);
  });

  it.each([
    [''],
    ['BEGIN'],
    ['commit'],
    ['SAVEPOINT a'],
    ['PRAGMA user_version'],
    ["ATTACH 'x' AS y"],
    ['VACUUM'],
    ['CREATE TEMP TABLE t (a)'],
    ['SELECT 1; SELECT 2'],
    ['SELECT 1; -- done'],
    ['SELECT 1 /* why */'],
    ['SELECT "text"'],
    ['SELECT `a`'],
    ['SELECT [a]'],
    ['SELECT ?1'],
    ['SELECT :a'],
    ['SELECT @a'],
    ["SELECT 'open"],
    ['SELECT a FROM t WHERE a LIKE ?'],
    ["SELECT a FROM t WHERE a LIKE '%' || ?"],
    ['SELECT a FROM t WHERE a GLOB b'],
    ['SELECT a FROM t LIMIT ?'],
    ['SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6'],
    [`SELECT ${Array.from({ length: 101 }, () => '?').join(',')}`],
    [`SELECT '${'x'.repeat(101 * 1024)}'`],
  ])('refuses %s', (text) => {
    expect(() => checkStatement(text)).toThrow(SqlGuardError);
  });
});

describe('checkArgs', () => {
  it('wants as many values as parameters', () => {
    expect(() => {
      checkArgs(1, []);
    }).toThrow(SqlGuardError);
    checkArgs(4, [null, 1.5, 'a', new Uint8Array(1)]);
  });

  it.each([
    [undefined],
    [true],
    [10n],
    [new Date(0)],
    [Number.NaN],
    ['x'.repeat(2 * 1024 * 1024 + 1)],
    [new Uint8Array(2 * 1024 * 1024 + 1)],
  ])('refuses the value %#', (value) => {
    expect(() => {
      checkArgs(1, [value as never]);
    }).toThrow(SqlGuardError);
  });
});

describe('utf8Bytes', () => {
  it.each(['', 'abc', 'é', '€', '😀', 'a\u{1F600}b€é'])('counts %j as an encoder does', (text) => {
    expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
  });
});
