import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

const KIB = 1024;

/**
 * Processes of each attempt: those that carry its mark, and all that came from one of these, also when they threw the
 * mark away. One pass over the process table. Empty where there is none (only Linux has it as files).
 */
export async function processesByAttempt(town: string): Promise<ReadonlyMap<string, readonly number[]>> {
  if (process.platform !== 'linux') return new Map();
  const owners = new Map<number, string>();
  const children = new Map<number, number[]>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [environ, stat] = await Promise.all([read(`/proc/${name}/environ`), read(`/proc/${name}/stat`)]);
    const pid = Number(name);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
    const entries = environ.split('\0');
    const attempt = entries.find((entry) => entry.startsWith('GT_ATTEMPT='));
    if (attempt !== undefined && entries.includes(`GT_TOWN=${town}`))
      owners.set(pid, attempt.slice('GT_ATTEMPT='.length));
  }
  const found = new Map<string, number[]>();
  const give = (pid: number, attempt: string): void => {
    found.set(attempt, [...(found.get(attempt) ?? []), pid]);
    for (const child of children.get(pid) ?? []) if (!owners.has(child)) give(child, attempt);
  };
  for (const [pid, attempt] of owners) give(pid, attempt);
  return found;
}

/**
 * Bytes that these processes hold for themselves: not the programs and files that they only map. Cheap first; only what is
 * over the limit that way is counted exactly, where memory that forks share counts once.
 */
export function memoryOf(pids: readonly number[], limit: number): number {
  const rough = sum(pids, 'status', ['RssAnon', 'RssShmem']);
  return rough <= limit ? rough : sum(pids, 'smaps_rollup', ['Pss_Anon', 'Pss_Shmem']);
}

function sum(pids: readonly number[], file: string, names: readonly string[]): number {
  let bytes = 0;
  for (const pid of pids) {
    for (const line of lines(`/proc/${String(pid)}/${file}`)) {
      const [name = '', rest = ''] = line.split(':');
      if (names.includes(name)) bytes += Number.parseInt(rest, 10) * KIB;
    }
  }
  return bytes;
}

function lines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
