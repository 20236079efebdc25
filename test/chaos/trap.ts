/**
 * How the monkey meets the daemon in a chosen phase: the monkey sets a trap (a file), the daemon's probe looks at it at
 * each phase, writes down synchronously that it stepped into it, and stands still until it is killed.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Trap {
  readonly id: number;
  /** Regular expressions over phases, by the name that the monkey gives them. */
  readonly wants: readonly { readonly name: string; readonly phase: string }[];
  /** Stand still until killed; otherwise go on, so that the kill comes while the effect is under way. */
  readonly hold: boolean;
}

export interface Sprung {
  readonly id: number;
  readonly pid: number;
  readonly name: string;
  readonly phase: string;
}

const trapFile = (folder: string): string => join(folder, 'trap.json');
const sprungFile = (folder: string): string => join(folder, 'sprung.log');

/** A monkey that died must not leave a daemon standing. */
const HOLD_MS_MAX = 3_000;
const HOLD_LOOK_MS = 5;

export function setTrap(folder: string, trap: Trap): void {
  writeFileSync(`${trapFile(folder)}.new`, JSON.stringify(trap));
  renameSync(`${trapFile(folder)}.new`, trapFile(folder));
}

export function removeTrap(folder: string): void {
  rmSync(trapFile(folder), { force: true });
}

export function readSprung(folder: string, id: number): Sprung | null {
  if (!existsSync(sprungFile(folder))) return null;
  const lines = readFileSync(sprungFile(folder), 'utf8').trimEnd().split('\n');
  const line = lines.find((one) => one.startsWith(`${String(id)} `));
  if (line === undefined) return null;
  const [, pid = '', name = '', phase = ''] = line.split(' ');
  return { id, pid: Number(pid), name, phase };
}

/** The daemon's side. Costs one look at a file that is usually not there. */
export function openProbe(folder: string): (phase: string) => void {
  let last = -1;
  return (phase) => {
    const trap = readTrap(folder);
    if (trap === null || trap.id === last) return;
    const want = trap.wants.find((one) => new RegExp(one.phase).test(phase));
    if (want === undefined) return;
    last = trap.id;
    appendFileSync(sprungFile(folder), `${String(trap.id)} ${String(process.pid)} ${want.name} ${phase}\n`);
    if (trap.hold) standStill(folder);
  };
}

function readTrap(folder: string): Trap | null {
  try {
    return JSON.parse(readFileSync(trapFile(folder), 'utf8')) as Trap;
  } catch {
    return null;
  }
}

function standStill(folder: string): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; waitedMs < HOLD_MS_MAX && existsSync(trapFile(folder)); waitedMs += HOLD_LOOK_MS)
    Atomics.wait(clock, 0, 0, HOLD_LOOK_MS);
}
