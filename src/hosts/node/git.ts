import { execFile } from 'node:child_process';

/** A remote that does not answer within this is not reachable for work either. */
const GIT_TIMEOUT_MS = 30_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** Refs of work are kept always, at some 100 bytes a line: 2.5 million of them. Half of what a text can hold here. */
const LINES_BYTES_MAX = 256 * 1024 * 1024;
/** A list may look at each of the commits, on a slow disk and with refs that are not packed. */
const LINES_TIMEOUT_MS = 5 * 60_000;

/**
 * For what moves the content of a repository: gigabytes at disk speed, or all that agents left over a slow line. What takes
 * longer hangs.
 */
export const CONTENT_TIMEOUT_MS: number = 30 * 60_000;

export interface GitAnswer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export type GitLines = { readonly lines: readonly string[] } | { readonly problem: string };

/** Asks git for a list that grows with the town. The whole of it or what is in the way: never a part. */
export async function gitLines(gitDir: string, args: readonly string[]): Promise<GitLines> {
  const answer = await git([`--git-dir=${gitDir}`, ...args], undefined, LINES_TIMEOUT_MS, LINES_BYTES_MAX);
  if (!answer.ok) return { problem: answer.stderr.trim() };
  return { lines: answer.stdout.split('\n').filter((line) => line !== '') };
}

/** Runs one short git command for checks at the edge. Never asks for a password, never runs a repository's hooks. */
export function git(
  args: readonly string[],
  cwd?: string,
  timeoutMs: number = GIT_TIMEOUT_MS,
  outputBytesMax: number = OUTPUT_BYTES_MAX,
): Promise<GitAnswer> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '', LC_ALL: 'C' };
  const options = { cwd, env, timeout: timeoutMs, maxBuffer: outputBytesMax };
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
