/** From SIGKILL of the daemon to its actors' first turns, and to its first answer, against starting Node and opening a database. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SqliteSql } from '../src/hosts/node/sql-sqlite.ts';
import { killNow, sleep } from '../test/support/processes.ts';
import type { DaemonProcess, RealTown } from '../test/support/real-town.ts';
import { machineFigures } from './machine.ts';
import { median, spread, type Bench } from './result.ts';
import { addHistory } from './rig.ts';
import { startDaemon, withTown } from './town.ts';

const ROUNDS = 15;
const WARM_UP = 2;
/** The daemon has kept its compiled code by then. */
const SETTLE_MS = 5_000;
const GOAL_RATIO = 2;

const CLOSED = 10_000;

interface Series {
  readonly turned: readonly number[];
  readonly back: readonly number[];
  readonly baseline: readonly number[];
}

export const restart: Bench = async (rounds) => {
  const rig = { name: 'app', files: { 'README.md': 'app\n' }, gate: null };
  return withTown([rig], async (made) => {
    const first = await startDaemon(made);
    await sleep(SETTLE_MS);
    const fresh = await measure(made, first, rounds ?? ROUNDS);
    killNow(fresh.daemon.pid);
    await fresh.daemon.ended;
    withHistory(made, CLOSED);
    const old = await measure(made, await startDaemon(made), rounds ?? ROUNDS);
    const ratio = median(fresh.turned) / median(fresh.baseline);
    return {
      bench: 'restart',
      figures: {
        'SIGKILL to the first turns': spread(fresh.turned),
        'SIGKILL to ready': spread(fresh.back),
        'node start and SQLite open': spread(fresh.baseline),
        [`with ${String(CLOSED)} closed beads: first turns`]: `${spread(old.turned)}: ${(median(old.turned) / median(old.baseline)).toFixed(2)}`,
        ...machineFigures(made.folder),
      },
      goal: `at most ${String(GOAL_RATIO)} times the start of Node with one database opened`,
      holds: ratio <= GOAL_RATIO,
      ratio,
      ratioOf: 'SIGKILL to the first turns : node start and open',
    };
  });
};

async function measure(
  made: RealTown,
  first: DaemonProcess,
  count: number,
): Promise<Series & { readonly daemon: DaemonProcess }> {
  let daemon = first;
  const turned: number[] = [];
  const back: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < WARM_UP + count; round += 1) {
    const began = performance.now();
    const killedAtMs = Date.now();
    killNow(daemon.pid);
    await daemon.ended;
    daemon = await startDaemon(made);
    const tookMs = performance.now() - began;
    const nodeMs = nodeAndOpen(join(made.folder, 'baseline.db'));
    if (round < WARM_UP) continue;
    back.push(tookMs);
    turned.push(actorsRunAtMs(made.town.paths.daemonLog) - killedAtMs);
    baseline.push(nodeMs);
  }
  return { turned, back, baseline, daemon };
}

function withHistory({ town }: RealTown, closed: number): void {
  const sql = SqliteSql.open(join(town.paths.rigsDir, 'app.db'), { readOnly: false });
  addHistory(sql, closed);
  sql.close();
}

/** The daemon notes the moment at which all its actors have had their first turn. */
function actorsRunAtMs(log: string): number {
  const line = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .findLast((text) => text.includes('actors run'));
  return Date.parse(line?.split(' ')[0] ?? '');
}

function nodeAndOpen(path: string): number {
  const open = `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync(${JSON.stringify(path)}); db.exec('PRAGMA journal_mode = WAL'); db.prepare('SELECT count(*) FROM sqlite_master').get();`;
  const began = performance.now();
  const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', open]);
  if (status !== 0) throw new Error(`the baseline ended with ${String(status)}`);
  return performance.now() - began;
}
