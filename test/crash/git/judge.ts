/** What must hold of the origin and of the town's clone at the end of a life, asked of git alone. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BeadDetail } from '../../../src/core/queries.ts';
import { git } from '../../support/real-town.ts';
import { fileOf, type GitHistory, type Life, textOf } from './histories.ts';

export class Judge {
  readonly #origin: string;
  readonly #bare: string;
  readonly #pool: string;

  constructor(at: { readonly origin: string; readonly root: string; readonly rig: string }) {
    this.#origin = at.origin;
    this.#bare = join(at.root, '.gastown', 'repos', `${at.rig}.git`);
    this.#pool = join(at.root, '.gastown', 'worktrees', at.rig);
  }

  target(): string {
    return git(['rev-parse', 'refs/heads/main'], this.#origin).trim();
  }

  /** What does not hold of one bead and of both repositories. */
  life(
    history: GitHistory,
    life: Life,
    { before, detail }: { readonly before: string; readonly detail: BeadDetail },
  ): readonly string[] {
    const wrong = [...this.merged(life, before, detail)];
    const kept = history.kept?.(life);
    if (kept !== undefined) {
      const found = git(['log', '--all', '--format=%H', `--grep=^${kept.subject}$`], this.#bare).trim();
      if (found === '') wrong.push(`the commit "${kept.subject}" is in no ref`);
      const files = git(['log', '--all', '-m', '--name-only', '--format=', '--', kept.file], this.#bare).trim();
      if (files === '') wrong.push(`${kept.file} is in no ref`);
    }
    return [...wrong, ...this.repositories()];
  }

  /** A bead is on the target, once, and on its public branch. */
  merged(life: Life, before: string, detail: BeadDetail): readonly string[] {
    const wrong: string[] = [];
    const must = (holds: boolean, sentence: string): void => {
      if (!holds) wrong.push(`${detail.id}: ${sentence}`);
    };
    must(detail.closeReason === 'merged', `it ended as ${String(detail.closeReason ?? detail.status)}`);
    const after = this.target();
    must(this.#holds(['merge-base', '--is-ancestor', before, after]), 'the target lost what it had');
    must(this.#show(`main:${fileOf(life)}`) === textOf(life), 'the target does not hold the work');
    const merges = git(['rev-list', '--first-parent', `--grep=${detail.id}`, `${before}..${after}`], this.#origin);
    must(merges.trim().split('\n').length === 1, `merged ${String(merges.trim().split('\n').length)} times`);
    must(this.#show(`gt/${detail.id}:${fileOf(life)}`) === textOf(life), 'the public branch does not hold the work');
    return wrong;
  }

  /** Every commit of the target is free of what the gate refuses; what it ever stood at has a tree that passed the gates. */
  neverBroken(before: string, hasPassed: (tree: string) => boolean): readonly string[] {
    const wrong: string[] = [];
    const range = `${before}..${this.target()}`;
    for (const commit of linesOf(git(['rev-list', '--first-parent', range], this.#origin)))
      if (this.#holds(['grep', '-q', '^red$', commit, '--', 'life-*.txt']))
        wrong.push(`${commit} of the target is red`);
    const stoodAt = linesOf(git(['reflog', 'show', '--format=%H', 'refs/heads/main'], this.#origin));
    for (const commit of stoodAt.slice(0, stoodAt.indexOf(before))) {
      const tree = git(['rev-parse', `${commit}^{tree}`], this.#origin).trim();
      if (!hasPassed(tree)) wrong.push(`the target stood at ${commit}, which never passed the gates`);
    }
    return wrong;
  }

  /** Both repositories are whole, and nothing is locked, half made or set aside. */
  repositories(): readonly string[] {
    return [...[this.#origin, this.#bare].flatMap(fsck), ...this.#leftovers()];
  }

  #leftovers(): readonly string[] {
    const names = readdirSync(this.#bare, { recursive: true, encoding: 'utf8' });
    const locks = names.filter((name) => name.endsWith('.lock') || /worktrees\/[^/]+\/locked$/.test(name));
    const aside = existsSync(this.#pool) ? readdirSync(this.#pool).filter((name) => name.includes('.found-')) : [];
    return [...locks, ...aside].map((name) => `left over: ${name}`);
  }

  #holds(args: readonly string[]): boolean {
    try {
      git(args, this.#origin);
      return true;
    } catch {
      return false;
    }
  }

  #show(name: string): string | null {
    try {
      return git(['show', name], this.#origin);
    } catch {
      return null;
    }
  }
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** Errors only: what nothing refers to is no harm. */
function fsck(place: string): readonly string[] {
  try {
    execFileSync('git', ['fsck', '--full', '--no-dangling', '--no-progress'], { cwd: place, stdio: 'pipe' });
    return [];
  } catch (error) {
    return [`git fsck of ${place}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
