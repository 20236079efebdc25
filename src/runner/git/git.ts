import { spawn } from 'node:child_process';

import { ERROR_CHARS_MAX, GIT_LOCAL_TIMEOUT_MS, GIT_OUTPUT_BYTES_MAX } from '../limits.ts';
import { plain, tail } from '../text.ts';

/** The repository a command is pinned to; git never searches from the current directory. */
export interface GitPlace {
  /** Town id and name of this runner: they mark our own git processes too, so that a successor's sweep ends what a killed runner left behind. */
  readonly town: string;
  readonly runner: string;
  readonly gitDir: string;
  /** Folder with the settings that count (`own-settings.ts`); without it the repository's own do. */
  readonly common?: string;
  readonly workTree?: string;
}

export interface GitOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Exit codes that are answers; others throw `GitError`. Default: 0 only. */
  readonly ok?: readonly number[];
}

export interface GitOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A git command that did not do what was asked. `stderr` is cut and clean enough to show. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly code: number | null;
  readonly stderr: string;

  constructor(command: string, code: number | null, stderr: string) {
    super(`git ${command}: ${stderr === '' ? `exit code ${String(code)}` : stderr}`);
    this.code = code;
    this.stderr = stderr;
  }
}

/** Nothing that a repository configures may run or talk behind our back; nothing may ask. */
const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'commit.gpgSign=false',
  'protocol.ext.allow=never',
  'advice.detachedHead=false',
  'core.fsync=committed,reference',
  'fetch.recurseSubmodules=false',
  'submodule.recurse=false',
  'core.untrackedCache=false',
].flatMap((entry) => ['-c', entry]);

/** Of git's own variables only those that say how to reach a remote are kept. */
const GIT_VARIABLES_KEPT = new Set([
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'GIT_ASKPASS',
  'GIT_SSL_CAINFO',
  'GIT_CONFIG_GLOBAL',
  'GIT_EXEC_PATH',
]);

/** Runs one git command in one repository. Errors: `GitError` for any exit code that is not in `ok`, and for time-outs. */
export function git(place: GitPlace, args: readonly string[], options: GitOptions = {}): Promise<GitOutput> {
  const { command, words, options: pins } = pinned(place, args, options.env);
  const child = spawn(command, [...words], {
    ...pins,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? GIT_LOCAL_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(new GitError(args[0] ?? '', null, error.message));
    });
    child.on('close', (code, signal) => {
      const errors = tail(plain(stderr().trim()), ERROR_CHARS_MAX);
      if (code !== null && (options.ok ?? [0]).includes(code)) resolve({ code, stdout: stdout(), stderr: errors });
      else
        reject(
          new GitError(args[0] ?? '', code, signal === null ? errors : `ended by ${signal} (time limit?) ${errors}`),
        );
    });
  });
}

/** How a git command is started so that it works in its repository only and runs nothing that this one configures. */
export function pinned(
  place: GitPlace,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): {
  readonly command: string;
  readonly words: readonly string[];
  readonly options: { readonly cwd: string; readonly env: Record<string, string> };
} {
  const where = [
    `--git-dir=${place.gitDir}`,
    ...(place.workTree === undefined ? [] : [`--work-tree=${place.workTree}`]),
  ];
  const marks = { GT_TOWN: place.town, GT_RUNNER: place.runner, GT_ATTEMPT: 'runner-git' };
  const common: Record<string, string> = place.common === undefined ? {} : { GIT_COMMON_DIR: place.common };
  return {
    command: 'git',
    words: [...where, ...CONFIG, ...args],
    options: { cwd: place.workTree ?? '/', env: { ...baseEnvironment(), ...common, ...env, ...marks } },
  };
}

/** First line of the output of a command that answers one value. */
export async function gitLine(place: GitPlace, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await git(place, args, options)).stdout.trim();
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= GIT_OUTPUT_BYTES_MAX) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function baseEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || name.startsWith('GT_')) continue;
    if (!name.startsWith('GIT_') || GIT_VARIABLES_KEPT.has(name)) env[name] = value;
  }
  env['GIT_TERMINAL_PROMPT'] = '0';
  env['GIT_CONFIG_NOSYSTEM'] = '1';
  env['GIT_OPTIONAL_LOCKS'] = '0';
  // Refs that an agent may write must not change what a commit is.
  env['GIT_NO_REPLACE_OBJECTS'] = '1';
  // No clone of ours is partial; what an agent wrote must not have objects fetched from where it says.
  env['GIT_NO_LAZY_FETCH'] = '1';
  env['GIT_SSH_COMMAND'] ??= 'ssh -o BatchMode=yes';
  env['LC_ALL'] = 'C';
  return env;
}
