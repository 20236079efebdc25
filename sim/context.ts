import type { GitModel } from './git-model.ts';
import type { Landings } from './landings.ts';
import type { Ledger } from './ledger.ts';
import type { MayorLedger } from './mayor-ledger.ts';
import type { Prng } from './prng.ts';
import type { Scheduler } from './scheduler.ts';
import type { Weather } from './weather.ts';
import type { Wire } from './wire.ts';

/** How much later than it would a forge hears of something, and says its answer. */
export interface Late {
  readonly heardMs: number;
  readonly saidMs: number;
}

export const IN_TIME: Late = { heardMs: 0, saidMs: 0 };

/** What all parts of one simulated world share. */
export interface Sim {
  readonly time: Scheduler;
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly landings: Landings;
  readonly mayor: MayorLedger;
  readonly wire: Wire;
  readonly repos: ReadonlyMap<string, GitModel>;
  /** A stream of chance of its own, by name. */
  readonly chance: (name: string) => Prng;
  /** What somebody does in the moment in which the next push begins; called with the lineage that is pushed. */
  readonly atPush: { next: ((bead: string) => void) | null };
  /** What somebody does in the moment in which the next feature branch is looked at before it lands; called with its name. */
  readonly atLanding: { next: ((branch: string) => void) | null };
  /** What somebody does when a merge request is red again, so that its rework waits; called with its lineage. */
  readonly atRedAgain: { next: ((bead: string) => void) | null; readonly red: Set<string> };
  /** What somebody does when the next pull request is asked for; called with its branch. It says how much later the forge is. */
  readonly atOpen: { next: ((branch: string) => Late) | null };
  /** What somebody does when an agent says that it is done; called with its lineage until it answers true. */
  readonly atClaim: { next: ((lineage: string) => boolean) | null };
  /** Who hears that an agent asks people something. */
  readonly asked: { hear: (agent: string) => void };
  /** The machine of the town sleeps for so long. */
  readonly sleep: (durationMs: number) => void;
  /** True while people act and faults strike. */
  readonly storm: () => boolean;
  /** A long story: work and gates take as long as in real life. */
  readonly long: boolean;
  /** Share of the single beads that people sling at once. */
  readonly slung: number;
  /** Tasks of one convoy. */
  readonly tasksMax: number;
  /** One line of the trace; it also goes into the hash that two runs must share. */
  readonly note: (line: string) => void;
}

/** Before anybody waits for a moment to do something. */
export const nobodyWatches = (): Pick<Sim, 'atPush' | 'atLanding' | 'atRedAgain' | 'atOpen' | 'atClaim' | 'asked'> => ({
  atPush: { next: null },
  atLanding: { next: null },
  atRedAgain: { next: null, red: new Set() },
  atOpen: { next: null },
  atClaim: { next: null },
  asked: { hear: () => undefined },
});

export function repoOf(sim: Sim, rig: string): GitModel {
  const repo = sim.repos.get(rig);
  if (repo === undefined) throw new Error(`no repository ${rig}`);
  return repo;
}
