import type { TownService } from '../src/actors/town-service.ts';
import type { Caller } from '../src/core/commands.ts';
import { MAYOR_SCOPE } from '../src/core/model/mayor.ts';
import type { Sim } from './context.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

type Ask = <T>(label: string, work: (town: TownService) => Promise<T>, then: (value: T) => void) => void;

/** A person who stopped the mayor lets it run again after so long. */
const REST_MAX_MS = 4 * 60_000;
const MESSAGES_MAX = 4;

/** What people do with the mayor: ask it things, several at once too, stop it for a while, end its session. */
export class PeopleAndMayor {
  readonly #sim: Sim;
  readonly #ask: Ask;

  constructor(sim: Sim, ask: Ask) {
    this.#sim = sim;
    this.#ask = ask;
  }

  act(step: PersonStep, chance: Prng, caller: Caller): void {
    if (step.kind === 'mayor_message') {
      for (let n = chance.between(1, MESSAGES_MAX); n > 0; n -= 1) this.#message(`${step.id}.${String(n)}`, caller);
      return;
    }
    if (step.kind === 'mayor_rest') {
      this.#tell(`${step.id} stops the mayor`, (town) => town.mayor.stop(caller));
      this.#sim.time.after(chance.between(1_000, REST_MAX_MS), 'people start the mayor', () => {
        this.#tell(`${step.id} starts the mayor`, (town) => town.mayor.start(caller));
      });
      return;
    }
    const action = chance.pick(['cycle', 'restart'] as const) ?? 'cycle';
    const request = { action, requestedBy: caller.actor, note: '' };
    this.#tell(`${step.id} ${action} of the mayor`, (town) => town.mayor.lifecycle(request, caller.idempotencyKey));
  }

  #tell(label: string, work: (town: TownService) => Promise<unknown>): void {
    this.#ask(label, work, () => undefined);
  }

  #message(id: string, caller: Caller): void {
    const text = `question ${id}`;
    const { mayor, time } = this.#sim;
    this.#ask(
      `message ${id} to the ${MAYOR_SCOPE}`,
      (town) => {
        mayor.says(text, time.wallMs);
        return town.mayor.message(text, { ...caller, idempotencyKey: `say-${id}` });
      },
      (message) => {
        mayor.taken(text, message.seq);
      },
    );
  }
}
