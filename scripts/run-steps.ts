/**
 * Runs the steps of `npm run check` or `npm test` one after the other, all of them even when one fails, and ends with
 * one line: `N passed, N failed`. Vitest steps count their tests, a program counts as one; a step that fails without
 * a failed test (lint, a crash) counts as one failure, so that the line can never look better than the exit code.
 * Before it stands what did not run and what failed, because of a long log often only the end is kept.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { emptyTally, programTally, tally, type Tally, tallyLine, withStep } from './tally.ts';

interface Step {
  readonly name: string;
  readonly kind: 'check' | 'vitest' | 'program';
  readonly command: readonly [string, ...string[]];
}

/** Seconds: what one runs before each commit. */
const CHECK: readonly Step[] = [
  { name: 'format', kind: 'check', command: ['oxfmt', '--check'] },
  { name: 'lint', kind: 'check', command: ['oxlint'] },
  { name: 'types', kind: 'check', command: ['tsc', '-b'] },
  { name: 'unused', kind: 'check', command: ['knip'] },
  { name: 'package', kind: 'check', command: ['publint', '--strict'] },
  { name: 'unit', kind: 'vitest', command: ['vitest', 'run', '--project', 'unit'] },
];

/** Everything CI runs on top. A later suite is one more line here: `program` for `node …/main.ts --short`. */
const SLOW: readonly Step[] = [
  { name: 'e2e', kind: 'vitest', command: ['vitest', 'run', '--project', 'e2e'] },
  { name: 'agents', kind: 'program', command: ['node', 'test/agents/main.ts', '--short'] },
  { name: 'hosts', kind: 'program', command: ['node', 'test/hosts/main.ts', '--short'] },
  { name: 'sim', kind: 'program', command: ['node', 'sim/main.ts', '--ci'] },
  { name: 'crash points', kind: 'program', command: ['node', 'test/crash/main.ts'] },
  { name: 'git points', kind: 'program', command: ['node', 'test/crash/git/main.ts'] },
  { name: 'chaos', kind: 'program', command: ['node', 'test/chaos/main.ts', '--short'] },
  { name: 'web build', kind: 'check', command: ['vite', 'build', 'web', '--logLevel', 'warn'] },
  { name: 'web', kind: 'program', command: ['node', 'test/web/main.ts', '--short'] },
];

const SETS: Readonly<Record<string, readonly Step[]>> = { check: CHECK, test: [...CHECK, ...SLOW] };

/** A hung step is killed: the slowest honest one is far below this. */
const STEP_TIMEOUT_MS = 20 * 60_000;

/** A program that lacks a component says what is not run, and ends so. */
const NOT_RUN_EXIT = 77;

const root = join(import.meta.dirname, '..');

/** Compiled code is kept between processes, as `gt` keeps it for people: tests start hundreds, and half of each start is compiling. */
const COMPILE_CACHE = process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules', '.cache', 'gt-compile');

function run(command: readonly [string, ...string[]]): Promise<number> {
  const [program, ...args] = command;
  const path = [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, PATH: path, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: 'inherit',
      timeout: STEP_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.on('error', (error) => {
      console.error(`${program}: ${error.message} (npm ci installs it)`);
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // vitest died before it could write one; the exit code says so
  }
}

async function runStep(step: Step, folder: string): Promise<Tally> {
  const startedAtMs = performance.now();
  console.log(`\n— ${step.name}`);
  const report = join(folder, `${step.name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const [program, ...args] = step.command;
  const exit = await run([program, ...args, ...(step.kind === 'vitest' ? reporters : [])]);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.log(`— ${step.name}: ${exit === 0 ? 'ok' : `FAILED (exit ${exit})`}, ${seconds} s`);
  if (step.kind === 'vitest') return tally(readReport(report), exit);
  if (step.kind === 'check' && exit === 0) return emptyTally;
  return exit === NOT_RUN_EXIT ? { ...emptyTally, skipped: [step.name] } : programTally(exit);
}

async function main(set: string): Promise<number> {
  const steps = SETS[set];
  if (steps === undefined) {
    console.error(`usage: node scripts/run-steps.ts ${Object.keys(SETS).join('|')}`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'gt-steps-'));
  let total = emptyTally;
  for (const step of steps) {
    const result = await runStep(step, folder);
    total = withStep(total, { ...result, failures: result.failures.map((failure) => `${step.name}: ${failure}`) });
  }
  rmSync(folder, { recursive: true, force: true });
  console.log('');
  for (const name of total.skipped) console.log(`NOT RUN ${name}`);
  for (const failure of total.failures) console.log(`FAILED ${failure}`);
  const line = tallyLine(total);
  const summary = process.env['GT_TEST_SUMMARY'];
  if (summary !== undefined && summary !== '') writeFileSync(summary, `${line}\n`);
  console.log(line);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv[2] ?? '');
