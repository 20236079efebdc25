/** One town with real git in a folder of its own, in which lives of beads follow each other, each with one kill at most. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { trusted } from '../../../src/core/model/ids.ts';
import type { BeadDetail } from '../../../src/core/queries.ts';
import { marked } from '../../../src/runner/process/sweep.ts';
import { BareGit } from '../../support/forge/bare-git.ts';
import { type ForgeServer, forgeServer } from '../../support/forge/server.ts';
import { FAKE_PROJECT, FAKE_TOKEN } from '../../support/forge/wire.ts';
import { git, makeTown, type RealTown } from '../../support/real-town.ts';
import { human, newBead } from '../../support/town-story.ts';
import { GitBrain } from './brain.ts';
import { gateOf, HOLD, type GitHistory, type Life } from './histories.ts';
import { Judge } from './judge.ts';
import { liveRound } from './round.ts';
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
  readonly #judge: Judge;
  /** The code host of a rig that merges by pull requests. */
  readonly #host: ForgeServer | null;
  #lives = 0;
  #isClosed = false;

  private constructor(folder: string, real: RealTown, host: ForgeServer | null) {
    this.#host = host;
    this.#folder = folder;
    this.#real = real;
    this.#trap = new GitTrap(folder);
    this.#judge = new Judge({ origin: real.remotes.get(RIG) ?? '', root: real.town.paths.root, rig: RIG });
    this.#brain = new GitBrain({
      town: real.town,
      path: [this.#trap.bin, process.env['PATH'] ?? ''].join(delimiter),
      onRunner: (pid) => {
        this.#trap.runner = pid;
      },
    });
  }

  /** Arms the trap before the rig's clone is made when `kill` is given. */
  static async open(kill: Kill | null, kind: Pick<GitHistory, 'style' | 'pull'>): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'gt-git-points-'));
    const real = await makeTown(folder, [{ name: RIG, files: { 'a.txt': 'one\n' }, gate: gateOf(folder) }]);
    const { config } = real.town.paths;
    const host = kind.pull === true ? await forgeServer('github', new BareGit(real.remotes.get(RIG) ?? '')) : null;
    const settings = [`merge_style = "${kind.style ?? 'merge'}"`, ...(host === null ? [] : pullSettings(folder, host))];
    const text = readFileSync(config, 'utf8').replace(`[rigs.${RIG}]`, [`[rigs.${RIG}]`, ...settings].join('\n'));
    writeFileSync(config, text);
    const stage = new Stage(folder, real, host);
    stage.#trap.arm(kill);
    await stage.#brain.open();
    return stage;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#trap.arm(null);
    await this.#brain.close();
    await this.#host?.close();
    const town = { town: this.#real.town.identity.id };
    for (const pid of marked(town)) process.kill(pid, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #origin(): string {
    return this.#real.remotes.get(RIG) ?? '';
  }

  /** One bead from sling to its end. `kill` null with `armed`: what `open` was given is still armed. */
  async live(history: GitHistory, kill: Kill | null, armed = false): Promise<LifeEnd> {
    this.#lives += 1;
    const id = `${String(this.#lives)}x`;
    const life: Life = { id, flag: join(this.#folder, `flag-${id}`) };
    const before = this.#judge.target();
    if (history.round === true) return this.#round(life, kill);
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
    const wrong =
      end === null
        ? [await this.#account(bead)]
        : [...this.#judge.life(history, life, { before, detail: end }), ...this.#pullsOf(end)];
    return this.#ended(kill, { stuck: end === null, wrong });
  }

  /** The bead had one pull request, which its host merged into what the bead says. */
  #pullsOf({ id, evidence }: BeadDetail): readonly string[] {
    if (this.#host === null) return [];
    const pulls = this.#host.forge.pulls.filter(({ head }) => head === `gt/${id}`);
    const told = pulls.map(({ number, state, mergeSha }) => `#${String(number)} ${state} as ${String(mergeSha)}`);
    const [pull] = pulls;
    const isRight = pulls.length === 1 && pull?.state === 'merged' && pull.mergeSha === evidence?.mergeSha;
    return isRight ? [] : [`${id} was merged as ${String(evidence?.mergeSha)}, its pull requests: ${told.join(', ')}`];
  }

  async #round(life: Life, kill: Kill | null): Promise<LifeEnd> {
    const told = await liveRound(life, {
      brain: this.#brain,
      judge: this.#judge,
      hold: join(this.#folder, HOLD),
      patienceMs: PATIENCE_MS,
      isQuiet: (jobs) => this.#atRest(jobs),
      sling: async (title, recipe, priority = 'medium') => {
        const body = `\`\`\`gt-script\n${recipe}\n\`\`\`\n`;
        return (await this.#brain.service.createBead(newBead(title, { rig: trusted.rig(RIG), body, priority }), human))
          .id;
      },
      arm: () => {
        this.#trap.arm(kill);
      },
      hasPassed: (tree) =>
        this.#brain.databases.get(`rig/${RIG}`)?.all('SELECT 1 AS one FROM tested_trees WHERE tree = ? LIMIT 1', tree)
          .length === 1,
    });
    if (Array.isArray(told)) return this.#ended(kill, { stuck: false, wrong: told });
    const wrong = await Promise.all(told.stuck.map((bead) => this.#account(bead)));
    return this.#ended(kill, { stuck: true, wrong });
  }

  #ended(kill: Kill | null, end: Pick<LifeEnd, 'stuck' | 'wrong'>): LifeEnd {
    const struck = kill !== null && this.#trap.sprung;
    const { commands } = this.#trap;
    this.#trap.arm(null);
    return { commands, struck, ...end };
  }

  async #account(bead: BeadDetail['id']): Promise<string> {
    const detail = await this.#brain.service.getBead(bead);
    const told = (await this.#brain.service.listEscalations(true)).map((item) => item.message);
    const attempts = detail.attemptList.map((one) => `${String(one.outcome)}: ${String(one.reason)}`);
    return [`${bead} is ${detail.status}: ${detail.why.sentence}`, ...attempts, ...told].join(' | ');
  }

  /** Nobody works, and no more than so many orders are under way. */
  #atRest(orders = 0): boolean {
    let pending = 0;
    for (const sql of this.#brain.databases.values())
      pending += sql.all(`SELECT 1 AS one FROM outbox WHERE state = 'pending'`).length;
    if (pending > orders) return false;
    const rig = this.#brain.databases.get(`rig/${RIG}`);
    return rig?.all('SELECT 1 AS one FROM attempts WHERE process_gone = 0 LIMIT 1').length === 0;
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

/** Nobody has to approve: what is to be seen is git. */
function pullSettings(folder: string, { site }: ForgeServer): readonly string[] {
  const token = join(folder, 'token');
  writeFileSync(token, `${FAKE_TOKEN}\n`, { mode: 0o600 });
  return [
    'merge_strategy = "pr"',
    'pr_approvals = 0',
    'forge = "github"',
    `forge_url = ${JSON.stringify(site.apiUrl)}`,
    `forge_project = ${JSON.stringify(FAKE_PROJECT)}`,
    `forge_token = ${JSON.stringify(`file:${token}`)}`,
  ];
}
