/**
 * The conformance matrix: real agent programs, each case against a real runner and a scripted model. `--short`: what CI
 * runs. `--require`: a case that did not run is a failure. `--only <runtime>[,<runtime>]`, `--case <name>`: a part of it.
 * `--write`: puts the matrix into docs/runtimes.md.
 */
import { parseArgs } from 'node:util';

import { Bench } from './bench.ts';
import { CASES, type Case } from './cases.ts';
import { convoyOfFour } from './convoy.ts';
import { type Fixture, installClis } from './install.ts';
import { type Cell, matrixText, writeMatrix } from './matrix.ts';
import { morePrograms, type Program, programs } from './programs.ts';

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    require: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    case: { type: 'string' },
    convoy: { type: 'boolean', default: false },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  let all: readonly Program[];
  try {
    all = installed();
  } catch (error) {
    console.log(`NOT RUN agents: the programs could not be installed (${textOf(error)})`);
    return options.require ? 1 : 0;
  }
  const cases = CASES.filter((each) => options.case === undefined || each.name === options.case);
  const wanted = all.filter((each) => options.only === undefined || options.only.split(',').includes(each.runtime));
  const cells: Cell[] = [];
  if (options.convoy) return convoy(wanted);
  // Side by side: they mostly wait.
  await Promise.all(
    wanted.map(async (program) => {
      for (const one of cases) if (isWanted(program, one)) cells.push(await cellOf(program, one));
    }),
  );
  const rank = (cell: Cell): number =>
    CASES.findIndex((each) => each.name === cell.name) * wanted.length +
    wanted.findIndex((each) => each.runtime === cell.runtime);
  cells.sort((a, b) => rank(a) - rank(b));
  console.log(`\n${matrixText(cells)}`);
  if (options.write) writeMatrix(cells, { cases: CASES, programs: all });
  const count = (state: Cell['state']): number => cells.filter((cell) => cell.state === state).length;
  const failed = count('failed') + (options.require ? count('not run') : 0);
  console.log(
    `agents: ${String(count('passed'))} passed, ${String(count('failed'))} failed, ${String(count('not run'))} not run`,
  );
  return failed > 0 || cells.length === 0 ? 1 : 0;
}

/** Those that this form runs; each fixture is installed only when it is needed. */
function installed(): readonly Program[] {
  const of = (name: Fixture): string => {
    const { folder, tookMs } = installClis(name);
    console.log(`${name}: installed ${tookMs === 0 ? 'before' : `in ${(tookMs / 1_000).toFixed(0)} s`}`);
    return folder;
  };
  const few = options.short || options.convoy;
  return [...programs(of('clis')), ...(few ? [] : morePrograms(of('clis-more')))];
}

function isWanted(program: Program, one: Case): boolean {
  return !options.short || one.short === true || (Array.isArray(one.short) && one.short.includes(program.runtime));
}

/** Four beads, all programs at once; it needs each of them. */
async function convoy(wanted: readonly Program[]): Promise<number> {
  const missing = wanted.filter((program) => program.path === null).map((program) => program.runtime);
  if (missing.length > 0) {
    console.log(`NOT RUN agents: the convoy (no program for this machine: ${missing.join(', ')})`);
    return options.require ? 1 : 0;
  }
  try {
    console.log(`ok      convoy: ${await convoyOfFour(wanted)}`);
    return 0;
  } catch (error) {
    console.log(`FAILED  convoy: ${textOf(error)}`);
    return 1;
  }
}

async function cellOf(program: Program, one: Case): Promise<Cell> {
  const of = { runtime: program.runtime, name: one.name, what: one.what };
  const missing = program.path === null ? 'no program for this machine' : ((await one.missing?.()) ?? null);
  if (missing !== null) {
    console.log(`NOT RUN agents ${program.runtime}: ${one.name} (${missing})`);
    return { ...of, state: 'not run', detail: missing, tookMs: 0 };
  }
  const began = performance.now();
  const tookMs = (): number => Math.round(performance.now() - began);
  const bench = await Bench.open(program);
  try {
    const detail = await one.run(bench);
    console.log(`ok      ${program.runtime}: ${one.name} (${detail}; ${(tookMs() / 1_000).toFixed(1)} s)`);
    return { ...of, state: 'passed', detail, tookMs: tookMs() };
  } catch (error) {
    console.log(`FAILED  ${program.runtime}: ${one.name}: ${textOf(error)}`);
    return { ...of, state: 'failed', detail: textOf(error).split('\n')[0] ?? '', tookMs: tookMs() };
  } finally {
    await bench.close().catch((error: unknown) => {
      console.log(`        not closed cleanly: ${textOf(error)}`);
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
