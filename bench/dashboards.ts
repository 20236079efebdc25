/** Two hundred live dashboards on one town (goal G13): how late changes come, what they cost the town, and whether any is lost. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeedItem } from '../src/api/contract/town.ts';
import { readSecrets } from '../src/hosts/node/town-files.ts';
import { sleep } from '../test/support/processes.ts';
import { callTown, type RealTown } from '../test/support/real-town.ts';
import { machineFigures } from './machine.ts';
import { median, ms, quantile, type Bench } from './result.ts';
import { startDaemon, withTown } from './town.ts';

const READERS = Number(process.env['GT_BENCH_READERS'] ?? 200);
/** Each round has one part without readers, one with streams alone and one with whole pages. */
const ROUNDS = 3;
const PART_MS = 8_000;
/** Changes of beads per second: a busy town of some twenty agents has about ten. */
const CHANGES_PER_S = 10;
const BEADS = 40;
/** An agent begins and ends this often. */
const SLING_EVERY_MS = 1_000;
const GOAL_P99_MS = 500;
const CLIENTS = join(import.meta.dirname, 'baselines', 'dashboard-clients.ts');

interface Told {
  readonly lost: number;
  readonly doubled: number;
  readonly cuts: number;
  readonly deliveries: number;
  readonly lateMs: readonly number[];
  readonly rereadMs: readonly number[];
  readonly rereadBytes: number;
  readonly refusals: number;
}

interface Part {
  readonly commandMs: readonly number[];
  readonly turnMs: number;
  readonly turnP99Ms: number;
  readonly waitMs: number;
  readonly cpu: number;
  readonly memory: number;
  readonly told: Told | null;
}

type Kind = 'alone' | 'stream' | 'page';

/** What `/metrics` says now, by its line's name and labels. */
async function metricsOf(url: string, token: string): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** The smallest bound that 99 of 100 turns kept. */
function p99Of(grew: (name: string) => number): number {
  const bounds = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
  const all = grew('gt_turn_seconds_count');
  return (
    (bounds.find((bound) => grew(`gt_turn_seconds_bucket{le="${String(bound)}"}`) >= 0.99 * all) ??
      Number.POSITIVE_INFINITY) * 1_000
  );
}

class Stage {
  readonly #made: RealTown;
  readonly #beads: readonly string[];
  readonly url: string;
  readonly token: string;

  private constructor(made: RealTown, beads: readonly string[]) {
    this.#made = made;
    this.#beads = beads;
    this.url = String(JSON.parse(readFileSync(made.town.paths.endpointFile, 'utf8')).url);
    this.token = readSecrets(made.town.paths).owner;
  }

  static async make(made: RealTown): Promise<Stage> {
    const beads: string[] = [];
    for (let at = 0; at < BEADS; at += 1) {
      const body = { title: `bead ${String(at)}`, rig: 'app', sling: false };
      beads.push((await callTown<{ id: string }>(made.town, { method: 'POST', path: 'beads', body })).id);
    }
    return new Stage(made, beads);
  }

  async #feedFrom(cursor: string): Promise<FeedItem> {
    return callTown<FeedItem>(this.#made.town, { method: 'GET', path: `feed?limit=500&cursor=${cursor}` });
  }

  async #now(): Promise<string> {
    return (await callTown<{ cursor: string }>(this.#made.town, { method: 'GET', path: 'snapshot' })).cursor;
  }

  /** Everything that the journals say since the cursor. */
  async #placesSince(cursor: string): Promise<readonly string[]> {
    const places: string[] = [];
    for (let at = cursor; ;) {
      const page = await this.#feedFrom(at);
      if (page.items.length === 0) return places;
      places.push(...page.items.map(({ actor, seq }) => `${actor}:${String(seq)}`));
      at = page.cursor;
    }
  }

  /** Changes beads at a steady rate, each when the one before was answered; agents work besides. */
  async #busy(): Promise<readonly number[]> {
    const took: number[] = [];
    const until = performance.now() + PART_MS;
    let slungAtMs = 0;
    for (let at = 0; performance.now() < until; at += 1) {
      const began = performance.now();
      const priority = ['low', 'medium', 'high'][at % 3];
      const bead = this.#beads[at % BEADS] ?? '';
      await callTown(this.#made.town, { method: 'POST', path: `beads/${bead}/update`, body: { priority } });
      took.push(performance.now() - began);
      if (began - slungAtMs > SLING_EVERY_MS) {
        slungAtMs = began;
        const body = { title: `work ${String(at)}`, body: '```gt-script\necho hi >> a.txt\n```', rig: 'app' };
        await callTown(this.#made.town, { method: 'POST', path: 'beads', body });
      }
      await sleep(Math.max(0, 1_000 / CHANGES_PER_S - (performance.now() - began)));
    }
    return took;
  }

  async #clients(kind: Kind): Promise<ChildProcess | null> {
    if (kind === 'alone') return null;
    const child = fork(CLIENTS, [this.url, this.token, String(READERS), kind]);
    await once(child, 'message');
    return child;
  }

