/** Looks at the process table all the time: at no moment may two attempts of one source bead live. */
import { markedProcesses, readMarkers } from '../support/processes.ts';

const LOOK_EVERY_MS = 120;

export interface Watcher {
  readonly looks: () => number;
  readonly problems: () => readonly string[];
  stop(): void;
}

export function startWatcher(townId: string): Watcher {
  const problems = new Set<string>();
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    for (const problem of look(townId)) problems.add(problem);
  }, LOOK_EVERY_MS);
  return {
    looks: () => looks,
    problems: () => [...problems],
    stop: () => {
      clearInterval(timer);
    },
  };
}

function look(townId: string): readonly string[] {
  const bySource = new Map<string, Map<string, number>>();
  for (const { pid, attempt, sourceBead } of markedProcesses(townId)) {
    if (sourceBead === null) continue;
    const attempts = bySource.get(sourceBead) ?? new Map<string, number>();
    bySource.set(sourceBead, attempts.set(attempt, pid));
  }
  const problems: string[] = [];
  for (const [source, attempts] of bySource) {
    // The table was read one process at a time: only those that still live now lived together.
    const still = [...attempts].filter(([attempt, pid]) => readMarkers(pid, townId)?.attempt === attempt);
    if (still.length > 1) problems.push(`two attempts of ${source} lived at once: ${still.map(String).join(' and ')}`);
  }
  return problems;
}
