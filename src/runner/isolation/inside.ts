import { spawn } from 'node:child_process';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { git, GitError } from '../git/git.ts';
import { makeOwnSettings, ownSettings } from '../git/own-settings.ts';
import { resolve, type RigRepo } from '../git/repos.ts';
import { GIT_LOCAL_TIMEOUT_MS, LOOK_BYTES_MAX } from '../limits.ts';
import { Mutex } from '../mutex.ts';
import { plain, tail } from '../text.ts';
import { bwrapArguments, findBubblewrap } from './bubblewrap.ts';
import { gitMounts } from './box.ts';
import { lookAnswerSchema } from './look-answer.ts';
import { look, type Look, type LookAnswer } from './look.ts';
import { cacheEnvironment, cacheMounts, type Mount, systemMounts } from './mounts.ts';
import { type OwnGit, resetOwnGit } from './own-git.ts';

const ERROR_CHARS_MAX = 1_000;
const MAIN = fileURLToPath(new URL(`./look-main${extname(import.meta.url)}`, import.meta.url));

/** One isolated attempt's work, as we look at it. */
export class Inside {
  readonly #marks: { readonly town: string; readonly runner: string };
  readonly #repo: RigRepo;
  readonly #own: OwnGit;

  constructor(parts: { readonly town: string; readonly runner: string; readonly repo: RigRepo; readonly own: OwnGit }) {
    this.#marks = { town: parts.town, runner: parts.runner };
    this.#repo = parts.repo;
    this.#own = parts.own;
  }

  /** Errors: `GitError`, also when nothing sensible was answered. */
  async ask(order: Look): Promise<LookAnswer> {
    const answer = (await findBubblewrap()).works ? await this.#askInside(order) : await this.#askHere(order);
    if (answer.op === 'failed') throw new GitError('look', null, tail(plain(answer.message), ERROR_CHARS_MAX));
    return answer;
  }

  /** Brings a commit and all it needs into the rig's clone; every object is checked. Errors: `GitError`. */
  async take(sha: string): Promise<void> {
    const { place } = this.#repo;
    if ((await resolve(place, sha)) !== null && (await this.#isWhole(sha))) return;
    const isInside = (await findBubblewrap()).works;
    if (!isInside) await resetOwnGit(this.#own);
    const uploadPack = isInside ? this.#uploadPackInside() : 'git upload-pack';
    const from = isInside ? this.#own.link : this.#own.dir;
    await git(place, [
      '-c',
      'fetch.fsckObjects=true',
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      `--upload-pack=${uploadPack}`,
      '--end-of-options',
      from,
      sha,
    ]);
    if ((await resolve(place, sha)) === null)
      throw new GitError('fetch', null, `${sha} was not handed over by the sandbox`);
  }

  /** An object may be here while one that it names is only with the agent. */
  async #isWhole(sha: string): Promise<boolean> {
    const { place } = this.#repo;
    const walked = await git(place, ['rev-list', '--objects', '--quiet', sha, '--not', '--all'], { ok: [0, 1, 128] });
    return walked.code === 0;
  }

  /** Nothing but the work and git: no home, no socket, no network. */
  #around(): readonly string[] {
    const { worktree } = this.#own;
    const mounts: readonly Mount[] = [
      ...systemMounts(),
      ...cacheMounts(),
      { type: 'hide', at: '/tmp' },
      { type: 'read', from: worktree, at: worktree },
      ...gitMounts(this.#own),
    ];
    return bwrapArguments({ mounts, hasNetwork: false, cwd: worktree });
  }

  #uploadPackInside(): string {
    const path = process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
    const words = ['bwrap', '--clearenv', '--setenv', 'PATH', path, ...this.#around(), 'git', 'upload-pack'];
    return words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  }

  /**
   * No bubblewrap here (a container, a wrapper of the user): our settings stand in for the agent's, and what leads git to
   * other objects is written anew, so that git runs nothing of its. An agent that lives can still write between the two.
   */
  async #askHere(order: Look): Promise<LookAnswer> {
    const { dir, link, worktree } = this.#own;
    await resetOwnGit(this.#own);
    await makeOwnSettings(dir);
    const place = { ...this.#marks, gitDir: dir, common: ownSettings(dir) };
    const repo = { rig: this.#repo.rig, place, writer: new Mutex() };
    return look(
      repo,
      { rig: repo.rig, name: basename(worktree), path: worktree, link, place: { ...place, workTree: worktree } },
      order,
    );
  }

  async #askInside(order: Look): Promise<LookAnswer> {
    const { link, worktree } = this.#own;
    const run = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, link, worktree];
    const child = spawn('bwrap', [...this.#around(), ...run], {
      // Nothing of ours is known inside; the marks let a successor sweep what a killed runner left.
      env: {
        PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
        GT_TOWN: this.#marks.town,
        GT_RUNNER: this.#marks.runner,
        GT_ATTEMPT: 'runner-git',
        ...cacheEnvironment(),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: GIT_LOCAL_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(order));
    const said = collect(child.stdout);
    const errors = collect(child.stderr);
    const code = await new Promise<number | null>((done) => {
      child.once('error', () => {
        done(null);
      });
      child.once('close', done);
    });
    try {
      return lookAnswerSchema.parse(JSON.parse(said()));
    } catch {
      const why = tail(plain(errors().trim()), ERROR_CHARS_MAX);
      return { op: 'failed', message: `the sandbox gave no answer (${String(code)}): ${why}` };
    }
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= LOOK_BYTES_MAX) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
