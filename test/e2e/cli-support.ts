import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const RUN_TIMEOUT_MS = 90_000;

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A folder for one test file, with `gt` as a person without any settings would run it. */
export class Place {
  readonly root: string;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'gt-cli-'));
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  file(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  read(...parts: readonly string[]): string {
    return readFileSync(this.path(...parts), 'utf8');
  }

  env(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([key]) => !/^(GT_|NO_COLOR|FORCE_COLOR|CI$|XDG_RUNTIME_DIR)/.test(key),
    );
    return { ...Object.fromEntries(kept), HOME: this.root, GIT_CONFIG_GLOBAL: '/dev/null', ...more };
  }

  gt(args: readonly string[], options: RunOptions = {}): Promise<Answer> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', MAIN, ...args],
        { cwd: options.cwd ?? this.root, env: this.env(options.env), timeout: RUN_TIMEOUT_MS, maxBuffer: 1e8 },
        (error, out, err) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, out, err });
        },
      );
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Runs with --json and reads the answer, which must be a success. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    const answer = await this.gt([...args, '--json'], options);
    if (answer.code !== 0) throw new Error(`gt ${args.join(' ')} ended with ${String(answer.code)}: ${answer.err}`);
    return JSON.parse(answer.out) as T;
  }

  /** A bare repository with one commit, as an origin. */
  origin(name: string): string {
    const work = this.path(`${name}-work`);
    const bare = this.path(`${name}.git`);
    mkdirSync(work);
    const git = (...args: readonly string[]): unknown =>
      execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e@example.com', ...args], {
        cwd: work,
        env: this.env(),
        stdio: 'pipe',
      });
    git('init', '-q', '-b', 'main');
    writeFileSync(join(work, 'a.txt'), 'one\n');
    git('add', '.');
    git('commit', '-qm', 'one');
    git('clone', '-q', '--bare', '.', bare);
    return bare;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Looks again until `check` answers something; fails after `limitMs`. */
export async function until<T>(check: () => Promise<T | null> | T | null, what: string, limitMs = 30_000): Promise<T> {
  const deadlineMs = Date.now() + limitMs;
  for (;;) {
    const found = await check();
    if (found !== null) return found;
    if (Date.now() > deadlineMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
