import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';

import type { Repo } from '../../api/contract/runner.ts';
import { pinned, type GitPlace } from '../git/git.ts';
import type { RigRepo } from '../git/repos.ts';
import { GIT_LOCAL_TIMEOUT_MS, SCAN_BYTES_MAX, SCAN_FOUND_MAX, SCAN_LINE_CHARS_MAX } from '../limits.ts';
import { plain } from '../text.ts';
import { SECRET_RULES } from './rules.ts';

/** Where something that looks like a key was added; never the key itself. */
export interface SecretFound {
  readonly rule: string;
  readonly commit: string;
  readonly path: string;
  readonly line: number;
  /** Of this key in this file, for the list of what is allowed; a hash of a key gives nothing of it away. */
  readonly mark: string;
}

const MARK_CHARS = 12;

/**
 * Looks for keys in the lines that commits add, each commit by itself: what a later one takes out again is pushed with its
 * history all the same. Bounded: the first 64 MiB of changes are read, of each line its first part; binary files are not.
 * `range` is what `git log` takes. Errors: when git fails.
 */
export async function scanAdded(
  place: GitPlace,
  range: readonly string[],
  allowed: readonly string[],
): Promise<readonly SecretFound[]> {
  const reader = new AddedLines(allowed);
  await eachLine(place, range, (line) => reader.take(line));
  return reader.found;
}

/** The same for a range that is to be pushed, as its rig's settings say; what the origin has is known there already. */
export function secretsIn(
  repo: RigRepo,
  origin: Pick<Repo, 'secretsAllowed'> | null,
  range: readonly string[],
): Promise<readonly SecretFound[]> {
  const allowed = origin?.secretsAllowed ?? [];
  if (origin?.secretsAllowed === null) return Promise.resolve([]);
  return scanAdded(repo.place, [...range, '--not', '--remotes=origin'], allowed);
}

/** Follows the output of `git log -p` and knows which file and line it is at. */
class AddedLines {
  readonly found: SecretFound[] = [];
  readonly #allowed: readonly string[];
  #commit = '';
  #path = '';
  #line = 0;
  /** How many columns of signs a line has: one, and for a merge one for each parent. */
  #signs = 1;
  #inHunk = false;

  constructor(allowed: readonly string[]) {
    this.#allowed = allowed;
  }

  /** False: enough was found. */
  take(line: string): boolean {
    if (line.startsWith('\u0001')) {
      this.#commit = line.slice(1);
      this.#inHunk = false;
    } else if (line.startsWith('diff --')) this.#inHunk = false;
    else if (!this.#inHunk && line.startsWith('+++ ')) this.#path = pathOf(line.slice('+++ '.length));
    else if (line.startsWith('@@')) this.#hunk(line);
    else if (this.#inHunk) this.#changed(line);
    return this.found.length < SCAN_FOUND_MAX;
  }

  #hunk(line: string): void {
    const head = /^(@+) .*?\+(\d+)(?:,\d+)? @+/.exec(line);
    if (head === null) return;
    this.#signs = (head[1] ?? '@@').length - 1;
    this.#line = Number(head[2]);
    this.#inHunk = true;
  }

  #changed(line: string): void {
    const signs = line.slice(0, this.#signs);
    if (signs.includes('-') || signs.startsWith('\\')) return;
    if (signs.includes('+')) this.#judge(line.slice(this.#signs, this.#signs + SCAN_LINE_CHARS_MAX));
    this.#line += 1;
  }

  #judge(text: string): void {
    for (const { name, pattern } of SECRET_RULES) {
      const match = pattern.exec(text);
      if (match === null) continue;
      const key = match.groups?.['key'] ?? match[0];
      const mark = createHash('sha256').update(`${this.#path}\0${key}`).digest('hex').slice(0, MARK_CHARS);
      if (isAllowed(this.#allowed, { rule: name, path: this.#path, mark })) continue;
      this.found.push({ rule: name, commit: this.#commit, path: plain(this.#path), line: this.#line, mark });
    }
  }
}

/** A path, a folder with `/` at its end, a rule as `rule:<name>`, or the mark of one key. */
export function isAllowed(
  allowed: readonly string[],
  found: { readonly rule: string; readonly path: string; readonly mark: string },
): boolean {
  return allowed.some(
    (entry) =>
      entry === found.path ||
      entry === found.mark ||
      entry === `rule:${found.rule}` ||
      (entry.endsWith('/') && found.path.startsWith(entry)),
  );
}

/** Git quotes a name with odd characters; then it is shown as it is quoted. */
const pathOf = (shown: string): string => shown.replace(/^"?b\//, '').replace(/"?\t?$/, '');

function eachLine(place: GitPlace, range: readonly string[], take: (line: string) => boolean): Promise<void> {
  const args = [
    '-c',
    'core.quotePath=false',
    'log',
    '--format=%x01%H',
    '--patch',
    '--unified=0',
    '--diff-merges=dense-combined',
  ];
  args.push(
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--src-prefix=a/',
    '--dst-prefix=b/',
    '--submodule=short',
    '--no-show-signature',
    '--no-color',
    '--no-indent-heuristic',
    ...range,
    '--',
  );
  const { command, words, options } = pinned(place, args);
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...words], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: GIT_LOCAL_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let rest = '';
    let bytes = 0;
    let isEnough = false;
    const stop = (): void => {
      isEnough = true;
      child.kill('SIGKILL');
    };
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => {
      if (isEnough) return;
      bytes += chunk.length;
      const lines = (rest + chunk).split('\n');
      // Of a line without an end the first part is enough.
      rest = (lines.pop() ?? '').slice(0, 2 * SCAN_LINE_CHARS_MAX);
      for (const line of lines) if (!take(line)) return stop();
      if (bytes > SCAN_BYTES_MAX) stop();
      return undefined;
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(0, 1_000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (rest !== '' && !isEnough) take(rest);
      if (code === 0 || isEnough) resolve();
      else reject(new Error(`git log: ${plain(said.trim())}`));
    });
  });
}

/** What its agent, or a person, is told: where, and never what. */
export function secretMessage(found: readonly SecretFound[]): { readonly message: string; readonly next: string } {
  const places = found.map(
    ({ path, line, rule, commit, mark }) =>
      `${path}:${String(line)} (${rule}, commit ${commit.slice(0, 12)}, mark ${mark})`,
  );
  return {
    message: `What looks like a key was added: ${places.join('; ')}. Nothing is pushed with it.`,
    next: 'Take it out of the commits themselves, not in a later one: for example "git reset --soft $GT_BASE_SHA", remove it, commit again, then gt done. A key that was real is to be changed where it is from. If it is none: ask the owner to put its mark or path into secrets_allowed.',
  };
}
