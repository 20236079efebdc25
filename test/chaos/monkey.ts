/** Kills the daemon and the runner in chosen phases while work is in flight. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { commandOf, killNow, sleep } from '../support/processes.ts';
import type { Keeper } from './keeper.ts';
import type { Random } from './plan.ts';
import type { Stage } from './stage.ts';
import { readSprung, removeTrap, setTrap, type Sprung } from './trap.ts';

export const PHASES = ['start', 'done', 'merge', 'push', 'message'] as const;
export type Phase = (typeof PHASES)[number];
const MOMENTS = ['before', 'during', 'after'] as const;
type Moment = (typeof MOMENTS)[number];

/** The daemon's phases, by effect key: the claim's facts count to "done", the gates to "merge". */
const EFFECTS: Readonly<Record<Phase, string>> = {
  start: '^(start:|facts:.*agent_started)',
  done: '^(facts:.*agent_done|job:verify:|job:promote:)',
  merge: '^job:(merge|gates):',
  push: '^job:push:',
  message: '^message:',
};

export interface Kill {
  readonly atMs: number;
  readonly target: 'daemon' | 'runner';
  readonly phase: Phase | 'any';
  readonly moment: Moment;
  /** What the daemon was doing. */
  readonly at: string;
  /** The successor was killed as well, while it came up. */
  readonly twice: boolean;
}

interface Wish {
  readonly target: Kill['target'];
  readonly phase: Phase;
  readonly moment: Moment;
}

/** A quarter of all kills are the runner's; the daemon's are spread evenly over the phases. */
export function wishes(kills: number, random: Random): Wish[] {
  const runner = Math.max(2, Math.round(kills / 4));
  const at = (index: number): { phase: Phase; moment: Moment } => ({
    phase: PHASES[index % PHASES.length] ?? 'start',
    moment: MOMENTS[((index % PHASES.length) + Math.floor(index / PHASES.length)) % MOMENTS.length] ?? 'before',
  });
  const list = Array.from({ length: kills }, (_, index): Wish =>
    index < runner
      ? { target: 'runner', phase: at(index).phase, moment: 'during' }
      : { target: 'daemon', ...at(index - runner) },
  );
  return list
    .map((wish) => ({ wish, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ wish }) => wish);
}

/** Between a kill's recovery and the next trap, so that there is work to hit and not only recovery. */
const GAP_MS_MIN = 100;
const GAP_MS_MAX = 900;
/** How long a chosen phase is waited for before any phase that is still wanted will do. */
const NARROW_WAIT_MS = 3_000;
const WIDE_WAIT_MS = 12_000;
/** Into an effect that is under way. */
const DURING_MS_MAX = 40;
/** A lost runner is back within this time, however often it was lost before. */
const RUNNER_BACK_MS = 15_000;
/** Merged work between two kills of a storm: without any, the town rightly holds its breath. */
const PROGRESS_MS = 30_000;
const LOOK_MS = 3;
/** One kill in so many is followed by a second one, into the recovery from the first. */
const TWICE_EVERY = 4;
const RECOVERY_MS_MAX = 500;

export interface MonkeyOptions {
  readonly stage: Stage;
  readonly keeper: Keeper;
  readonly random: Random;
  /** Slings more when there is too little left to hit; told which phases are wanted. */
  readonly feed: (wanted: ReadonlySet<Phase>) => Promise<void>;
  readonly deadlineMs: number;
}

export class Monkey {
  readonly kills: Kill[] = [];
  readonly #options: MonkeyOptions;
  #traps = 0;
  #lastRunner = 0;

  constructor(options: MonkeyOptions) {
    this.#options = options;
  }

  /** Works through the wishes; throws when the deadline comes first. */
  async run(list: readonly Wish[]): Promise<void> {
    const { feed, random, deadlineMs } = this.#options;
    let open = [...list];
    while (open.length > 0) {
      if (Date.now() > deadlineMs) throw new Error(`the deadline came with ${String(open.length)} kills to go`);
      await feed(new Set(open.map((wish) => wish.phase)));
      const wish = await this.#next(open);
      open = wish === null ? [...open.slice(1), ...open.slice(0, 1)] : open.filter((one) => one !== wish);
      await sleep(GAP_MS_MIN + random() * (GAP_MS_MAX - GAP_MS_MIN));
    }
  }

