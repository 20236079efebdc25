import { type Repo, repoSchema } from '../../api/contract/runner.ts';
import type { Log } from '../../ports/log.ts';
import { pause, within } from '../clock.ts';
import { GIT_NETWORK_TIMEOUT_MS, type RunnerTimings } from '../limits.ts';
import type { RunnerDb } from '../store/db.ts';
import { secretsIn } from '../secrets/scan.ts';
import { errorText } from '../text.ts';
import { git } from './git.ts';
import { resolve, type Repos } from './repos.ts';

/** Longest pause between tries to push a ref; an origin that is away this long is told by the jobs that need it. */
const RETRY_MS_MAX = 60_000;

/**
 * Brings refs that another runner may need to the origin: what an attempt handed in, what was rescued, what is being
 * merged. Recorded durably first, pushed in the background until the origin has it. Only refs of our own are pushed, and
 * an attempt's have its epoch or id in their name, so nobody else's are touched.
 */
export class Pushes {
  readonly #db: RunnerDb;
  readonly #repos: Repos;
  readonly #timings: RunnerTimings;
  readonly #log: Log;
  readonly #ended = new AbortController();
  #hurry = new AbortController();
  #work: Promise<void> | null = null;

  constructor(parts: {
    readonly db: RunnerDb;
    readonly repos: Repos;
    readonly timings: RunnerTimings;
    readonly log: Log;
  }) {
    this.#db = parts.db;
    this.#repos = parts.repos;
    this.#timings = parts.timings;
    this.#log = parts.log;
  }

  /** Records that the origin needs the ref; waits for it up to `waitMs`. A rig with one runner, or a session without a rig, needs nothing. */
  async push(repo: Repo | null, ref: string, waitMs: number): Promise<void> {
    if (repo?.shared !== true) return;
    this.#db.all(
      'INSERT INTO unpushed (rig, ref, repo) VALUES (?, ?, ?) ON CONFLICT (rig, ref) DO UPDATE SET repo = excluded.repo',
      repo.rig,
      ref,
      JSON.stringify(repo),
    );
    this.wake();
    if (waitMs > 0 && this.#work !== null) await within(this.#work, waitMs);
  }

  wake(): void {
    if (this.#ended.signal.aborted) return;
    this.#hurry.abort();
    this.#hurry = new AbortController();
    this.#work ??= this.#run().finally(() => {
      this.#work = null;
      if (this.#waiting().length > 0) this.wake();
    });
  }

  /** Ends after the push under way; what is not pushed stays on disk. */
  async stop(): Promise<void> {
    this.#ended.abort();
    this.#hurry.abort();
    await this.#work;
  }

  #waiting(): readonly { readonly ref: string; readonly repo: Repo }[] {
    if (this.#ended.signal.aborted) return [];
    return this.#db
      .all('SELECT ref, repo FROM unpushed ORDER BY rig, ref')
      .map((row) => ({ ref: String(row['ref']), repo: repoSchema.parse(JSON.parse(String(row['repo']))) }));
  }

  async #run(): Promise<void> {
    let waitMs = this.#timings.retryMsMin;
    for (let waiting = this.#waiting(); waiting.length > 0; waiting = this.#waiting()) {
      let failed = 0;
      for (const { ref, repo } of waiting) if (!(await this.#one(repo, ref))) failed += 1;
      if (failed === 0) continue;
      await pause(waitMs, this.#hurry.signal);
      waitMs = Math.min(waitMs * 2, RETRY_MS_MAX);
    }
  }

  /** Such work stays on this machine: its agent is told when it hands it in, a rescue waits here for its successor. */
  async #holdsSecret(repo: Repo, sha: string, ref: string): Promise<boolean> {
    const [found] = await secretsIn(this.#repos.known(repo.rig), repo, [sha]);
    if (found === undefined) return false;
    const { rule, path, line } = found;
    this.#log.warn('a ref is not pushed: it holds what looks like a key', { rig: repo.rig, ref, rule, path, line });
    this.#db.all('DELETE FROM unpushed WHERE rig = ? AND ref = ?', repo.rig, ref);
    return true;
  }

  async #one(repo: Repo, ref: string): Promise<boolean> {
    try {
      const { place } = this.#repos.known(repo.rig);
      const sha = await resolve(place, ref);
      if (sha !== null && (await this.#holdsSecret(repo, sha, ref))) return true;
      if (sha !== null)
        await git(
          place,
          ['push', '--porcelain', '--no-verify', '--force', '--end-of-options', repo.url, `${sha}:${ref}`],
          {
            timeoutMs: GIT_NETWORK_TIMEOUT_MS,
          },
        );
      // Moved meanwhile: the newer state is pushed in the next round.
      if ((await resolve(place, ref)) === sha)
        this.#db.all('DELETE FROM unpushed WHERE rig = ? AND ref = ?', repo.rig, ref);
      return true;
    } catch (error) {
      this.#log.warn('a ref is not on the origin yet', { rig: repo.rig, ref, error: errorText(error) });
      return false;
    }
  }
}
