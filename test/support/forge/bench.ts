/** One fake host of a kind over a repository of its own, with the port before it. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ForgeKind, PullRequest } from '../../../src/core/model/pull-request.ts';
import { TownForge } from '../../../src/forge/town-forge.ts';
import type { ForgeAnswer, OpenPullRequest } from '../../../src/ports/forge.ts';
import { BareGit, makeBare } from './bare-git.ts';
import { type ForgeServer, forgeServer } from './server.ts';
import { FAKE_TOKEN } from './wire.ts';

/** The branch that has work. */
export const HEAD = 'gt/sh-1';
export const FORGE_KINDS: readonly ForgeKind[] = ['github', 'gitlab'];

/** A folder with a repository that each bench copies: `main` and `release` at one commit, `HEAD` one further. */
export class Seed {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'gt-forge-'));
  #copies = 0;

  constructor() {
    const seed = makeBare(join(this.folder, 'seed.git'));
    const main = seed.commit(seed.tip('main'), 'read.me', 'hello\n');
    seed.setBranch('main', main);
    seed.setBranch('release', main);
    seed.setBranch(HEAD, seed.commit(main, 'a.txt', 'one\n'));
  }

  copy(): BareGit {
    this.#copies += 1;
    const path = join(this.folder, `${String(this.#copies)}.git`);
    cpSync(join(this.folder, 'seed.git'), path, { recursive: true });
    return new BareGit(path);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Bench {
  readonly server: ForgeServer;
  readonly git: BareGit;
  nowMs: number = Date.now();
  token = FAKE_TOKEN;
  readonly port: TownForge;

  constructor(server: ForgeServer, git: BareGit) {
    this.server = server;
    this.git = git;
    this.port = new TownForge({ secret: () => this.token, nowMs: () => this.nowMs });
  }

  opening(more: Partial<OpenPullRequest> = {}): OpenPullRequest {
    return {
      site: this.server.site,
      head: HEAD,
      headSha: this.git.tip(HEAD),
      base: 'main',
      title: 'Add a',
      body: 'What it does',
      after: null,
      ...more,
    };
  }

  lookRaw(tag: string | null = null, number = 1): ReturnType<TownForge['look']> {
    return this.port.look({ site: this.server.site, number }, tag);
  }

  async look(tag: string | null = null): Promise<PullRequest> {
    return shown(await this.lookRaw(tag));
  }
}

export const bench = async (kind: ForgeKind, git: BareGit): Promise<Bench> =>
  new Bench(await forgeServer(kind, git), git);

/** What the host shows; any other answer fails the test. */
export function shown(answer: ForgeAnswer | { readonly state: 'unchanged' }): PullRequest {
  if (answer.state !== 'ok') throw new Error(JSON.stringify(answer));
  return answer.pullRequest;
}