  /** Kills only the runner, again and again under one daemon: its supervisor may not grow tired of it. */
  async storm(kills: number, unfinished: () => number): Promise<void> {
    const { feed, random } = this.#options;
    for (let count = 0; count < kills; count += 1) {
      await feed(new Set(['start']));
      const before = unfinished();
      const until = Date.now() + PROGRESS_MS;
      while (unfinished() >= before && Date.now() < until) await sleep(50);
      await sleep(random() * RECOVERY_MS_MAX);
      await this.#killRunner(() => {
        this.kills.push({
          atMs: Date.now(),
          target: 'runner',
          phase: 'any',
          moment: 'during',
          at: 'storm',
          twice: false,
        });
      });
    }
    await this.#runner();
  }

  /** One kill: the first wish, or, when its phase does not come, whichever comes. */
  async #next(open: readonly Wish[]): Promise<Wish | null> {
    const first = open[0];
    if (first === undefined) return null;
    const narrow = await this.#trap([first], NARROW_WAIT_MS);
    const found = narrow ?? (await this.#trap(open, WIDE_WAIT_MS));
    if (found === null) return null;
    await this.#kill(found.wish, found.sprung);
    return found.wish;
  }

  /** Traps hold still for `before` and `after`; `during` is let go on, and hit a moment later. */
  async #trap(all: readonly Wish[], waitMs: number): Promise<{ wish: Wish; sprung: Sprung } | null> {
    const { stage, random } = this.#options;
    const hold = all[0]?.moment !== 'during';
    const list = all.filter((wish) => (wish.moment !== 'during') === hold);
    this.#traps += 1;
    const id = this.#traps;
    const wants = list.map((wish, index) => ({ name: String(index), phase: phaseOf(wish) }));
    setTrap(stage.folder, { id, wants, hold });
    const until = Date.now() + waitMs;
    let sprung: Sprung | null = null;
    while (sprung === null && Date.now() < until) {
      await sleep(LOOK_MS);
      sprung = readSprung(stage.folder, id);
    }
    const wish = sprung === null ? undefined : list[Number(sprung.name)];
    if (sprung === null || wish === undefined) {
      removeTrap(stage.folder);
      return null;
    }
    if (wish.moment === 'during') await sleep(random() * DURING_MS_MAX);
    return { wish, sprung };
  }

  async #kill(wish: Wish, sprung: Sprung): Promise<void> {
    const { stage, keeper, random } = this.#options;
    const twice = this.kills.length % TWICE_EVERY === TWICE_EVERY - 1;
    const { target, phase, moment } = wish;
    const record = (): void => {
      this.kills.push({ atMs: Date.now(), target, phase, moment, at: sprung.phase, twice });
    };
    if (target === 'runner') {
      await this.#killRunner(record);
      removeTrap(stage.folder);
      if (twice) await this.#killRunner(record);
      return;
    }
    if (sprung.pid !== keeper.pid) throw new Error(`process ${String(sprung.pid)} is not the daemon that was started`);
    record();
    // The next daemon would step into the same trap.
    await keeper.kill();
    removeTrap(stage.folder);
    if (twice) await keeper.startAndKill(random() * RECOVERY_MS_MAX);
    await keeper.start();
  }

  async #killRunner(record: () => void): Promise<void> {
    const pid = await this.#runner();
    record();
    killNow(pid);
  }

  /** The runner of this town; after a kill the next one, which the daemon has to start by itself. */
  async #runner(): Promise<number> {
    const { paths } = this.#options.stage.town;
    const until = Date.now() + RUNNER_BACK_MS;
    while (Date.now() < until) {
      const pid = readPid(join(paths.dataDir, 'runner.pid'));
      const command = pid === null ? '' : commandOf(pid);
      if (pid !== null && pid !== this.#lastRunner && command.includes(`--town ${paths.root}`)) {
        this.#lastRunner = pid;
        return pid;
      }
      await sleep(20);
    }
    throw new Error(`the daemon did not start a new runner within ${String(RUNNER_BACK_MS / 1_000)} s`);
  }
}

function phaseOf(wish: Wish): string {
  const end = wish.moment === 'after' ? ':after$' : ':before$';
  return `${EFFECTS[wish.phase]}.*${end}`;
}

function readPid(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}
