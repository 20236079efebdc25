import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

import { TownError } from '../../core/errors.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import { pause } from '../clock.ts';

/** Which processes a sweep may end: those whose environment names this town, and this attempt when one is given. */
export interface Markers {
  readonly town: string;
  /** Runner whose they are: several of one town may share a machine. Without it: those of all. */
  readonly runner?: string;
  readonly attempt?: string;
}

/** Pause between two looks at the process table. */
const LOOK_PAUSE_MS = 10;
/** A clean table must be seen twice: a process that is just being made carries its markers only after its exec. */
const CLEAN_LOOKS = 2;
const ANCESTORS_MAX = 64;

/**
 * Kills every process with the markers, whatever session or group it moved to, and returns when none is left. Never
 * touches a process without them, nor this one and its ancestors. Answers how many were killed. Errors: `sweep_failed`.
 */
export async function sweep(markers: Markers, limitMs: number): Promise<number> {
  const killed = new Set<number>();
  const until = performance.now() + limitMs;
  for (let clean = 0; clean < CLEAN_LOOKS;) {
    const found = marked(markers);
    clean = found.length === 0 ? clean + 1 : 0;
    for (const pid of found) {
      killed.add(pid);
      kill(pid, 'SIGKILL');
    }
    if (clean >= CLEAN_LOOKS) break;
    if (performance.now() > until) {
      throw new TownError('internal', 'sweep_failed', {
        message: `${String(found.length)} processes of an agent do not end.`,
        next: 'Look for processes in state D with "ps", for example on a network disk that hangs.',
      });
    }
    await pause(LOOK_PAUSE_MS);
  }
  return killed.size;
}

/** Signals a process group or process; false when there is none. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Processes that this one started itself; none where they can't be known. */
export function childrenOf(pid: number): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    return parentOf(name) === pid ? [Number(name)] : [];
  });
}

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

/** True while a member of the process group lives (zombies count until they are reaped). */
export function groupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Processes with the markers, without this one and its ancestors. */
export function marked(markers: Markers): readonly number[] {
  const spared = ownLine();
  const all = process.platform === 'linux' ? fromProc(markers) : fromPs(markers);
  return all.filter((pid) => !spared.has(pid));
}

function fromProc(markers: Markers): readonly number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 1) continue;
    let entries: string[];
    try {
      entries = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
    } catch {
      continue;
    }
    if (matches(entries, markers)) found.push(pid);
  }
  return found;
}

/** macOS shows the environment behind the command; values with spaces are cut, ours have none. */
function fromPs(markers: Markers): readonly number[] {
  const out = execFileSync('ps', ['eww', '-axo', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const found: number[] = [];
  for (const line of out.split('\n')) {
    const words = line.trim().split(/\s+/);
    const pid = Number(words[0]);
    if (Number.isInteger(pid) && pid > 1 && matches(words.slice(1), markers)) found.push(pid);
  }
  return found;
}

function matches(entries: readonly string[], markers: Markers): boolean {
  if (!entries.includes(`GT_TOWN=${markers.town}`)) return false;
  if (markers.runner !== undefined && !ofRunner(entries, markers.runner)) return false;
  if (markers.attempt !== undefined) return entries.includes(`GT_ATTEMPT=${markers.attempt}`);
  return entries.some((entry) => entry.startsWith('GT_ATTEMPT='));
}

/** What an older runner beside the daemon started says nothing of its runner. */
function ofRunner(entries: readonly string[], runner: string): boolean {
  const mark = entries.find((entry) => entry.startsWith('GT_RUNNER=')) ?? `GT_RUNNER=${LOCAL_RUNNER}`;
  return mark === `GT_RUNNER=${runner}`;
}

function ownLine(): ReadonlySet<number> {
  const line = new Set<number>([process.pid, process.ppid]);
  let pid = process.ppid;
  for (let step = 0; step < ANCESTORS_MAX && pid > 1 && process.platform === 'linux'; step += 1) {
    try {
      const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
      pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      break;
    }
    line.add(pid);
  }
  return line;
}
