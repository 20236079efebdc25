/** A town to measure, and nothing left of it afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { killNow, markedProcesses, serversOf, sleep } from '../test/support/processes.ts';
import {
  gtDaemon,
  makeTown,
  startDaemonProcess,
  type DaemonProcess,
  type RealTown,
  type RigPlan,
} from '../test/support/real-town.ts';

/** As the launcher `gt` does: compiled code is kept between runs, in a place of the bench's own. */
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'gt-bench-compile-cache');

const READY_WAIT_MS = 60_000;

export const startDaemon = (made: RealTown): Promise<DaemonProcess> =>
  startDaemonProcess(made.town, gtDaemon(made.town), READY_WAIT_MS);

/** Makes a town, lets `work` measure it, and ends whatever runs of it. */
export async function withTown<T>(rigs: readonly RigPlan[], work: (made: RealTown) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gt-bench-'));
  const made = await makeTown(folder, rigs);
  const end = (): void => {
    const { town } = made;
    for (const { pid } of [...serversOf(town.paths.root), ...markedProcesses(town.identity.id)]) killNow(pid);
    rmSync(town.identity.socketDir, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const onInterrupt = (): void => {
    end();
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  try {
    return await work(made);
  } finally {
    process.off('SIGINT', onInterrupt);
    end();
  }
}

/** Looks until `look` answers something. */
export async function until<T>(look: () => T | null | Promise<T | null>, what: string, waitMs: number): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${String(waitMs)} ms`);
    await sleep(2);
  }
}
