/** Whatever is typed behind `gt`: an answer or an error in plain words, with a documented exit code, and never a stack. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../../src/cli/command-names.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { Place } from './cli-support.ts';

/** Each case is a process; so many find what there is and end within a minute on a busy machine. */
const CASES = 60;
const AT_ONCE = 3;
const TEST_MS = 240_000;
/** A fixed seed: a failure must come again. `GT_FUZZ_SEED` tries others. */
const SEED = Number(process.env['GT_FUZZ_SEED'] ?? 20_261_121);
/** These start something that stays, or make a town around the others. */
const LEFT_OUT = new Set(['init', 'demo', 'up', 'daemon start', 'daemon run', 'runner', 'restore']);

const CODES = new Set<number>(Object.values(EXIT));
const names = COMMAND_NAMES.map(({ name }) => name).filter((name) => !LEFT_OUT.has(name));

const hostile = fc.constantFrom(
  '',
  '-',
  '--',
  '---',
  '--=x',
  '--json=maybe',
  '--limit=-1',
  '--limit',
  '1e999',
  '--rig',
  '../../etc/passwd',
  'app-00000',
  'hq-cv-00000',
  'hq-esc-00000000',
  'refs/heads/main',
  '%00',
  '\u001b[31mred',
  '\u202E',
  '💥'.repeat(50),
  "'; DROP TABLE beads; --",
  '{"a":',
  '[]',
  '-rf',
  '--town',
  '--color=pink',
  '--help=false',
  '__proto__',
  '--constructor',
  'a'.repeat(20_000),
);
const word = fc.oneof(
  { weight: 3, arbitrary: hostile },
  // A NUL can't be in an argument of a process.
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\0', '')) },
);
const line = fc
  .tuple(
    fc.option(fc.constantFrom(...names), { freq: 6 }),
    fc.array(word, { maxLength: 5 }),
    fc.option(fc.constant('--json'), { freq: 2 }),
  )
  .map(([name, words, json]) => [...(name?.split(' ') ?? []), ...words, ...(json === null ? [] : [json])])
  // It reads a file to its end, or follows for ever: right, but nothing to wait for here.
  .filter((argv) => !argv.some((text) => /^(-f|--follow|--interactive)/.test(text)));

describe('gt with any arguments', () => {
  const place = new Place();
  const inTown = place.path('town');
  beforeAll(async () => {
    await place.gt(['init', 'town']);
  }, TEST_MS);
  afterAll(async () => {
    await place.gt(['down', '--town', inTown]);
    place.remove();
  }, TEST_MS);

  const check = async (argv: readonly string[], cwd: string): Promise<void> => {
    const { code, out, err } = await place.gt(argv, { cwd });
    const what = `gt ${argv.map((text) => JSON.stringify(text.slice(0, 60))).join(' ')}\n${err.slice(0, 600)}`;
    expect(CODES.has(code), `exit code ${String(code)}: ${what}`).toBe(true);
    expect(`${out}${err}`, what).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
    expect(err, what).not.toContain('This is a fault of gt');
    if (code === EXIT.ok || code === EXIT.doctor) return;
    if (!argv.includes('--json')) expect(err.trim(), what).not.toBe('');
  };

  it(
    'answers or refuses in plain words',
    async () => {
      const cases = fc.sample(fc.tuple(line, fc.boolean()), { numRuns: CASES, seed: SEED });
      const next = cases.values();
      const one = async (): Promise<void> => {
        for (const [argv, inside] of next) await check(argv, inside ? inTown : place.root);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, one));
    },
    TEST_MS,
  );
});
