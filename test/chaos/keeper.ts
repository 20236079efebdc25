/** Keeps the daemon up the way a service manager does: whatever ends it, it is started again. */
import { join } from 'node:path';

import { killNow, sleep } from '../support/processes.ts';
import { spawnDaemon, startDaemonProcess, type DaemonProcess } from '../support/real-town.ts';
import type { Stage } from './stage.ts';

const program = (stage: Stage): readonly string[] => [
  join(import.meta.dirname, 'daemon-main.ts'),
  '--town',
  stage.town.paths.root,
];
/** A restart takes a second; on a machine that others load, some. */
const READY_WAIT_MS = 30_000;

export class Keeper {
  readonly #stage: Stage;
  #daemon: DaemonProcess | null = null;
  /** Milliseconds from spawn to ready, of each start. */
  readonly readyMs: number[] = [];
  /** Daemons that ended without being asked to: a crash is a finding. */
  readonly crashes: string[] = [];
  #asked = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  async start(): Promise<void> {
    const daemon = await startDaemonProcess(this.#stage.town, program(this.#stage), READY_WAIT_MS);
    this.#daemon = daemon;
    this.#asked = false;
    this.readyMs.push(daemon.readyMs);
    void daemon.ended.then((end) => {
      if (!this.#asked) this.crashes.push(`daemon ${String(daemon.pid)} ended by itself: ${end}`);
    });
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === null) throw new Error('there is no daemon to kill');
    this.#asked = true;
    killNow(daemon.pid);
    await daemon.ended;
  }

  /** A daemon that is killed while it comes up, however far it got. */
  async startAndKill(afterMs: number): Promise<void> {
    const daemon = spawnDaemon(this.#stage.town, program(this.#stage));
    await sleep(afterMs);
    killNow(daemon.pid);
    await daemon.ended;
  }

  /** The end that was asked for is no crash. */
  expectEnd(): void {
    this.#asked = true;
  }

  async waitEnd(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === null) return;
    const late = setTimeout(() => killNow(daemon.pid), READY_WAIT_MS);
    await daemon.ended;
    clearTimeout(late);
  }
}
