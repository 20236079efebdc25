import type { Caller, RigConfig } from '../src/core/commands.ts';
import { TownError } from '../src/core/errors.ts';
import { trusted, type RigName } from '../src/core/model/ids.ts';
import type { RigRemoval } from '../src/core/queries.ts';
import type { TownService } from '../src/actors/town-service.ts';
import type { Brain } from './brain.ts';
import type { Sim } from './context.ts';
import type { Ask } from './people-talk.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

/** Who drains a rig asks again after so long … */
const LOOK_MIN_MS = 3_000;
const LOOK_MAX_MS = 20_000;
/** … and changes their mind after so long. */
const PATIENCE_MIN_MS = 40_000;
const PATIENCE_MAX_MS = 5 * 60_000;
/** A rig that was removed is missed after so long. */
const MISSED_MIN_MS = 10_000;
const MISSED_MAX_MS = 2 * 60_000;

interface Drain {
  readonly rig: RigName;
  readonly chance: Prng;
  readonly caller: Caller;
  readonly untilMs: number;
}

/** People who drain a rig and remove it from the town, and take it back: parked or gone, its work would wait for ever. */
export class PeopleOfRigs {
  readonly #sim: Sim;
  readonly #brain: Brain;
  readonly #ask: Ask;
  /** What the town's file said of the rigs that somebody drains. */
  readonly #before = new Map<string, RigConfig>();

  constructor(sim: Sim, brain: Brain, ask: Ask) {
    this.#sim = sim;
    this.#brain = brain;
    this.#ask = ask;
  }

  drain(step: PersonStep, chance: Prng, caller: Caller): void {
    const rig = trusted.rig(chance.pick(['api', 'web']) ?? 'api');
    const patienceMs = chance.between(PATIENCE_MIN_MS, PATIENCE_MAX_MS);
    this.#look({ rig, chance, caller, untilMs: this.#sim.time.nowMs + patienceMs }, 1);
  }

  #look(drain: Drain, looks: number): void {
    const { rig, chance, caller } = drain;
    const key = `${caller.idempotencyKey ?? ''}-${String(looks)}`;
    this.#ask(
      `drain ${rig} ${key}`,
      (town) => this.#remove(town, rig, { ...caller, idempotencyKey: key }),
      (answer) => {
        if (answer?.status === 'draining' && this.#sim.storm() && this.#sim.time.nowMs < drain.untilMs) {
          this.#sim.time.after(chance.between(LOOK_MIN_MS, LOOK_MAX_MS), `people look whether ${rig} is empty`, () => {
            this.#look(drain, looks + 1);
          });
          return;
        }
        const missedMs = answer?.status === 'removed' ? chance.between(MISSED_MIN_MS, MISSED_MAX_MS) : 0;
        this.#sim.time.after(missedMs, `people want ${rig} back`, () => {
          this.#takeBack(rig);
        });
      },
    );
  }

  /** As the daemon does it: parked in the town's file, and out of it when it is removed. Null: there is nothing to remove. */
  async #remove(town: TownService, rig: RigName, caller: Caller): Promise<RigRemoval | null> {
    const known = this.#brain.configs.get(rig);
    // An order that comes late must not undo what ended the story.
    if (known === undefined || !this.#sim.storm()) return null;
    if (!this.#before.has(rig)) this.#before.set(rig, known);
    const parked = { ...known, parked: true };
    this.#brain.configs.set(rig, parked);
    await town.addRig(parked);
    const answer = await removeIfEmpty(town, rig, caller);
    if (answer?.status === 'removed') {
      this.#brain.configs.delete(rig);
      this.#sim.ledger.removed.add(rig);
    }
    this.#sim.note(`people drain ${rig}: ${answer?.status ?? 'not theirs'}`);
    if (!this.#sim.storm()) await this.#add(town, rig);
    return answer;
  }

  #takeBack(rig: RigName): void {
    this.#ask(
      `${rig} is taken back`,
      (town) => this.#add(town, rig),
      () => undefined,
    );
  }

  async #add(town: TownService, rig: RigName): Promise<void> {
    const before = this.#before.get(rig);
    if (before === undefined) return;
    const config = { ...(this.#brain.configs.get(rig) ?? before), parked: false };
    await town.addRig(config);
    this.#brain.configs.set(rig, config);
  }

  /** After the storm: what was removed comes back, and what is parked is not for good. */
  takeAllBack(): void {
    for (const rig of this.#before.keys()) this.#takeBack(trusted.rig(rig));
  }
}

/** A rig that somebody else removed meanwhile, or took back, is no longer this person's. */
async function removeIfEmpty(town: TownService, rig: RigName, caller: Caller): Promise<RigRemoval | null> {
  try {
    return await town.removeRig(rig, true, caller);
  } catch (error) {
    if (error instanceof TownError && (error.code === 'rig_not_parked' || error.kind === 'not_found')) return null;
    throw error;
  }
}
