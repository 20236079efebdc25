/** What people do just when the town knows least: in other stories that is a chance in a thousand. */
import type { Caller } from '../src/core/commands.ts';
import { trusted, type BeadId } from '../src/core/model/ids.ts';
import type { ConvoyDetail } from '../src/core/queries.ts';
import type { Brain } from './brain.ts';
import type { Sim } from './context.ts';
import type { Ask } from './people-talk.ts';
import type { PersonKind, PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

const SECOND = 1_000;
/** Nothing comes back from the runner for so long while the machine falls asleep: nobody hears what became of the push. */
const QUIET_MS = 40 * SECOND;
const SLEEP_MIN_MS = 20 * 60 * SECOND;
const SLEEP_MAX_MS = 3 * 60 * 60 * SECOND;
/** People are back at the machine so soon after it woke up. */
const BACK_MAX_MS = 20 * SECOND;
/** Who made a plan closes one of its beads after so long, and starts the rest after that. */
const SOON_MIN_MS = 2 * SECOND;
const SOON_MAX_MS = 40 * SECOND;
/** Verifying a claim and publishing its commits take up to about so long: somebody merges before, between, or after. */
const JUDGING_MS = 1_500;

/** A branch is emptied so long after the thought. */
const EMPTY_MAX_MS = 3 * 60 * SECOND;

export const MOMENT_KINDS: ReadonlySet<PersonKind> = new Set([
  'close_unsure',
  'close_staged',
  'merge_early',
  'empty_pull',
]);

interface Moment {
  readonly sim: Sim;
  readonly brain: Brain;
  readonly chance: Prng;
  readonly caller: Caller;
  readonly ask: Ask;
  readonly learn: (convoy: ConvoyDetail) => void;
  readonly close: (bead: BeadId, heard: () => void) => void;
}

export function momentOf(step: PersonStep, moment: Moment): void {
  if (step.kind === 'close_unsure') closeUnsure(moment);
  else if (step.kind === 'close_staged') closeStaged(step, moment);
  else if (step.kind === 'merge_early') mergeEarly(moment);
  else emptyPull(moment);
}

/** The machine goes to sleep while a push is under way; back at it, people want that work no more. */
function closeUnsure({ sim, chance, close }: Moment): void {
  const sleepMs = chance.between(SLEEP_MIN_MS, SLEEP_MAX_MS);
  const asleepInMs = chance.between(SECOND, QUIET_MS / 4);
  const backInMs = chance.between(1, BACK_MAX_MS);
  sim.atPush.next = (pushed) => {
    if (!sim.storm()) return;
    sim.weather.begin('runner_answer', QUIET_MS, 1);
    sim.time.after(asleepInMs, `the machine sleeps while ${pushed} is pushed`, () => {
      if (!sim.storm()) return;
      sim.sleep(sleepMs);
      sim.time.after(backInMs, `people are back, and do not want ${pushed}`, () => {
        close(trusted.bead(pushed), () => undefined);
      });
    });
  };
}

/** A plan over two rigs is made; what its second bead waits for is closed before the rest is started. */
function closeStaged(step: PersonStep, { sim, chance, caller, ask, learn, close }: Moment): void {
  const rigs = chance.chance(0.5) ? ['api', 'web'] : ['web', 'api'];
  const tasks = rigs.map((rig, position) => ({
    rig: trusted.rig(rig),
    title: `${step.id} task ${String(position)}`,
    body: '',
    priority: 'medium' as const,
    runtime: null,
    model: null,
    dependsOn: position === 0 ? [] : [0],
  }));
  const plan = {
    tasks,
    beads: [],
    title: `convoy ${step.id}`,
    mergeMode: 'review-and-merge',
    onFailure: chance.pick(['hold', 'skip'] as const) ?? 'hold',
    staged: true,
  } as const;
  const closeInMs = chance.between(SOON_MIN_MS, SOON_MAX_MS);
  const startInMs = chance.between(SOON_MIN_MS, SOON_MAX_MS);
  ask(
    `create ${step.id}`,
    (town) => town.createConvoy(plan, caller),
    (convoy) => {
      learn(convoy);
      const first = convoy.beads[0]?.beadId ?? null;
      if (first === null) return;
      const start = (): void => {
        const key = `${step.id}-start`;
        ask(
          `start ${convoy.id}`,
          (town) => town.startConvoy(convoy.id, { ...caller, idempotencyKey: key }),
          () => undefined,
        );
      };
      sim.time.after(closeInMs, `people close ${first} before they start ${convoy.id}`, () => {
        close(first, () => {
          sim.time.after(startInMs, `people start ${convoy.id}`, start);
        });
      });
    },
  );
}

/** An agent says that its rework is done, and just then somebody merges the pull request as it was before. */
function mergeEarly({ sim, brain, chance }: Moment): void {
  const inMs = chance.between(1, JUDGING_MS);
  sim.atClaim.next = (lineage) => {
    const branch = `gt/${lineage}`;
    if (brain.forge?.open.includes(branch) !== true) return false;
    sim.time.after(inMs, `people merge ${branch} as it is`, () => {
      brain.forge?.mergeOpen(branch);
    });
    return true;
  };
}

/** Somebody puts the target over the branch of a pull request, late enough that hardly anybody does something about it. */
function emptyPull({ sim, brain, chance }: Moment): void {
  sim.time.after(chance.between(SECOND, EMPTY_MAX_MS), 'people empty a branch', () => {
    const branch = chance.pick(brain.forge?.open ?? []);
    if (branch === undefined) return;
    sim.note(`people put the target over ${branch}`);
    brain.forge?.empty(branch);
  });
}
