import { describe, expect, it } from 'vitest';
import { BANS, castsOf, checkBans, checkCasts, checkSize, countLooseCasts } from './tidy/bans.ts';
import { checkInvariantNames, checkOutside, checkPaths } from './tidy/docs.ts';
import { checkLaw, importsOf, layerOf, referencesOf } from './tidy/law.ts';
import { checkPackages } from './tidy/packages.ts';
import { scan } from './tidy/scan.ts';

const CORE = 'src/core/rules/planted.ts';

describe('scan', () => {
  it.each([
    ['comments', 'a // b\nc /* d\n e */ f', 'a     \nc     \n      f', 'a     \nc     \n      f'],
    ['strings', `a('b // c', "d\\"e")`, `a('      ', "    ")`, `a('b // c', "d\\"e")`],
    ['templates', 'a(`b ${c + `d ${e}` + f({})} g`)', 'a(`  { + `  {}` + f({})}  `)', null],
    ['a regular expression', 'x = /[/"]\\/\'/g; y', 'x = /        g; y', null],
    ['a division', 'a / b / c', 'a / b / c', 'a / b / c'],
  ])('knows %s', (name, source, code, text) => {
    const scanned = scan(source);
    expect(scanned.code).toHaveLength(source.length);
    expect(scanned.text).toBe(text ?? source);
    if (name !== 'templates') expect(scanned.code).toBe(code);
    else expect(scanned.code.replaceAll(/[^a-g]/g, '')).toBe('acef');
  });
});

