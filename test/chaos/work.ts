/** Slings the plan as a careful client: every command has a key and is repeated until it is answered. */
import { callUntilAnswered, git } from '../support/real-town.ts';
import { RIGS, type ChaosBead, type ChaosPlan, type Random } from './plan.ts';
import type { Phase } from './monkey.ts';
import { bodyOf, type Stage } from './stage.ts';

const ANSWER_WAIT_MS = 60_000;
/** Below so much unfinished work the monkey has too little to hit. */
const OPEN_MIN = 8;
/** A stop for a monkey that never gets what it wants. */
const EXTRA_MAX_FACTOR = 4;

export interface Slung {
  readonly bead: ChaosBead;
  readonly id: string;
}

interface Made {
  readonly id: string;
}
interface MadeConvoy {
  readonly beads: readonly { readonly id: string | null; readonly position: number }[];
}

export class Work {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #planned: number;
  #waiting: ChaosBead[];
  #extra = 0;
  /** By label; what was slung and answered. */
  readonly slung = new Map<string, Slung>();

  constructor(stage: Stage, plan: ChaosPlan, random: Random) {
    this.#stage = stage;
    this.#random = random;
    this.#planned = plan.beads.length;
    this.#waiting = plan.beads.filter((bead) => !bead.convoy);
  }

  async slingConvoy(beads: readonly ChaosBead[]): Promise<void> {
    const place = new Map(beads.map((bead, index) => [bead.label, index]));
    const tasks = beads.map((bead) => ({
      rig: bead.rig,
      title: bead.label,
      body: bodyOf(this.#stage, bead),
      depends_on: bead.dependsOn.map((label) => place.get(label) ?? label),
    }));
    const call = { method: 'POST', path: 'convoys', body: { title: 'Chaos', tasks }, key: 'convoy-1' } as const;
    const made = await callUntilAnswered<MadeConvoy>(this.#stage.town, call, ANSWER_WAIT_MS);
    for (const { id, position } of made.beads) {
      const bead = beads[position];
      if (bead !== undefined && id !== null) this.slung.set(bead.label, { bead, id });
    }
  }

  /** Slings up to so many of the planned beads. */
  async slingNext(count: number): Promise<void> {
    for (const bead of this.#waiting.splice(0, count)) await this.#sling(bead);
  }

  async slingRest(): Promise<void> {
    await this.slingNext(this.#waiting.length);
  }

  /** Keeps work in flight while the monkey has wishes left: planned beads first, then more of the same kind. */
  readonly feed = async (wanted: ReadonlySet<Phase>): Promise<void> => {
    const short = OPEN_MIN - this.unfinished().length;
    if (short <= 0) return;
    const planned = Math.min(short, this.#waiting.length);
    await this.slingNext(planned);
    for (let made = planned; made < short; made += 1) await this.#slingExtra(wanted.has('message'));
  };

  async #slingExtra(across: boolean): Promise<void> {
    if (this.#extra >= EXTRA_MAX_FACTOR * this.#planned)
      throw new Error(`${String(this.#extra)} more beads were slung and the kills are still not done`);
    const label = `extra${String(this.#extra)}`;
    const rig = RIGS[this.#extra % RIGS.length] ?? '';
    this.#extra += 1;
    const other = this.unfinished().find((one) => one.bead.rig !== rig);
    const dependsOn = across && other !== undefined ? [other.bead.label] : [];
    const seconds = 0.3 + this.#random();
    await this.#sling({ label, rig, style: 'own', other: null, shared: null, seconds, dependsOn, convoy: false });
  }

  async #sling(bead: ChaosBead): Promise<void> {
    const depends = bead.dependsOn.map((label) => this.slung.get(label)?.id ?? label);
    const body = {
      rig: bead.rig,
      title: bead.label,
      body: bodyOf(this.#stage, bead),
      depends_on: depends,
      sling: true,
    };
    const call = { method: 'POST', path: 'beads', body, key: `sling-${bead.label}` } as const;
    const made = await callUntilAnswered<Made>(this.#stage.town, call, ANSWER_WAIT_MS);
    this.slung.set(bead.label, { bead, id: made.id });
  }

  /** Counted on the remotes. */
  unfinished(): readonly Slung[] {
    const merged = new Set([...this.#stage.remotes.values()].flatMap(mergedBeads));
    return [...this.slung.values()].filter(({ id }) => !merged.has(id));
  }
}

/** Source beads that a first-parent commit of the target names. */
function mergedBeads(bare: string): readonly string[] {
  const format = '--format=%(trailers:key=Gt-Bead,valueonly,separator=%x20)';
  return git(['--git-dir', bare, 'log', '--first-parent', format, 'main']).split(/\s+/);
}
