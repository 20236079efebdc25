import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { TownError } from '../core/errors.ts';
import type { Log, LogFields } from '../ports/log.ts';
import { startRunner } from './runner.ts';

/** `EX_TEMPFAIL`: another runner lives; the same start may succeed later. */
const EXIT_BUSY = 75;

/** JSON lines on standard error, which whoever started us keeps. */
const line =
  (level: string) =>
  (text: string, fields: LogFields = {}): void => {
    process.stderr.write(`${JSON.stringify({ level, at: new Date().toISOString(), text, ...fields })}\n`);
  };
const log: Log = { info: line('info'), warn: line('warn'), error: line('error') };

try {
  const { values } = parseArgs({ options: { town: { type: 'string' } } });
  if (values.town === undefined)
    throw new TownError('usage', 'no_town', {
      message: 'No town is given.',
      next: 'Run: node src/runner/main.ts --town <folder>',
    });
  const runner = await startRunner({ townRoot: resolve(values.town), log });
  // SIGTERM and SIGINT end agents in order and rescue their work; SIGKILL leaves both to the next runner.
  const stop = (): void => {
    void runner.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('shutdown failed', { error: error instanceof Error ? error.message : 'unknown' });
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  const known =
    error instanceof TownError
      ? `${error.message} ${error.next}`
      : `The runner failed: ${error instanceof Error ? error.message : String(error)}`;
  process.stderr.write(`${known}\n`);
  process.exitCode = error instanceof TownError && error.kind === 'busy' ? EXIT_BUSY : 1;
}
