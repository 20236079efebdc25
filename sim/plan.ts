import { BEADS_KEPT_MS } from '../src/core/limits.ts';
import {
  FAR_KINDS,
  farFaults,
  HOST_KIND,
  hostFaults,
  PROGRAM_KIND,
  programFaults,
  SHIELD_KINDS,
  shieldFaults,
  TARGET_KIND,
  targetFaults,
} from './fault-plan.ts';
import { FORGE_KINDS, forgeFaults, pullCancels, slungOf } from './forge-plan.ts';
import { moments, rigDrains, trainPauses, type MomentKind } from './people-plan.ts';
import { Prng } from './prng.ts';

/** What people and the outside do to the town. */
export const PERSON_KINDS = [
  'bead',
  'convoy',
  'doomed_convoy',
  'start_convoy',
  'sling',
  'close',
  'hold',
  'release',
  'retry',
  'unsling',
  'update',
  'request_changes',
  'convoy_add',
  'convoy_remove',
  'convoy_update',
  'convoy_close',
  'revert_convoy',
  'settings',
  'budget',
  'push',
  'outside_merge',
  'move_branch',
  'drop_feature',
  'reopen',
  'look',
  'mail',
  'read_mail',
  'nudge',
  'lifecycle',
  'escalation',
  'mayor_message',
  'mayor_rest',
  'mayor_cycle',
  'pause_train',
  'cancel_pull',
  'drain_rig',
  'close_unsure',
  'close_staged',
  'merge_early',
  'empty_pull',
] as const;
export type PersonKind = (typeof PERSON_KINDS)[number];

/**
 * What goes wrong. `crash_*`: the brain's process ends at exactly that place. `disk_*`: writes fail for a while or once.
 * `runner_*`/`brain_*`: calls to that side are lost, lose their answer, come twice, or late. `machine_death`: the runner
 * with all agents; `runner_death`: the runner alone, its agents go on until the next one ends them. `racer`: somebody
 * pushes just before we do.
 */