  async part(kind: Kind): Promise<Part> {
    const clients = await this.#clients(kind);
    const from = await this.#now();
    const before = await metricsOf(this.url, this.token);
    const commandMs = await this.#busy();
    const after = await metricsOf(this.url, this.token);
    const grew = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    let told: Told | null = null;
    if (clients !== null) {
      await sleep(1_000);
      clients.send(await this.#placesSince(from));
      [told] = (await once(clients, 'message')) as [Told];
      await once(clients, 'exit');
    }
    return {
      commandMs,
      turnMs: (1_000 * grew('gt_turn_seconds_sum')) / grew('gt_turn_seconds_count'),
      turnP99Ms: p99Of(grew),
      waitMs: (1_000 * grew('gt_turn_wait_seconds_sum')) / grew('gt_turn_wait_seconds_count'),
      cpu: (100_000 * grew('gt_cpu_seconds_total')) / PART_MS,
      memory: after.get('gt_resident_memory_bytes') ?? 0,
      told,
    };
  }
}

const toldOf = (parts: readonly Part[]): readonly Told[] => parts.flatMap(({ told }) => (told === null ? [] : [told]));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function figuresOf(name: string, parts: readonly Part[]): Readonly<Record<string, string>> {
  const commands = parts.flatMap(({ commandMs }) => commandMs);
  const told = toldOf(parts);
  const late = told.flatMap(({ lateMs }) => lateMs);
  const reread = told.flatMap(({ rereadMs }) => rereadMs);
  return {
    [`${name}: turn, mean`]: `${ms(median(parts.map(({ turnMs }) => turnMs)))}, 99 % below ${ms(median(parts.map(({ turnP99Ms }) => turnP99Ms)))}, waits ${ms(median(parts.map(({ waitMs }) => waitMs)))}`,
    [`${name}: a change, answered`]: `median ${ms(median(commands))}, p99 ${ms(quantile(commands, 0.99))} (n=${String(commands.length)})`,
    [`${name}: daemon`]: `${median(parts.map(({ cpu }) => cpu)).toFixed(0)} % of a core, ${(median(parts.map(({ memory }) => memory)) / 1e6).toFixed(0)} MB`,
    ...(told.length === 0
      ? {}
      : {
          [`${name}: an update comes after`]: `median ${ms(median(late))}, p99 ${ms(quantile(late, 0.99))} (n=${String(late.length)})`,
          [`${name}: rows told, lost, doubled`]: `${String(sum(told.map((one) => one.deliveries)))}, ${String(sum(told.map((one) => one.lost)))}, ${String(sum(told.map((one) => one.doubled)))} (${String(sum(told.map((one) => one.cuts)))} cuts)`,
        }),
    ...(reread.length === 0
      ? {}
      : {
          [`${name}: read again`]: `${String(Math.round((1_000 * reread.length) / (PART_MS * parts.length)))} per s, median ${ms(median(reread))}, p99 ${ms(quantile(reread, 0.99))}, ${(sum(told.map((one) => one.rereadBytes)) / 1e6).toFixed(0)} MB`,
        }),
  };
}

export const dashboards: Bench = (rounds) =>
  withTown([{ name: 'app', files: { 'a.txt': 'one\n' }, gate: 'true' }], async (made) => {
    await startDaemon(made);
    const stage = await Stage.make(made);
    const parts: Record<Kind, Part[]> = { alone: [], stream: [], page: [] };
    for (let round = 0; round < (rounds ?? ROUNDS); round += 1)
      for (const kind of ['alone', 'stream', 'page'] as const) parts[kind].push(await stage.part(kind));
    const told = toldOf([...parts.stream, ...parts.page]);
    const p99 = quantile(
      told.flatMap(({ lateMs }) => lateMs),
      0.99,
    );
    const turn = (kind: Kind): number => median(parts[kind].map(({ turnMs }) => turnMs));
    const isWhole = told.every(({ lost, doubled }) => lost === 0 && doubled === 0);
    return {
      bench: 'dashboards',
      figures: {
        'readers; changes, agents per s': `${String(READERS)}; ${String(CHANGES_PER_S)}, ${String(1_000 / SLING_EVERY_MS)}`,
        ...figuresOf('0 readers', parts.alone),
        ...figuresOf('streams', parts.stream),
        ...figuresOf('whole pages', parts.page),
        'turn, streams over 0 readers': (turn('stream') / turn('alone')).toFixed(2),
        'turn, whole pages over 0 readers': (turn('page') / turn('alone')).toFixed(2),
        ...machineFigures(made.folder),
      },
      goal: `99 of 100 updates within ${String(GOAL_P99_MS)} ms, none lost, none doubled`,
      holds: p99 < GOAL_P99_MS && isWhole,
      ratio: turn('stream') / turn('alone'),
      ratioOf: 'mean time of a turn, with the readers of streams over without',
    };
  });
