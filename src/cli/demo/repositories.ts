/** The two small repositories of the demo: real code with real tests, which are the rigs' gates. */
export interface DemoRepository {
  readonly name: string;
  readonly gate: string;
  readonly files: Readonly<Record<string, string>>;
}

const CALC: DemoRepository = {
  name: 'calc',
  gate: 'node --test',
  files: {
    'package.json': `${JSON.stringify({ name: 'calc', type: 'module', private: true, exports: './src/index.js' }, null, 2)}\n`,
    'src/index.js': `// Operations of the calculator, one export a line.\nexport { add } from './add.js';\n`,
    'src/add.js': `export function add(a, b) {\n  return a + b;\n}\n`,
    'test/add.test.js': `import assert from 'node:assert/strict';\nimport { test } from 'node:test';\nimport { add } from '../src/index.js';\n\ntest('adds', () => {\n  assert.equal(add(2, 3), 5);\n});\n`,
    // Every operation in src must be exported and have a test: a merge that loses one side turns this red.
    'test/complete.test.js': [
      `import assert from 'node:assert/strict';`,
      `import { readdirSync } from 'node:fs';`,
      `import { test } from 'node:test';`,
      `import * as calc from '../src/index.js';`,
      '',
      `test('every operation is exported and tested', () => {`,
      `  const operations = readdirSync('src').filter((file) => file !== 'index.js').map((file) => file.replace('.js', ''));`,
      `  const tested = readdirSync('test').map((file) => file.replace('.test.js', ''));`,
      `  for (const operation of operations) {`,
      `    assert.equal(typeof calc[operation], 'function', operation);`,
      `    assert.ok(tested.includes(operation), operation);`,
      `  }`,
      '});',
      '',
    ].join('\n'),
  },
};

const SITE: DemoRepository = {
  name: 'site',
  gate: 'node --test',
  files: {
    'package.json': `${JSON.stringify({ name: 'site', type: 'module', private: true }, null, 2)}\n`,
    'page.html': '<!doctype html>\n<title>Calculator</title>\n<main>\n</main>\n',
    'page.test.js': [
      `import assert from 'node:assert/strict';`,
      `import { existsSync, readFileSync } from 'node:fs';`,
      `import { test } from 'node:test';`,
      '',
      `const page = readFileSync('page.html', 'utf8');`,
      '',
      `test('the page is whole and its links exist', () => {`,
      `  assert.match(page, /<main>[\\s\\S]*<\\/main>/);`,
      `  for (const [, link] of page.matchAll(/href="([^"]+)"/g)) assert.ok(existsSync(link), link);`,
      '});',
      '',
    ].join('\n'),
  },
};

export const DEMO_REPOSITORIES: readonly DemoRepository[] = [CALC, SITE];
