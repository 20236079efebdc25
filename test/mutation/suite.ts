/**
 * Stands in for `vitest` while changes are tried: it collects the tests of the core instead of running them, so that one
 * process can run them thousands of times. The assertions are vitest's own. What the core's tests do not use is missing
 * here, and a test that uses it fails at once with that name.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

type Body = (...args: readonly unknown[]) => unknown;

export interface CollectedTest {
  readonly name: string;
  readonly run: () => unknown;
}

export const tests: CollectedTest[] = [];
const path: string[] = [];

export function describe(name: string, body: () => void): void {
  path.push(name);
  body();
  path.pop();
}

export function it(name: string, body: Body): void {
  tests.push({ name: [...path, name].join(' > '), run: () => body() });
}

it.each =
  (rows: readonly unknown[]) =>
  (name: string, body: Body): void => {
    for (const [index, row] of rows.entries())
      it(`${name} (${String(index)})`, () => (Array.isArray(row) ? body(...row) : body(row)));
  };

const vitest = createRequire(createRequire(import.meta.url).resolve('vitest/package.json'));
const { chai, JestChaiExpect, JestAsymmetricMatchers, JestExtend, ASYMMETRIC_MATCHERS_OBJECT } = await import(
  pathToFileURL(vitest.resolve('@vitest/expect')).href
);
chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign(
  (value: unknown, message?: string): unknown => chai.expect(value, message),
  chai.expect,
  Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT),
);

const unindented = (text: string): string => text.trim().replaceAll(/^[ \t]+/gm, '');

chai.util.addMethod(
  chai.Assertion.prototype,
  'toMatchInlineSnapshot',
  function compare(this: object, snapshot: string) {
    const value: unknown = chai.util.flag(this, 'object');
    if (unindented(`"${String(value)}"`) !== unindented(snapshot)) throw new Error('not the text of the snapshot');
  },
);
