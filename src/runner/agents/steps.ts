import type { RunnerContext } from '../context.ts';
import { errorText } from '../text.ts';

/**
 * Steps of a conversation that run in callbacks, where what is thrown would end the runner with all its agents: a full
 * disk, for example.
 */
export class Steps {
  readonly #ctx: Pick<RunnerContext, 'log' | 'timings'>;
  readonly #attempt: string;
  #left: (() => void)[] = [];
  #isRunning = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(ctx: Pick<RunnerContext, 'log' | 'timings'>, attempt: string) {
    this.#ctx = ctx;
    this.#attempt = attempt;
  }

  /** Does a step; what it throws is logged. True: it went well. */
  safely(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      const fields = { attempt: this.#attempt, error: errorText(error) };
      this.#ctx.log.error('a step of a conversation failed', fields);
      return false;
    }
  }

  /** Does a step now, or again and again until it went well; those that follow wait for it, so that their order stays. */
  must(step: () => void): void {
    this.#left.push(step);
    if (this.#timer === null && !this.#isRunning) this.#run();
  }

  #run(): void {
    this.#isRunning = true;
    for (let step = this.#left[0]; step !== undefined; step = this.#left[0]) {
      if (!this.safely(step)) {
        this.#timer = setTimeout(() => {
          this.#timer = null;
          this.#run();
        }, this.#ctx.timings.exitRetryMs);
        this.#timer.unref();
        break;
      }
      this.#left.shift();
    }
    this.#isRunning = false;
  }
}
