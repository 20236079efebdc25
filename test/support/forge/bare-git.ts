/** Git in the bare repository behind a fake code host. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

export type Style = 'merge' | 'squash' | 'rebase';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Forge',
  GIT_AUTHOR_EMAIL: 'forge@example.org',
  GIT_COMMITTER_NAME: 'Forge',
  GIT_COMMITTER_EMAIL: 'forge@example.org',
};

/** Empty when there is no such file. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** One bare repository: its refs are the truth that the fake host shows. */
export class BareGit {
  readonly path: string;
  readonly #answers = new Map<string, boolean>();

  constructor(path: string) {
    this.path = path;
  }

  run(...args: readonly string[]): string {
    return execFileSync('git', ['--git-dir', this.path, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...IDENTITY },
    }).trim();
  }

  isOk(...args: readonly string[]): boolean {
    return spawnSync('git', ['--git-dir', this.path, ...args], { stdio: 'ignore' }).status === 0;
  }

  /** Read from the files: a process per question would take most of a test's time. */
  branches(): ReadonlyMap<string, string> {
    const packed = readText(join(this.path, 'packed-refs'))
      .split('\n')
      .map((line) => /^([0-9a-f]{40}) refs\/heads\/(.+)$/.exec(line))
      .flatMap((found) => (found === null ? [] : [[found[2] ?? '', found[1] ?? ''] as const]));
    const heads = join(this.path, 'refs', 'heads');
    const loose = readdirSync(heads, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(heads, path), readText(path).trim()] as const)
      // One that is gone since the folder was read.
      .filter(([, sha]) => sha !== '');
    return new Map([...packed, ...loose]);
  }

  tip(branch: string): string {
    const sha = this.branches().get(branch);
    if (sha === undefined) throw new Error(`there is no branch ${branch}`);
    return sha;
  }

  isAncestor(older: string, younger: string): boolean {
    return older === younger || this.#known(['merge-base', '--is-ancestor', older, younger]);
  }

  isClean(base: string, head: string): boolean {
    return this.#known(['merge-tree', '--write-tree', base, head]);
  }

  /** Of commits, so an answer holds for ever. */
  #known(question: readonly string[]): boolean {
    const key = question.join(' ');
    const known = this.#answers.get(key) ?? this.isOk(...question);
    this.#answers.set(key, known);
    return known;
  }

  /** A commit with one file changed on top of `parent`; it is on no branch yet. */
  commit(parent: string, file: string, text: string, message = `Change ${file}`): string {
    const input = [
      'commit refs/forge/made',
      'committer Forge <forge@example.org> 1767225600 +0000',
      `data ${String(Buffer.byteLength(message))}`,
      message,
      `from ${parent}`,
      `M 100644 inline ${file}`,
      `data ${String(Buffer.byteLength(text))}`,
      text,
      '',
    ].join('\n');
    execFileSync('git', ['--git-dir', this.path, 'fast-import', '--quiet', '--force'], {
      input,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    return readText(join(this.path, 'refs', 'forge', 'made')).trim();
  }

  setBranch(branch: string, sha: string): void {
    this.run('update-ref', `refs/heads/${branch}`, sha);
  }

  /** Brings `head` to `base` in one of the host's styles, and answers the new tip. */
  merge(base: string, head: string, style: Style, message: string): string {
    const tip = this.tip(base);
    const made = style === 'rebase' ? this.#rebase(tip, head) : this.#join(tip, head, style, message);
    this.run('update-ref', `refs/heads/${base}`, made, tip);
    return made;
  }

  #join(tip: string, head: string, style: Style, message: string): string {
    const tree = this.run('merge-tree', '--write-tree', tip, head).split('\n')[0] ?? '';
    return this.run('commit-tree', tree, '-p', tip, ...(style === 'merge' ? ['-p', head] : []), '-m', message);
  }

  #rebase(tip: string, head: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'gt-forge-rebase-'));
    try {
      this.run('worktree', 'add', '-q', '--detach', folder, head);
      execFileSync('git', ['-C', folder, 'rebase', '-q', tip], {
        env: { ...process.env, ...IDENTITY },
        stdio: 'ignore',
      });
      return execFileSync('git', ['-C', folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
    } finally {
      this.isOk('worktree', 'remove', '--force', folder);
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** A fresh bare repository with one commit on `main`. */
export function makeBare(path: string): BareGit {
  execFileSync('git', ['init', '-q', '--bare', '--template=', '-b', 'main', path]);
  const git = new BareGit(path);
  const tree = execFileSync('git', ['--git-dir', path, 'mktree'], { input: '', encoding: 'utf8' }).trim();
  git.setBranch('main', git.run('commit-tree', tree, '-m', 'Start'));
  return git;
}
