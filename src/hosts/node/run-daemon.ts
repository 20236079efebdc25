import { Daemon } from './daemon.ts';
import { makeTownService } from './make-service.ts';
import type { Town } from './town-files.ts';

/** Runs the daemon until SIGTERM or SIGINT; SIGHUP reloads its configuration. Errors: those of `Daemon.start`. */
export async function runDaemon(town: Town, echo: ((line: string) => void) | undefined): Promise<void> {
  const stopAsked = new Promise<string>((resolve) => {
    process.on('SIGTERM', () => {
      resolve('SIGTERM');
    });
    process.on('SIGINT', () => {
      resolve('SIGINT');
    });
  });
  const daemon = await Daemon.start({ town, makeService: makeTownService, echo, superviseRunner: true });
  process.on('SIGHUP', () => {
    void daemon.reload();
  });
  await daemon.stop(await stopAsked);
}