const NEAR_KINDS = [
  'crash_statement',
  'crash_before_commit',
  'crash_after_commit',
  'crash_before_effect',
  'crash_after_effect',
  'crash_long',
  'disk_full',
  'disk_error',
  'runner_lose',
  'runner_answer',
  'runner_twice',
  'runner_slow',
  'brain_lose',
  'brain_answer',
  'brain_twice',
  'brain_slow',
  'runner_death',
  'machine_death',
  'runner_hang',
  'git_outage',
  'git_slow',
  'gates_flaky',
  'gates_timeout',
  'gates_killed',
  'racer',
  'spawn_fails',
  'clock_jump',
  'clock_back',
  'alarm_lost',
  'alarm_twice',
] as const;
export const FAULT_KINDS = [
  ...NEAR_KINDS,
  ...FAR_KINDS,
  PROGRAM_KIND,
  ...SHIELD_KINDS,
  ...FORGE_KINDS,
  TARGET_KIND,
  HOST_KIND,
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PersonStep {
  readonly id: string;
  readonly atMs: number;
  readonly kind: PersonKind;
}

export interface FaultStep {
  readonly id: string;
  readonly atMs: number;
  readonly kind: FaultKind;
  /** How long the weather lasts; how long a process stays down. */
  readonly durationMs: number;
  /** Chance per opportunity while it lasts. */
  readonly strength: number;
  /** Opportunities to let pass first, for faults that strike once. */
  readonly countdown: number;
}

export interface Plan {
  readonly seed: number;
  readonly people: readonly PersonStep[];
  readonly faults: readonly FaultStep[];
  /** Faults and people end here; then the town must come to rest. */
  readonly stormMs: number;
  /** Work, gates and outages are long enough to outlast leases and patrols. */
  readonly long: boolean;
  /** There is a second runner, on another machine. */
  readonly far: boolean;
  /** Share of the single beads that run at once. */
  readonly slung: number;
  readonly tasksMax: number;
  /** The storm goes on until so many steps were taken, so many beads created and so many faults struck. */
  readonly stepsMin: number;
  readonly beadsMin: number;
  readonly faultsMin: number;
}

const MINUTE = 60_000;
/** Every seed has at least so many steps, beads, and faults that struck; a story shrunk to a few entries has none to add. */
export const STEPS_MIN = 500;
export const BEADS_MIN = 20;
export const FAULTS_MIN = 10;
/** Most seeds are short and dense: few beads run, and much strikes them. Each so manieth has a full line of work … */
const MIDDLE_EVERY = 10;
/** … and each so manieth is long: its waits, patrols and outages have time to grow into each other. */
const LONG_EVERY = 20;

/** How large a story is. Work comes in the first part of the storm, so that there is something to disturb in the rest. */
interface Size {
  readonly stormMs: number;
  readonly workMs: number;
  readonly beads: readonly [number, number];
  readonly convoys: readonly [number, number];
  readonly later: readonly [number, number];
  readonly faults: readonly [number, number];
  /** Spells of weather and outages last at most so long. */
  readonly spellMaxMs: number;
  /** Share of the single beads that run at once; the others are recorded, and may be slung, changed or closed later. */
  readonly slung: number;
  /** Tasks of one convoy. */
  readonly tasksMax: number;
  /** Share of the stories with a convoy that must be aborted. */
  readonly doomed: number;
}

const SHORT: Size = {
  stormMs: 4 * MINUTE,
  workMs: 2 * MINUTE,
  beads: [13, 16],
  convoys: [1, 2],
  later: [8, 12],
  faults: [11, 15],
  spellMaxMs: MINUTE,
  slung: 0.2,
  tasksMax: 3,
  doomed: 0.06,
};
const MIDDLE: Size = {
  stormMs: 9 * MINUTE,
  workMs: 4 * MINUTE,
  beads: [7, 10],
  convoys: [2, 4],
  later: [10, 16],
  faults: [11, 16],
  spellMaxMs: 2 * MINUTE,
  slung: 0.85,
  tasksMax: 5,
  doomed: 0.3,
};
const LONG: Size = {
  stormMs: 60 * MINUTE,
  workMs: 20 * MINUTE,
  beads: [7, 10],
  convoys: [2, 5],
  later: [16, 30],
  faults: [12, 24],
  spellMaxMs: 30 * 60 * MINUTE,
  slung: 0.85,
  tasksMax: 5,
  doomed: 0.3,
};

/** What comes by a chance of its own, to some stories. */
type OwnKind = 'pause_train' | 'cancel_pull' | 'drain_rig' | MomentKind;
const LATER: Readonly<Record<Exclude<PersonKind, 'bead' | 'convoy' | 'doomed_convoy' | OwnKind>, number>> = {
  budget: 8,
  start_convoy: 3,
  sling: 3,
  close: 6,
  hold: 2,
  release: 2,
  retry: 4,
  unsling: 1,
  update: 1,
  request_changes: 3,
  convoy_add: 2,
  convoy_remove: 2,
  convoy_update: 2,
  convoy_close: 4,
  revert_convoy: 3,
  settings: 2,
  push: 4,
  outside_merge: 3,
  move_branch: 3,
  drop_feature: 2,
  reopen: 4,
  look: 2,
  mail: 2,
  read_mail: 1,
  nudge: 3,
  lifecycle: 2,
  escalation: 4,
  mayor_message: 10,
  mayor_rest: 1,
  mayor_cycle: 1,
};

/** The whole story of one seed, as lists from which single entries can be left out. */
export function makePlan(seed: number): Plan {
  const chance = new Prng(`plan ${String(seed)}`);
  const size = seed % LONG_EVERY === 0 ? LONG : seed % MIDDLE_EVERY === 0 ? MIDDLE : SHORT;
  const { stormMs, workMs } = size;
  const people: Omit<PersonStep, 'id'>[] = [];
  const add = (kind: PersonKind, fromMs: number, toMs: number): void => {
    people.push({ kind, atMs: chance.between(fromMs, toMs) });
  };
  for (let n = chance.between(...size.beads); n > 0; n -= 1) add('bead', 0, workMs);
  for (let n = chance.between(...size.convoys); n > 0; n -= 1) add('convoy', 0, workMs);
  for (let n = chance.between(...size.later); n > 0; n -= 1) add(chance.weighted(LATER), MINUTE, stormMs);
  add('bead', workMs, stormMs);
  add('convoy', workMs, stormMs);
  if (chance.chance(size.doomed)) add('doomed_convoy', 0, workMs);
  const faults = Array.from({ length: chance.between(...size.faults) }, () => makeFault(chance, size));
  faults.push(...monthsAway(seed, size));
  // Back after months, somebody takes up old things again: they are in the archive by then.
  for (const { kind, atMs, durationMs } of faults)
    if (kind === 'clock_jump' && durationMs > BEADS_KEPT_MS)
      for (const delayMin of [2, 3, 4, 5]) people.push({ kind: 'reopen', atMs: atMs + delayMin * MINUTE });
  const far = farFaults(seed, size);
  return {
    seed,
    far: far !== null,
    stormMs,
    long: size === LONG,
    slung: slungOf(seed, size),
    tasksMax: size.tasksMax,
    stepsMin: STEPS_MIN,
    beadsMin: BEADS_MIN,
    faultsMin: FAULTS_MIN,
    people: [
      ...people.toSorted((a, b) => a.atMs - b.atMs).map((step, index) => ({ ...step, id: `p${String(index)}` })),
      ...trainPauses(seed, size),
      ...pullCancels(seed, size),
      ...rigDrains(seed, size),
      ...moments(seed, size),
    ],
    faults: [
      ...faults.toSorted((a, b) => a.atMs - b.atMs).map((step, index) => ({ ...step, id: `f${String(index)}` })),
      ...(far ?? []),
      ...programFaults(seed, size),
      ...shieldFaults(seed, size),
      ...targetFaults(seed, size),
      ...forgeFaults(seed, size),
      ...hostFaults(seed, size),
    ],
  };
}

/**
 * Late enough that something has ended by then, in stories that are long enough for it: what ended long ago is to rest.
 * Of its own chance, so that other stories stay what they are.
 */
function monthsAway(seed: number, size: Size): readonly Omit<FaultStep, 'id'>[] {
  if (size === SHORT || !new Prng(`months of ${String(seed)}`).chance(AWAY_SHARE)) return [];
  const durationMs = ASLEEP_DAYS.months * 24 * 60 * MINUTE;
  return [{ kind: 'clock_jump', atMs: size.stormMs - 3 * MINUTE, durationMs, strength: 1, countdown: 0 }];
}

function makeFault(chance: Prng, size: Size): Omit<FaultStep, 'id'> {
  const kind = chance.pick(NEAR_KINDS) ?? 'crash_statement';
  const [low, high] = DURATIONS[kind] ?? [MINUTE, 10 * MINUTE];
  const atMs = chance.between(0, size.stormMs - MINUTE);
  // A machine that was asleep for a week or for months: mail expires, queues are pruned, what ended goes to the archive.
  const asleep = kind === 'clock_jump' ? chance.weighted({ none: 7, week: 2, months: 1 }) : 'none';
  const asleepMs = ASLEEP_DAYS[asleep] * 24 * 60 * MINUTE;
  const wantedMs = chance.between(low, high) + asleepMs;
  const durationMs = kind.startsWith('clock_') ? wantedMs : Math.min(wantedMs, size.spellMaxMs);
  const strength = kind === 'disk_full' ? 1 : chance.between(20, 100) / 100;
  const countdown = chance.pick([0, 1, 2, 5, 10, 20, 40, 80, 160, 320]) ?? 0;
  // A disk that is nearly full takes most writes and refuses the commit.
  const refusals = countdown >= 5 ? 0.005 : countdown >= 2 ? 0.1 : 1;
  return { kind, atMs, durationMs, strength: kind === 'disk_full' ? refusals : strength, countdown };
}

/** Share of the longer stories in which the machine sleeps for months when much is done. */
const AWAY_SHARE = 0.3;
const SECOND = 1_000;
const ASLEEP_DAYS = { none: 0, week: 8, months: 70 } as const;
const DURATIONS: Readonly<Partial<Record<FaultKind, readonly [number, number]>>> = {
  crash_statement: [10, 5 * SECOND],
  crash_before_commit: [10, 5 * SECOND],
  crash_after_commit: [10, 5 * SECOND],
  crash_before_effect: [10, 5 * SECOND],
  crash_after_effect: [10, 5 * SECOND],
  crash_long: [30 * SECOND, 20 * MINUTE],
  disk_full: [SECOND, 2 * MINUTE],
  disk_error: [SECOND, 2 * SECOND],
  runner_death: [100, 2 * MINUTE],
  machine_death: [100, 5 * MINUTE],
  runner_hang: [5 * SECOND, 15 * MINUTE],
  clock_jump: [MINUTE, 26 * 60 * MINUTE],
  clock_back: [SECOND, 2 * 60 * MINUTE],
};
