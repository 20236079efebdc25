import { TownError } from '../src/core/errors.ts';
import type { Caller } from '../src/core/commands.ts';
import { trusted, type RigName } from '../src/core/model/ids.ts';
import type { TownService } from '../src/actors/town-service.ts';
import type { Sim } from './context.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

type Ask = (label: string, work: (town: TownService) => Promise<unknown>, then: () => void) => void;

/** A person who paused a train looks again after so long. */
const LOOK_MIN_MS = 20_000;
const LOOK_MAX_MS = 4 * 60_000;

/** A person pauses the merge train of a rig, and lets it go on: without that the work behind it would wait for ever. */
export function pauseTrain(
  world: { readonly sim: Sim; readonly ask: Ask; readonly chance: Prng },
  step: PersonStep,
  caller: Caller,
): void {
  const { sim, ask, chance } = world;
  const rig = trusted.rig(chance.pick(['api', 'web']) ?? 'api');
  const lookMs = chance.between(LOOK_MIN_MS, LOOK_MAX_MS);
  const goOn = (name: string): void => {
    sim.time.after(lookMs, `people look after the train of ${rig}`, () => {
      const id = `${step.id} ${name}`;
      ask(
        `${id}: resume ${rig}`,
        (town) => resume(town, rig, { ...caller, idempotencyKey: id }),
        () => undefined,
      );
      // An order whose answer was lost may be carried out late.
      if (sim.storm()) goOn(`${name}+`);
    });
  };
  ask(
    `${step.id} pauses the train of ${rig}`,
    (town) => town.rigCommand(rig, { type: 'pause_train', target: null, reason: `${step.id} cuts a release` }, caller),
    () => {
      goOn('heard');
    },
  );
  goOn('looks');
}

async function resume(town: TownService, rig: RigName, caller: Caller): Promise<void> {
  try {
    await town.rigCommand(rig, { type: 'resume_train', target: null }, caller);
  } catch (error) {
    if (!(error instanceof TownError) || error.code !== 'train_not_paused') throw error;
  }
}
