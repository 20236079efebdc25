/** One town with real git in a folder of its own, in which lives of beads follow each other, each with one kill at most. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { trusted } from '../../../src/core/model/ids.ts';
import type { BeadDetail } from '../../../src/core/queries.ts';
import { marked } from '../../../src/runner/process/sweep.ts';
import { git, makeTown, type RealTown } from '../../support/real-town.ts';
import { human, newBead } from '../../support/town-story.ts';
import { GitBrain } from './brain.ts';
import { fileOf, GATE, type GitHistory, type Life, textOf } from './histories.ts';
import { GitTrap, type Kill } from './wrapper.ts';

const RIG = 'app';
/** Real time after which a life counts as stuck: a clean one takes about a second. */
const PATIENCE_MS = 60_000;
const AUTHOR = ['-c', 'user.name=Other', '-c', 'user.email=other@localhost'];

export interface LifeEnd {
  readonly commands: readonly string[];
  /** False: the life had fewer commands than that, so nothing was struck. */
  readonly struck: boolean;
  /** What does not hold; empty when all does. */
  readonly wrong: readonly string[];
  readonly stuck: boolean;
}

export class Stage {
  readonly #folder: string;
  readonly #real: RealTown;
  readonly #trap: GitTrap;
  readonly #brain: GitBrain;
  #lives = 0;

