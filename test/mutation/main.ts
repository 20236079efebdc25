/**
 * `npm run mutation [-- src/core/rules/gupp.ts …]`: breaks the pure core in thousands of small ways, one at a time, and
 * asks whether a unit test notices. Ends with a table of files and one line of figures; fails below the goal, or with a
 * survivor that `explained.ts` does not account for. All changes are built into the sources at once and two processes
 * switch them on one after the other, so that the whole core takes two minutes.
 *
 * What makes the changes is a package of its own in this folder: a new user's `npm ci` stays small.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXPLANATIONS } from './explained.ts';
import { instrument, type Instrumented } from './instrument.ts';
import { leaveOut } from './leave-out.ts';
import { tryAll } from './try-all.ts';
import { summarize, type TriedChange } from './summary.ts';

const here = import.meta.dirname;
const root = join(here, '..', '..');

if (!existsSync(join(here, 'node_modules', '@stryker-mutator', 'instrumenter'))) {
  const done = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) {
    console.error('npm ci in test/mutation failed; nothing was measured.');
    process.exit(1);
  }
}

const isTest = (file: string): boolean => file.endsWith('.test.ts');
/** Tests outside of the core that are about a table of it. */
const TABLE_TESTS = ['test/tools-doc.test.ts', 'test/transitions-doc.test.ts'];
const all = globSync('src/core/**/*.ts', { cwd: root }).toSorted();
const named = process.argv.slice(2);
const unknown = named.filter((file) => !all.includes(file) || isTest(file));
if (unknown.length > 0) {
  console.error(`not a source file of the core: ${unknown.join(', ')}`);
  process.exit(1);
}

const sources = all.filter((file) => !isTest(file));
const folder = mkdtempSync(join(tmpdir(), 'gt-mutation-'));

/** What becomes of changes that are built into one set of texts. */
async function tried({ files, mutants }: Instrumented): Promise<readonly TriedChange[]> {
  const workFile = join(folder, 'work.json');
  const texts = Object.fromEntries(files.map((file) => [file.name, file.content]));
  writeFileSync(workFile, JSON.stringify({ texts, tests: [...all.filter(isTest), ...TABLE_TESTS] }));
  const wanted = mutants.filter((mutant) => named.length === 0 || named.includes(mutant.fileName));
  const outcomes = await tryAll(
    workFile,
    wanted.map((mutant) => mutant.id),
  );
  const lines = new Map(files.map(({ name }) => [name, readFileSync(join(root, name), 'utf8').split('\n')]));
  return wanted.map((mutant): TriedChange => ({
    file: mutant.fileName,
    line: mutant.location.start.line + 1,
    text: lines.get(mutant.fileName)?.[mutant.location.start.line] ?? '',
    mutator: mutant.mutatorName,
    replacement: mutant.replacement,
    outcome: outcomes.get(mutant.id) ?? 'missed',
  }));
}

try {
  const changes = [...(await tried(await instrument(root, sources))), ...(await tried(leaveOut(root, sources)))];
  const summary = summarize(changes, EXPLANATIONS, { isWhole: named.length === 0 });
  for (const line of summary.lines) console.log(line);
  process.exitCode = summary.holds ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// After an error the other process still works on what nobody waits for.
process.exit();
