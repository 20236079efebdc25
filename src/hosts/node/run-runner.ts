import { precondition } from '../../core/errors.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import { parseListenAddress } from '../../settings/listen-address.ts';
import { readTokenFile, startRemoteRunner } from '../../runner/remote.ts';

const TOKEN_VARIABLE = 'GT_RUNNER_TOKEN';

export interface RunRunner {
  readonly url: string;
  readonly dir: string;
  readonly tokenFile: string | null;
  readonly env: NodeJS.ProcessEnv;
  readonly listen: string | null;
  readonly capacity: number | null;
  readonly labels: readonly string[];
  readonly insecure: boolean;
}

/**
 * Runs a runner in the foreground until SIGTERM or SIGINT: then its agents end in order and their work is kept.
 * Errors: `no_token`, `bad_listen`, those of `startRemoteRunner`.
 */
export async function runRemoteRunner(options: RunRunner): Promise<void> {
  const { tokenFile } = options;
  const variable = options.env[TOKEN_VARIABLE];
  // Agents get an environment of their own, but children of ours should not see it either.
  delete options.env[TOKEN_VARIABLE];
  if (tokenFile === null && variable === undefined)
    throw precondition(
      'no_token',
      'This runner has no token, so the town would not know it.',
      `Make one in the town with "gt runner add <name>" and give it with --token-file, or in ${TOKEN_VARIABLE}.`,
    );
  const runner = await startRemoteRunner({
    ...options,
    token: () => (tokenFile === null ? Promise.resolve(variable ?? '') : readTokenFile(tokenFile)),
    listen: options.listen === null ? null : parseListenAddress(options.listen, '--listen'),
    log: lineLog(),
  });
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      resolve();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
  await runner.stop();
}

/** JSON lines on standard error, which whoever started us keeps. */
function lineLog(): Log {
  const line =
    (level: string) =>
    (text: string, fields: LogFields = {}): void => {
      process.stderr.write(`${JSON.stringify({ level, at: new Date().toISOString(), text, ...fields })}\n`);
    };
  return { info: line('info'), warn: line('warn'), error: line('error') };
}
