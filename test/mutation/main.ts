/**
 * `npm run mutation [-- src/core/rules/gupp.ts …]`: breaks the pure core in thousands of small ways, one at a time, and
 * asks whether a unit test notices. Ends with one line of figures; fails below the goal or with a survivor that
 * `explained.ts` does not account for. The whole core takes some 20 minutes on two cores, so CI does not run it.
 *
 * The mutation tester is a package of its own in this folder: a new user's `npm ci` stays small.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarize, type MutationReport } from './summary.ts';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const reportFile = join(root, '.stryker-tmp', 'report.json');

function run(program: string, args: readonly string[], cwd: string): void {
  const done = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) {
    console.error(
      `${program} ${args[0] ?? ''} ended with ${String(done.status ?? done.signal)}; nothing was measured.`,
    );
    process.exit(1);
  }
}

const files = process.argv.slice(2);
const stryker = join(here, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');
if (!existsSync(stryker)) run('npm', ['ci', '--ignore-scripts'], here);
const only = files.length === 0 ? [] : ['--mutate', files.join(',')];
run(process.execPath, [stryker, 'run', join('test', 'mutation', 'stryker.config.json'), ...only], root);

const report = JSON.parse(readFileSync(reportFile, 'utf8')) as MutationReport;
const summary = summarize(report);
for (const line of summary.lines) console.log(line);
process.exitCode = summary.holds ? 0 : 1;
