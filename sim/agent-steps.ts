import type { TownService } from '../src/actors/town-service.ts';
import { TownError } from '../src/core/errors.ts';
import { currentStep, makeFormula, type Formula, type MoleculeStep } from '../src/core/model/molecule.ts';
import type { Capability } from '../src/core/queries.ts';
import type { Sim } from './context.ts';
import { Violation } from './ledger.ts';
import type { Prng } from './prng.ts';
import type { Answer } from './wire.ts';

/** The steps that some beads here follow. */
export const SIM_FORMULA: Formula = makeFormula('sim', [
  { id: 'test', title: 'Test' },
  { id: 'code', title: 'Code', instructions: 'Make it pass.' },
  { title: 'Docs', needs: ['test'], optional: true },
  { title: 'Look again', needs: ['code'] },
]);

/** An agent that gets no answer goes on after so many tries; "done" will tell it what is open. */
const TRIES_MAX = 4;
const AGAIN_MS = 4_000;
const STEP_MS = 3_000;

interface Parts {
  readonly sim: Sim;
  readonly capability: Capability;
  readonly chance: Prng;
  readonly later: (delayMs: number, what: string, work: () => void) => void;
  readonly send: <T>(word: string, work: (town: TownService) => Promise<T>, done: (answer: Answer<T>) => void) => void;
}

/** One agent and its formula: takes step after step, says each report again until it is answered. */
export class AgentSteps {
  readonly #parts: Parts;
  #tries = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Settles every step that is open, then goes on. */
  take(goOn: () => void): void {
    this.#parts.send(
      'steps',
      (town) => town.talk.molecule(this.#parts.capability),
      (answer) => {
        if (!answer.ok) {
          this.#unanswered(answer.error, goOn, () => {
            this.take(goOn);
          });
          return;
        }
        const step = currentStep(answer.value);
        if (step === null) goOn();
        else
          this.#parts.later(this.#parts.chance.between(1, STEP_MS), `takes step ${String(step.number)}`, () => {
            this.#report(step, goOn);
          });
      },
    );
  }

  #report(step: MoleculeStep, goOn: () => void): void {
    const { attempt, bead } = this.#parts.capability;
    // An agent that says it again, however late, says the same.
    const nature = this.#parts.sim.chance(`step ${String(step.number)} of ${attempt}`);
    const status = nature.chance(0.2) ? 'skipped' : 'done';
    const report = { step: step.number, status, summary: `step ${String(step.number)} by ${attempt}` } as const;
    this.#say(report, goOn, () => {
      this.#parts.sim.ledger.stepSettled(`${bead} ${String(step.number)}`, `${status} ${report.summary}`);
      this.take(goOn);
    });
  }

  #say(
    report: { readonly step: number; readonly status: 'done' | 'skipped'; readonly summary: string },
    goOn: () => void,
    taken: () => void,
  ): void {
    this.#parts.send(
      `step ${String(report.step)}`,
      (town) => town.talk.advance(this.#parts.capability, report),
      (answer) => {
        if (answer.ok) taken();
        else
          this.#unanswered(answer.error, goOn, () => {
            this.#say(report, goOn, taken);
          });
      },
    );
  }

  /** L17: a live session takes its steps in order and alone, so it is never told that somebody else did. */
  #unanswered(error: unknown, goOn: () => void, again: () => void): void {
    if (error instanceof TownError && (error.code === 'step_settled' || error.code === 'out_of_order'))
      throw new Violation('L17', `${this.#parts.capability.attempt}: ${error.message}`);
    if (error instanceof TownError && error.code === 'superseded') return;
    this.#tries += 1;
    const isFinal = error instanceof TownError && error.kind !== 'busy';
    if (isFinal || this.#tries > TRIES_MAX) goOn();
    else this.#parts.later(AGAIN_MS, 'says its step again', again);
  }
}
