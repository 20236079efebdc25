/** Live processes as the kernel shows them, for harnesses that trust nothing else. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

export interface MarkedProcess {
  readonly pid: number;
  /** Of an agent or a gate. */
  readonly attempt: string;
  /** Null for gates. */
  readonly sourceBead: string | null;
  readonly command: string;
}

/** Every process whose environment carries the town's markers; zombies and kernel threads have none. */
export function markedProcesses(townId: string): readonly MarkedProcess[] {
  const found: MarkedProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const marked = readMarkers(pid, townId);
    if (marked !== null) found.push(marked);
  }
  return found;
}

export function readMarkers(pid: number, townId: string): MarkedProcess | null {
  const entries = readProc(pid, 'environ').split('\0');
  if (!entries.includes(`GT_TOWN=${townId}`)) return null;
  const value = (key: string): string | null =>
    entries.find((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1) ?? null;
  const attempt = value('GT_ATTEMPT');
  return attempt === null ? null : { pid, attempt, sourceBead: value('GT_SOURCE_BEAD'), command: commandOf(pid) };
}

/** Daemons and runners of a town: processes that were started with `--town <root>`. */
export function serversOf(townRoot: string): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .map((pid) => ({ pid, command: commandOf(pid) }))
    .filter(({ command }) => command.includes(`--town ${townRoot}`));
}

export const commandOf = (pid: number): string => readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Sends SIGKILL; false when there is no such process any more. */
export function killNow(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
