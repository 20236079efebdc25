/** What a run tells: a table of kills, figures, and, when something does not hold, all that helps to find out why. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLedger } from './ledger.ts';
import { PHASES, type Kill } from './monkey.ts';
import type { Stage } from './stage.ts';
import type { Slung } from './work.ts';

const GT = join(import.meta.dirname, '..', '..', 'gt');
const LOG_LINES = 40;
const WHY_MAX = 12;

/** Runs the real command; answers its output, also of a failure. */
export function gt(stage: Stage, ...args: readonly string[]): string {
  try {
    return execFileSync(GT, [...args, '--town', stage.town.paths.root], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const said = (key: string): string => String(Reflect.get(Object(error), key) ?? '');
    return `${said('stdout')}${said('stderr')}`;
  }
}

export function killTable(kills: readonly Kill[]): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(9) : String(cell).padStart(8))).join('');
  const count = (phase: string, test: (kill: Kill) => boolean): number =>
    kills.filter((kill) => kill.phase === phase && test(kill)).length;
  const lines = [...PHASES, 'any'].map((phase) =>
    row([
      phase,
      count(phase, ({ target }) => target === 'daemon'),
      ...(['before', 'during', 'after'] as const).map((moment) =>
        count(phase, (kill) => kill.target === 'daemon' && kill.moment === moment),
      ),
      count(phase, ({ target }) => target === 'runner'),
    ]),
  );
  return [row(['phase', 'daemon', 'before', 'during', 'after', 'runner']), ...lines].join('\n');
}

export interface Attempts {
  readonly turns: number;
  readonly beads: number;
  readonly reworks: number;
  readonly again: number;
}

export function attemptsOf(stage: Stage): Attempts {
  const starts = readLedger(stage.ledger).filter(({ event }) => event === 'start');
  const given = new Set(starts.map(({ bead }) => bead)).size;
  const beads = new Set(starts.map(({ source }) => source)).size;
  return { turns: starts.length, beads, reworks: given - beads, again: starts.length - given };
}

/** While the town is up: why each unfinished bead is where it is. */
export function explainOpen(stage: Stage, open: readonly Slung[]): string {
  const parts = open.slice(0, WHY_MAX).map(({ bead, id }) => `— ${bead.label} ${id}\n${gt(stage, 'why', id)}`);
  return [...parts, '— status', gt(stage, 'status'), '— queue', gt(stage, 'mq'), ...tails(stage)].join('\n');
}

function tails(stage: Stage): string[] {
  const { daemonLog, runnerLog } = stage.town.paths;
  return [daemonLog, runnerLog].flatMap((file) => {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    return [`— ${file}`, ...lines.slice(-LOG_LINES)];
  });
}
