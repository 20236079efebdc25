import { join } from 'node:path';
import { conflict, type TownError } from '../../core/errors.ts';
import { readIfThere, readJsonIfThere, writeFileAtomic, PRIVATE_MODE } from './atomic-file.ts';
import { isLocked } from './lock.ts';
import type { TownPaths } from './town-files.ts';

const PORT_FILE = 'port';
const PORT_MAX = 65_535;

/** `daemon/state.json`, with the field names that older tools read. */
export interface DaemonState {
  readonly running: boolean;
  readonly pid: number;
  readonly started_at: string;
  readonly last_heartbeat: string;
  readonly heartbeat_count: number;
}

export function writeState(paths: TownPaths, state: DaemonState): void {
  writeFileAtomic(paths.stateFile, `${JSON.stringify(state, null, 2)}\n`);
}

/** What the file says, or null when it is missing or torn: then the daemon counts as not running. */
export function readState(paths: TownPaths): DaemonState | null {
  const data = readJsonIfThere(paths.stateFile);
  if (data === null) return null;
  const text = (key: string): string => (typeof data[key] === 'string' ? data[key] : '');
  const number = (key: string): number => (typeof data[key] === 'number' ? data[key] : 0);
  return {
    running: data['running'] === true,
    pid: number('pid'),
    started_at: text('started_at'),
    last_heartbeat: text('last_heartbeat'),
    heartbeat_count: number('heartbeat_count'),
  };
}

export interface DaemonStatus {
  /** From the lock, never from a file: a killed daemon leaves files behind. */
  readonly running: boolean;
  readonly pid: number | null;
  readonly url: string | null;
  readonly state: DaemonState | null;
}

/** For whoever would start a second one. */
export const runsAlready = ({ pid }: DaemonStatus): TownError =>
  conflict(
    'daemon_running',
    `A daemon runs for this town already${pid === null ? '' : ` (pid ${String(pid)})`}.`,
    'Look at it with "gt daemon status"; "gt daemon stop" ends it.',
  );

export function daemonStatus(paths: TownPaths, pidFile: string): DaemonStatus {
  const running = isLocked(paths.lockFile);
  const state = readState(paths);
  if (!running) return { running, pid: null, url: null, state };
  return { running, pid: state?.running === true ? state.pid : readPid(pidFile), url: readEndpoint(paths), state };
}

function readPid(pidFile: string): number | null {
  const pid = Number(readIfThere(pidFile)?.trim() ?? Number.NaN);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
}

export function writeEndpoint(paths: TownPaths, url: string): void {
  writeFileAtomic(paths.endpointFile, `${JSON.stringify({ url })}\n`, PRIVATE_MODE);
}

/** Where the last daemon listened, so that a dashboard that is open finds the next one; 0 when that is not known. */
export function lastPort(paths: TownPaths): number {
  const port = Number(readIfThere(join(paths.daemonDir, PORT_FILE))?.trim() ?? 0);
  return Number.isInteger(port) && port > 0 && port <= PORT_MAX ? port : 0;
}

export function keepPort(paths: TownPaths, url: string): void {
  writeFileAtomic(join(paths.daemonDir, PORT_FILE), `${new URL(url).port}\n`);
}

function readEndpoint(paths: TownPaths): string | null {
  const url = readJsonIfThere(paths.endpointFile)?.['url'];
  return typeof url === 'string' ? url : null;
}