  private constructor(folder: string, real: RealTown) {
    this.#folder = folder;
    this.#real = real;
    this.#trap = new GitTrap(folder);
    this.#brain = new GitBrain({
      town: real.town,
      path: [this.#trap.bin, process.env['PATH'] ?? ''].join(delimiter),
      onRunner: (pid) => {
        this.#trap.runner = pid;
      },
    });
  }

  /** Arms the trap before the rig's clone is made when `kill` is given. */
  static async open(kill: Kill | null): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'gt-git-points-'));
    const real = await makeTown(folder, [{ name: RIG, files: { 'a.txt': 'one\n' }, gate: GATE }]);
    const stage = new Stage(folder, real);
    stage.#trap.arm(kill);
    await stage.#brain.open();
    return stage;
  }

  async close(): Promise<void> {
    this.#trap.arm(null);
    await this.#brain.close();
    const town = { town: this.#real.town.identity.id };
    for (const pid of marked(town)) process.kill(pid, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #origin(): string {
    return this.#real.remotes.get(RIG) ?? '';
  }

  get #bare(): string {
    return join(this.#real.town.paths.root, '.gastown', 'repos', `${RIG}.git`);
  }

  /** One bead from sling to its end. `kill` null with `armed`: what `open` was given is still armed. */
  async live(history: GitHistory, kill: Kill | null, armed = false): Promise<LifeEnd> {
    this.#lives += 1;
    const id = `${String(this.#lives)}x`;
    const life: Life = { id, flag: join(this.#folder, `flag-${id}`) };
    const before = this.#target();
    if (!armed) this.#trap.arm(kill);
    const body = `\`\`\`gt-script\n${history.recipe(life)}\n\`\`\`\n`;
    const made = newBead(`life ${id}`, { rig: trusted.rig(RIG), body });
    const { id: bead } = await this.#brain.service.createBead(made, human);
    const meanwhile = history.meanwhile?.(life);
    const end = await this.#brain.until(async () => {
      const detail = await this.#brain.service.getBead(bead);
      if (meanwhile !== undefined && detail.attemptList.some((one) => one.baseSha !== null) && !existsSync(life.flag))
        this.#pushElsewhere(meanwhile, life);
      return ['closed', 'failed'].includes(detail.status) && this.#atRest() ? detail : null;
    }, PATIENCE_MS);
    const struck = kill !== null && this.#trap.sprung;
    const { commands } = this.#trap;
    this.#trap.arm(null);
    if (end === null) return { commands, struck, stuck: true, wrong: [await this.#account(bead)] };
    return { commands, struck, stuck: false, wrong: this.#judge(history, life, { before, detail: end }) };
  }

  async #account(bead: BeadDetail['id']): Promise<string> {
    const detail = await this.#brain.service.getBead(bead);
    const told = (await this.#brain.service.listEscalations(true)).map((item) => item.message);
    const attempts = detail.attemptList.map((one) => `${String(one.outcome)}: ${String(one.reason)}`);
    return [`${bead} is ${detail.status}: ${detail.why.sentence}`, ...attempts, ...told].join(' | ');
  }

  #atRest(): boolean {
    for (const sql of this.#brain.databases.values())
      if (sql.all(`SELECT 1 AS one FROM outbox WHERE state = 'pending' LIMIT 1`).length > 0) return false;
    const rig = this.#brain.databases.get(`rig/${RIG}`);
    return rig?.all('SELECT 1 AS one FROM attempts WHERE process_gone = 0 LIMIT 1').length === 0;
  }

  #target(): string {
    return git(['rev-parse', 'refs/heads/main'], this.#origin).trim();
  }

  #judge(
    history: GitHistory,
    life: Life,
    told: { readonly before: string; readonly detail: BeadDetail },
  ): readonly string[] {
    const wrong: string[] = [];
    const must = (holds: boolean, sentence: string): void => {
      if (!holds) wrong.push(sentence);
    };
    const { detail, before } = told;
    must(detail.closeReason === 'merged', `${detail.id} ended as ${String(detail.closeReason ?? detail.status)}`);
    const after = this.#target();
    must(this.#holds(['merge-base', '--is-ancestor', before, after]), 'the target lost what it had');
    must(this.#show(`main:${fileOf(life)}`) === textOf(life), 'the target does not hold the work');
    const merges = git(['rev-list', '--first-parent', `--grep=${detail.id}`, `${before}..${after}`], this.#origin);
    must(merges.trim().split('\n').length === 1, `merged ${String(merges.trim().split('\n').length)} times`);
    must(this.#show(`gt/${detail.id}:${fileOf(life)}`) === textOf(life), 'the public branch does not hold the work');
    const kept = history.kept?.(life);
    if (kept !== undefined) {
      const found = git(['log', '--all', '--format=%H', `--grep=^${kept.subject}$`], this.#bare).trim();
      must(found !== '', `the commit "${kept.subject}" is in no ref`);
      const files = git(['log', '--all', '-m', '--name-only', '--format=', '--', kept.file], this.#bare).trim();
      must(files !== '', `${kept.file} is in no ref`);
    }
    for (const place of [this.#origin, this.#bare]) wrong.push(...fsck(place));
    return [...wrong, ...this.#leftovers()];
  }

  /** At rest nothing is locked, half made or set aside. */
  #leftovers(): readonly string[] {
    const names = readdirSync(this.#bare, { recursive: true, encoding: 'utf8' });
    const locks = names.filter((name) => name.endsWith('.lock') || /worktrees\/[^/]+\/locked$/.test(name));
    const pool = join(this.#real.town.paths.root, '.gastown', 'worktrees', RIG);
    const aside = existsSync(pool) ? readdirSync(pool).filter((name) => name.includes('.found-')) : [];
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

  #pushElsewhere(files: Readonly<Record<string, string>>, life: Life): void {
    const clone = mkdtempSync(join(this.#folder, 'clone-'));
    git(['clone', '-q', this.#origin, clone]);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(clone, name), text);
    git(['add', '-A'], clone);
    git([...AUTHOR, 'commit', '-q', '-m', 'elsewhere'], clone);
    git(['push', '-q', 'origin', 'main'], clone);
    rmSync(clone, { recursive: true });
    writeFileSync(life.flag, '');
  }
}

/** Errors only: what nothing refers to is no harm. */
function fsck(place: string): readonly string[] {
  try {
    execFileSync('git', ['fsck', '--full', '--no-dangling', '--no-progress'], { cwd: place, stdio: 'pipe' });
    return [];
  } catch (error) {
    return [`git fsck of ${place}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
