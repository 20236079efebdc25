import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Log } from '../../ports/log.ts';
import { POOL_NAMES_MAX, POOL_SPARES } from '../limits.ts';
import { rigWorktrees, type RunnerPaths } from '../paths.ts';
import type { WorktreeStore } from '../store/worktrees.ts';
import { errorText } from '../text.ts';
import { GitError } from './git.ts';
import type { RigRepo } from './repos.ts';
import {
  cleanWorktree,
  fillWorktree,
  isLinked,
  makeWorktree,
  removeStaleLocks,
  type Worktree,
  worktreeAt,
} from './worktree.ts';

/** `w`: agents' worktrees. `gate`: worktrees that gates run in; apart, so that a gate never meets an agent's leftovers. */
export type PoolKind = 'w' | 'gate';

/** Worktrees that are kept clean for the next user: a checkout costs what differs, a new worktree costs every file. */
export class WorktreePool {
  readonly #paths: RunnerPaths;
  readonly #store: WorktreeStore;
  readonly #log: Log;
  readonly #filling = new Map<string, Promise<void>>();

  constructor(paths: RunnerPaths, store: WorktreeStore, log: Log) {
    this.#paths = paths;
    this.#store = store;
    this.#log = log;
  }

  /** A clean worktree that belongs to `owner` from now on; a repeat answers the same one. Errors: `GitError`. */
  async acquire(
    repo: RigRepo,
    kind: PoolKind,
    use: { readonly owner: string; readonly commit: string; readonly at?: string | undefined },
  ): Promise<Worktree> {
    const present = this.#store.ownedBy(use.owner);
    const free = this.#store.list(repo.rig).filter((each) => each.state === 'free' && kindOf(each.name) === kind);
    // Where it was before, if it is free: programs find their session only from the folder that it was held in.
    const row = present ?? free.find((each) => this.#tree(repo, each.name).path === use.at) ?? free[0];
    if (row === undefined)
      return this.#make(repo, this.#nextName(repo.rig, kind), { owner: use.owner, commit: use.commit });
    const tree = this.#tree(repo, row.name);
    this.#store.set({ rig: repo.rig, name: row.name, state: 'owned', owner: use.owner });
    if (await isLinked(tree)) {
      await removeStaleLocks(tree);
      return tree;
    }
    return this.#make(repo, row.name, { owner: use.owner, commit: use.commit });
  }

  ownedTree(repo: RigRepo, owner: string): Worktree | null {
    const row = this.#store.ownedBy(owner);
    return row === null ? null : this.#tree(repo, row.name);
  }

  /** Gives a worktree back. The caller has rescued and verified whatever was in it. Never throws: a broken one is remade. */
  async release(repo: RigRepo, owner: string): Promise<void> {
    const row = this.#store.ownedBy(owner);
    if (row === null) return;
    const clean = await cleanWorktree(this.#tree(repo, row.name)).then(
      () => true,
      () => false,
    );
    this.#store.set({ rig: repo.rig, name: row.name, state: clean ? 'free' : 'making', owner: null });
  }

  /** Keeps a worktree whose work could not be rescued: nobody else gets it, nothing is deleted until it is released. */
  keep(repo: RigRepo, owner: string): string | null {
    const row = this.#store.ownedBy(owner);
    if (row === null) return null;
    this.#store.set({ rig: repo.rig, name: row.name, state: 'kept', owner });
    return this.#tree(repo, row.name).path;
  }

  /** Makes spare worktrees in the background, so that the next starts find one. */
  fill(repo: RigRepo, commit: string): void {
    if (this.#filling.has(repo.rig)) return;
    const work = this.#fill(repo, commit)
      .catch((error: unknown) => {
        this.#log.warn('spare worktree not made', { rig: repo.rig, error: errorText(error) });
      })
      .finally(() => {
        this.#filling.delete(repo.rig);
      });
    this.#filling.set(repo.rig, work);
  }

  /** Waits for background work to end. */
  async settled(): Promise<void> {
    await Promise.all(this.#filling.values());
  }

  async #fill(repo: RigRepo, commit: string): Promise<void> {
    for (let made = 0; made < POOL_SPARES; made += 1) {
      const free = this.#store.list(repo.rig).filter((row) => row.state === 'free' && kindOf(row.name) === 'w');
      if (free.length >= POOL_SPARES) return;
      await this.#make(repo, this.#nextName(repo.rig, 'w'), { owner: null, commit });
    }
  }

  /** A name is taken while it is in the table, unless its making was cut short, or when something unknown lies there. */
  #nextName(rig: string, kind: PoolKind): string {
    const rows = this.#store.list(rig);
    for (let number = 1; number <= POOL_NAMES_MAX; number += 1) {
      const name = `${kind}${String(number)}`;
      const row = rows.find((each) => each.name === name);
      if (row === undefined ? !existsSync(join(rigWorktrees(this.#paths, rig), name)) : row.state === 'making')
        return name;
    }
    throw new GitError('worktree', null, `all ${String(POOL_NAMES_MAX)} worktrees of rig ${rig} are in use`);
  }

  async #make(
    repo: RigRepo,
    name: string,
    use: { readonly owner: string | null; readonly commit: string },
  ): Promise<Worktree> {
    const tree = this.#tree(repo, name);
    // Owned from the first moment: a second caller gets another name, and after a crash the row says what was going on.
    this.#store.set({ rig: repo.rig, name, state: 'owned', owner: use.owner ?? `making:${repo.rig}/${name}` });
    try {
      await repo.writer.run(() => makeWorktree(repo, tree, use.commit));
      await fillWorktree(tree);
    } catch (error) {
      this.#store.set({ rig: repo.rig, name, state: 'making', owner: null });
      throw error;
    }
    this.#store.set({ rig: repo.rig, name, state: use.owner === null ? 'free' : 'owned', owner: use.owner });
    return tree;
  }

  #tree(repo: RigRepo, name: string): Worktree {
    return worktreeAt(repo, join(rigWorktrees(this.#paths, repo.rig), name));
  }

  /** After a restart: rows that no attempt owns (half made, gates of a killed runner) may be made anew. */
  heal(attemptsAlive: ReadonlySet<string>): void {
    for (const row of this.#store.owned()) {
      if (row.owner !== null && attemptsAlive.has(row.owner)) continue;
      this.#store.set({ rig: row.rig, name: row.name, state: 'making', owner: null });
    }
  }
}

const kindOf = (name: string): PoolKind => (name.startsWith('gate') ? 'gate' : 'w');