describe('the layer law', () => {
  it('finds every form of import, and none in texts and comments', () => {
    const source = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "import {\n  c,\n  d as e,\n} from './c.ts';",
      "export * from './d.ts';",
      "export type { F } from './e.ts';",
      "import './f.ts';",
      "const g = await import('./g.ts');",
      "type H = import('./h.ts').H;",
      "// import x from './no.ts'",
      'const text = "import x from \'./no.ts\'";',
    ].join('\n');
    const found = importsOf(source).map((one) => one.specifier);
    expect(found.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.ts`));
  });

  it.each([
    [CORE, "import type { Sql } from '../../ports/sql.ts';"],
    [CORE, "import fs from 'node:fs';"],
    [CORE, "import { z } from 'zod';"],
    ['src/ports/a.ts', "import { x } from '../hosts/node/x.ts';"],
    ['src/store/a.ts', "import { x } from '../actors/x.ts';"],
    ['src/actors/a.ts', "const x = await import('../runner/x.ts');"],
    ['src/api/contract/a.ts', "import { x } from '../routes.ts';"],
    ['src/runner/a.ts', "export { x } from '../api/routes.ts';"],
    ['src/hosts/node/a.ts', "import { x } from '../cloudflare/x.ts';"],
    ['src/cli/a.ts', "import { x } from '../store/x.ts';"],
    ['src/api/a.ts', "import { x } from 'node:fs';"],
    ['src/core/a.ts', "import { x } from '../../test/fakes/x.ts';"],
    ['src/core/a.ts', "import { x } from './b.js';"],
    ['src/strange/a.ts', ''],
  ])('refuses in %s: %s', (path, source) => {
    expect(checkLaw({ path, source })).toHaveLength(1);
  });

  it.each([
    ['src/store/a.ts', "import { x } from '../core/x.ts';\nimport { y } from './y.ts';"],
    ['src/runner/a.ts', "import { x } from '../api/contract/x.ts';\nimport { spawn } from 'node:child_process';"],
    ['src/api/a.ts', "import { x } from './contract/x.ts';\nimport { hc } from 'hono/client';"],
    ['src/core/a.test.ts', "import { it } from 'vitest';\nimport { x } from '../hosts/node/x.ts';"],
    ['sim/main.ts', "import { x } from '../src/actors/x.ts';"],
  ])('allows in %s: %s', (path, source) => {
    expect(checkLaw({ path, source })).toEqual([]);
  });

  it('reads layers and references', () => {
    expect(layerOf('src/api/contract/a.ts')).toBe('api/contract');
    expect(layerOf('src/api/a.ts')).toBe('api');
    const config = '{ // why\n "references": [{ "path": "../core" }, { "path": "contract" }] }';
    expect(referencesOf('src/api/tsconfig.json', config)).toEqual(['core', 'api/contract']);
  });
});

/** What each ban must catch, and a neighbour that it must let through. */
const PLANTED: Readonly<Record<string, readonly [path: string, bad: string, good: string]>> = {
  'Date.now': [CORE, 'f(Date.now())', 'f("Date.now()", nowMs)'],
  'new Date()': [CORE, 'new Date()', 'new Date(nowMs).toISOString()'],
  performance: [CORE, 'performance.now()', 'view.performance.best'],
  'Math.random': [CORE, 'Math.random()', 'Math.max(1)'],
  crypto: [CORE, 'crypto.randomUUID()', 'ports.random.bytes(3)'],
  'a timer': [CORE, 'setTimeout(f, 1)', '// setTimeout(f, 1)'],
  fetch: ['src/actors/a.ts', 'await fetch(url)', 'port.fetch(url)'],
  console: ['src/store/a.ts', 'console.log(1)', 'log.info(1)'],
  process: ['src/ports/a.ts', 'process.env', 'report.process.pid'],
  locale: [CORE, 'a.localeCompare(b)', 'a < b'],
  'SELECT *': ['src/store/a.ts', 'sql.all(`select * from bead`)', 'sql.all("SELECT count(*), b.id FROM bead b")'],
  'as any': ['test/a.ts', 'x as any', 'x as anything'],
  enum: [CORE, 'export enum A { b }', 'const enumeration = {}'],
  'a note to self': [CORE, `// ${'TO'}${'DO'} later`, '// todos are beads'],
  'an inline exemption': [CORE, '// oxlint-disable-next-line x', '// the linter agrees'],
  '@ts-expect-error': [CORE, '// @ts-expect-error', '// expect an error'],
  'a focused test': ['src/core/a.test.ts', 'it.only("x", f)', 'it("x", f)'],
};

describe('bans', () => {
  it('each has a planted case', () => {
    expect(Object.keys(PLANTED)).toEqual(BANS.map((ban) => ban.name));
  });

  it.each(Object.entries(PLANTED))('%s', (name, [path, bad, good]) => {
    expect(checkBans({ path, source: bad })).toEqual([expect.stringContaining(`${path}:1: ${name} is banned`)]);
    expect(checkBans({ path, source: good })).toEqual([]);
  });

  it('leave hosts their clock', () => {
    expect(checkBans({ path: 'src/hosts/node/clock.ts', source: 'Date.now(); process.pid; console.log()' })).toEqual(
      [],
    );
  });
});

describe('casts', () => {
  it.each(['x as Foo', 'x as unknown as Foo', '(a as { b: 1 }).b', 'export const q = y as Foo;', 'x as Foo as const'])(
    'finds one in: %s',
    (source) => expect(castsOf(source).length).toBeGreaterThan(0),
  );

  it.each([
    "import * as a from 'a';",
    "import { a as b } from 'a';",
    "export { a as b } from 'a';",
    'export { a as b };',
    'const a = [1] as const;',
    'type A = { [K in keyof B as `x${K}`]: 1 };',
    "sql.all('SELECT a AS b, c as d FROM e');",
    '// as good as it gets',
    'const as = 1; f(x.as);',
  ])('finds none in: %s', (source) => expect(castsOf(source)).toEqual([]));

  it('are allowed in the parsers, refused beside them, counted elsewhere', () => {
    const source = 'x as Foo';
    expect(checkCasts({ path: CORE, source })).toHaveLength(1);
    expect(checkCasts({ path: 'src/core/model/ids.ts', source })).toEqual([]);
    expect(checkCasts({ path: 'src/store/rows.ts', source })).toEqual([]);
    expect(
      countLooseCasts([
        { path: 'src/cli/a.ts', source },
        { path: CORE, source },
      ]),
    ).toBe(1);
  });
});

describe('sizes', () => {
  it('refuses the 401st line of a source and the 801st of a test', () => {
    const lines = (count: number): string => 'x;\n'.repeat(count);
    expect(checkSize({ path: CORE, source: lines(400) })).toEqual([]);
    expect(checkSize({ path: CORE, source: lines(401) })).toHaveLength(1);
    expect(checkSize({ path: 'test/a.test.ts', source: lines(800) })).toEqual([]);
    expect(checkSize({ path: 'test/a.test.ts', source: lines(801) })).toHaveLength(1);
  });
});

describe('documents', () => {
  const exists = (path: string): boolean => ['src/core', 'docs/a.md', 'docs'].includes(path);

  it('must name paths and links that exist', () => {
    const check = (source: string, path = 'docs/b.md'): string[] => checkPaths({ path, source }, exists);
    expect(check('see `src/core/`, docs/a.md. And [a](a.md#part), [b](https://x.y/src/no), src/**/*.ts')).toEqual([]);
    expect(check('one\nsee `src/gone.ts`')).toEqual(['docs/b.md:2: names src/gone.ts, which does not exist']);
    expect(check('[gone](gone.md)')).toHaveLength(1);
    expect(check('was `src/gone.ts`', 'CHANGELOG.md')).toEqual([]);
  });

  it('must name invariants that exist', () => {
    const doc = { path: 'docs/invariants.md', source: 'I1 holds\nI12 too' };
    expect(checkInvariantNames(doc, null)).toEqual([]);
    expect(checkInvariantNames(doc, '| I1 | holds |')).toEqual([
      'docs/invariants.md:2: names I12, which no invariant has',
    ]);
  });

  it('must stay inside of the repository', () => {
    const outside = ['..', 'shared', 'x.md'].join('/');
    expect(checkOutside({ path: 'docs/a.md', source: `see ${outside}` })).toHaveLength(1);
    expect(checkOutside({ path: 'docs/a.md', source: 'a shared thing' })).toEqual([]);
  });
});

describe('packages', () => {
  it('must be exact and without install scripts at run time', () => {
    const lock = JSON.stringify({
      packages: {
        'node_modules/bad': { hasInstallScript: true },
        'node_modules/dev': { hasInstallScript: true, dev: true },
      },
    });
    expect(checkPackages('{"dependencies":{"a":"1.2.3"},"devDependencies":{"b":"1.0.0"}}', '{}')).toEqual([]);
    expect(checkPackages('{"dependencies":{"a":"^1.2.3"},"optionalDependencies":{"b":"24"}}', lock)).toHaveLength(3);
  });
});
