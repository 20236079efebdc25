import { flushCompileCache } from 'node:module';
import { Daemon } from './daemon.ts';
import { makeTownService } from './make-service.ts';
import type { Town } from './town-files.ts';

/** After the first requests, which load what is loaded late. */
const CACHE_FLUSH_MS = 3_000;

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
  // Node writes its cache of compiled code at a clean exit only; the next start after a kill is the one that needs it.
  setTimeout(flushCompileCache, CACHE_FLUSH_MS).unref();
  await daemon.stop(await stopAsked);
}
