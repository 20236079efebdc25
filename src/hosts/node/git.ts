import { execFile } from 'node:child_process';

/** A remote that does not answer within this is not reachable for work either. */
const GIT_TIMEOUT_MS = 30_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

export interface GitAnswer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one short git command for checks at the edge. Never asks for a password, never runs a repository's hooks. */
export function git(args: readonly string[], cwd?: string, timeoutMs: number = GIT_TIMEOUT_MS): Promise<GitAnswer> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '', LC_ALL: 'C' };
  const options = { cwd, env, timeout: timeoutMs, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise((resolve) => {
    execFile(
      'git',
      ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', ...args],
      options,
      (error, stdout, stderr) => {
        resolve({ ok: error === null, stdout, stderr: stderr === '' && error !== null ? error.message : stderr });
      },
    );
  });
}
