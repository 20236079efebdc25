import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Repo } from '../../api/contract/runner.ts';
import { GIT_CLONE_TIMEOUT_MS, GIT_NETWORK_TIMEOUT_MS } from '../limits.ts';
import { Mutex } from '../mutex.ts';
import { bareRepo, type RunnerPaths } from '../paths.ts';
import { CLONE_SETTINGS, EVERY_BRANCH, NO_PUSH } from './clone-settings.ts';
import { git, GitError, type GitPlace } from './git.ts';
import { checkBranch } from '../../core/branch-name.ts';
import { checkUrl } from './names.ts';
import { hasOwnSettings, makeOwnSettings, ownSettings } from './own-settings.ts';

/** SHA-1 or SHA-256. */
const OBJECT_NAME = /^[0-9a-f]{40,64}$/;
/** What runners on other machines pushed; kept apart from this runner's own refs. */
const EVERY_WORK_REF = '+refs/gt/*:refs/remotes/gt/*';

/** Where a work ref of another runner lies here after `fetchWork`. */
export const fetchedRef = (ref: string): string => ref.replace(/^refs\/gt\//, 'refs/remotes/gt/');

/** One rig's bare clone, with the locks that make this process its only writer. */
export interface RigRepo {
  readonly rig: string;
  readonly place: GitPlace;
  /** Held by whatever writes refs or worktree registrations. */
  readonly writer: Mutex;
}

/** A target with its tree, and the commits that were asked for; null where this clone has none. */
export interface Fetched {
  readonly target: { readonly sha: string; readonly tree: string };
  readonly commits: readonly (string | null)[];
}

interface Entry {
  readonly repo: RigRepo;
  readonly fetching: Mutex;
  url: string | null;
  /** A fetch per refspec that has not begun yet: later callers share it. */
  readonly queued: Map<string, Promise<void>>;
}

/** The bare clones of all rigs: made when missing, healed at start, fetched on demand. */
export class Repos {
  readonly #owner: { readonly town: string; readonly runner: string };
  readonly #paths: RunnerPaths;
  readonly #entries = new Map<string, Entry>();

  constructor(owner: { readonly town: string; readonly runner: string }, paths: RunnerPaths) {
    this.#owner = owner;
    this.#paths = paths;
  }

  /** The rig's clone whether it exists or not; for work that needs no remote. */
  known(rig: string): RigRepo {
    return this.#entry(rig).repo;
  }

  /** Makes the clone when it is missing and follows a changed address. Errors: `GitError`, `bad_url`, `bad_branch`. */
  async ensure(repo: Repo): Promise<RigRepo> {
    checkUrl(repo.url);
    checkBranch(repo.targetBranch);
    const entry = this.#entry(repo.rig);
    const { gitDir } = entry.repo.place;
    if (entry.url !== repo.url || !hasOwnSettings(gitDir)) {
      await entry.repo.writer.run(async () => {
        if (!existsSync(join(gitDir, 'HEAD'))) await this.#clone(entry, repo.url);
        else if (entry.url !== repo.url) await this.#follow(entry, repo.url);
        await makeOwnSettings(gitDir);
        entry.url = repo.url;
      });
    }
    return entry.repo;
  }

  /**
   * Fetches the target branch and answers its commit. Callers that come while a fetch waits for its turn share it.
   * Errors: `GitError` when the remote does not answer or has no such branch.
   */
  async fetchTarget(repo: Repo): Promise<string> {
    return (await this.fetchTargetAnd(repo, [])).target.sha;
  }

  /** The same, and what other names stand for here: one question to git instead of one for each. */
  async fetchTargetAnd(repo: Repo, names: readonly string[]): Promise<Fetched> {
    const tracking = remoteName(repo.targetBranch);
    await this.#fetch(repo, `+refs/heads/${repo.targetBranch}:${tracking}`);
    return lookAt(this.known(repo.rig).place, tracking, names);
  }

  /** Fetches every branch: for a commit that is not here yet. */
  async fetchAll(repo: Repo): Promise<void> {
    await this.#fetch(repo, EVERY_BRANCH);
  }

  /** Fetches the attempt, rescue and merging refs of other runners. */
  async fetchWork(repo: Repo): Promise<void> {
    await this.#fetch(repo, EVERY_WORK_REF);
  }

  /** Removes what git processes of a killed predecessor left: half clones and lock files. Call when none can run. */
  async heal(): Promise<void> {
    await mkdir(this.#paths.repos, { recursive: true });
    for (const name of await readdir(this.#paths.repos)) {
      const path = join(this.#paths.repos, name);
      if (name.startsWith('.making-')) await rm(path, { recursive: true, force: true });
      else if (/\.own-[0-9a-f]{8}$/.test(name)) await rm(path, { recursive: true, force: true });
      else if (name.endsWith('.git')) {
        await removeLocks(path);
        await makeOwnSettings(path);
      }
    }
  }

  async #fetch(repo: Repo, refspec: string): Promise<void> {
    const rigRepo = await this.ensure(repo);
    const entry = this.#entry(repo.rig);
    const waiting = entry.queued.get(refspec);
    if (waiting !== undefined) return waiting;
    // A branch that is gone on the origin must not stand in the way of a new one below its name.
    const prune = refspec === EVERY_BRANCH || refspec === EVERY_WORK_REF ? ['--prune'] : [];
    const mine = entry.fetching.run(async () => {
      entry.queued.delete(refspec);
      await git(
        rigRepo.place,
        // By its address: "origin" is a setting that an agent may change from its worktree.
        ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', ...prune, '--end-of-options', repo.url, refspec],
        { timeoutMs: GIT_NETWORK_TIMEOUT_MS },
      );
    });
    entry.queued.set(refspec, mine);
    return mine;
  }

  #entry(rig: string): Entry {
    let entry = this.#entries.get(rig);
    if (entry === undefined) {
      const gitDir = bareRepo(this.#paths, rig);
      const place = { ...this.#owner, gitDir, common: ownSettings(gitDir) };
      entry = { repo: { rig, place, writer: new Mutex() }, fetching: new Mutex(), url: null, queued: new Map() };
      this.#entries.set(rig, entry);
    }
    return entry;
  }

  async #follow(entry: Entry, url: string): Promise<void> {
    // For agents, who fetch by its name; in the clone's own settings.
    const { common: _ours, ...place } = entry.repo.place;
    const present = (
      await git(place, ['config', '--local', '--get', 'remote.origin.url'], { ok: [0, 1] })
    ).stdout.trim();
    if (present !== url) await git(place, ['config', '--local', 'remote.origin.url', url]);
    await git(place, ['config', '--local', 'remote.origin.pushurl', NO_PUSH]);
  }

  /** Everything happens under a temporary name; the rename is the moment from which the clone exists. */
  async #clone(entry: Entry, url: string): Promise<void> {
    const { gitDir } = entry.repo.place;
    await mkdir(dirname(gitDir), { recursive: true });
    const temporary = join(dirname(gitDir), `.making-${entry.repo.rig}-${randomBytes(4).toString('hex')}`);
    const place = { ...this.#owner, gitDir: temporary };
    try {
      await git(place, ['init', '--quiet', '--bare', '--end-of-options', temporary]);
      const settings = [['remote.origin.url', url] as const, ...CLONE_SETTINGS];
      for (const [key, value] of settings) await git(place, ['config', '--local', key, value]);
      await git(place, ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', 'origin'], {
        timeoutMs: GIT_CLONE_TIMEOUT_MS,
      });
      await git(place, ['rev-list', '--quiet', '--remotes', '--max-count=1']);
      await rename(temporary, gitDir);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  }
}

/** What the clone calls a branch of the origin. */
export const remoteName = (branch: string): string => `refs/remotes/origin/${branch}`;

/** The commit that a name stands for, or null. */
export async function resolve(place: GitPlace, name: string): Promise<string | null> {
  const found = await git(place, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], {
    ok: [0, 1, 128],
  });
  return found.code === 0 ? found.stdout.trim() : null;
}

/** What names stand for, in their order, asked of one git process; null: nothing here. They are refs or commit ids. */
async function resolveAll(place: GitPlace, names: readonly string[]): Promise<readonly (string | null)[]> {
  const { stdout } = await git(place, ['cat-file', '--batch-check=%(objectname)'], {
    input: names.map((name) => `${name}\n`).join(''),
  });
  const lines = stdout.split('\n');
  return names.map((_name, place) => (OBJECT_NAME.test(lines[place] ?? '') ? (lines[place] ?? null) : null));
}

/** A commit with its tree, and other commits. Errors: `GitError` when the first is missing. */
async function lookAt(place: GitPlace, target: string, names: readonly string[]): Promise<Fetched> {
  const asked = [`${target}^{commit}`, `${target}^{tree}`, ...names.map((name) => `${name}^{commit}`)];
  const [sha = null, tree = null, ...commits] = await resolveAll(place, asked);
  if (sha === null || tree === null) throw new GitError('cat-file', null, `${target} is missing`);
  return { target: { sha, tree }, commits };
}

/** Ancestry, not equality: true also when both are the same commit. Errors: `GitError` when one is missing. */
export async function isAncestor(place: GitPlace, ancestor: string, descendant: string): Promise<boolean> {
  const answer = await git(place, ['merge-base', '--is-ancestor', ancestor, descendant], { ok: [0, 1] });
  return answer.code === 0;
}

/** Sets a ref, also where an agent put a pointer to another one. Errors: `GitError`. */
export async function writeRef(repo: RigRepo, ref: string, sha: string): Promise<void> {
  await repo.writer.run(() => git(repo.place, ['update-ref', '--no-deref', '--end-of-options', ref, sha]));
}

/** Sets a ref and reads it back: for one that something is claimed of. Errors: `GitError`. */
export async function setRef(repo: RigRepo, ref: string, sha: string): Promise<void> {
  await writeRef(repo, ref, sha);
  const actual = await resolve(repo.place, ref);
  if (actual !== sha) throw new GitError('update-ref', null, `${ref} is at ${String(actual)} instead of ${sha}`);
}

async function removeLocks(gitDir: string): Promise<void> {
  const places = ['refs', 'worktrees', 'logs'];
  const found: string[] = [];
  for (const place of places) {
    const names = await readdir(join(gitDir, place), { recursive: true }).catch((): string[] => []);
    found.push(...names.filter((name) => name.endsWith('.lock')).map((name) => join(gitDir, place, name)));
  }
  for (const name of await readdir(gitDir)) if (name.endsWith('.lock')) found.push(join(gitDir, name));
  for (const path of found) await unlink(path).catch(() => undefined);
}
