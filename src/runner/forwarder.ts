import type { Fact } from '../api/contract/runner.ts';
import type { Log } from '../ports/log.ts';
import type { Brain, FactsAnswer } from './brain.ts';
import { pause } from './clock.ts';
import type { RunnerTimings } from './limits.ts';
import type { FactStore } from './store/facts.ts';
import { errorText } from './text.ts';

/** Brings facts to the brain: in order within a rig, until each is recorded, however long the brain is away. */
export class Forwarder {
  readonly #facts: FactStore;
  readonly #brain: Brain;
  readonly #timings: RunnerTimings;
  readonly #log: Log;
  readonly #running = new Map<string, Promise<void>>();
  readonly #ended = new AbortController();
  #hurry = new AbortController();

  constructor(parts: {
    readonly facts: FactStore;
    readonly brain: Brain;
    readonly timings: RunnerTimings;
    readonly log: Log;
  }) {
    this.#facts = parts.facts;
    this.#brain = parts.brain;
    this.#timings = parts.timings;
    this.#log = parts.log;
  }

  /** Something may be waiting, or the brain was just heard of: try now, without the rest of any pause. */
  wake(): void {
    if (this.#ended.signal.aborted) return;
    this.#hurry.abort();
    this.#hurry = new AbortController();
    try {
      for (const rig of this.#facts.rigsWaiting()) this.#ensure(rig);
    } catch (error) {
      this.#log.error('facts can not be read', { error: errorText(error) });
    }
  }

  /** Ends after the call under way; what is not recorded stays on disk. */
  async stop(): Promise<void> {
    this.#ended.abort();
    this.#hurry.abort();
    await Promise.all(this.#running.values());
  }

  #ensure(rig: string): void {
    if (this.#running.has(rig)) return;
    const work = this.#forward(rig)
      .catch(async (error: unknown) => {
        this.#log.error('facts are not forwarded', { rig, error: errorText(error) });
        await pause(this.#timings.retryMsMax, this.#ended.signal);
      })
      .then(() => {
        this.#running.delete(rig);
        // Recorded between the last look and here.
        this.wake();
      });
    this.#running.set(rig, work);
  }

  async #forward(rig: string): Promise<void> {
    let waitMs = this.#timings.retryMsMin;
    let single = false;
    while (!this.#ended.signal.aborted) {
      const waiting = this.#facts.oldest(rig);
      if (waiting.length === 0) return;
      const batch: readonly Fact[] = single ? waiting.slice(0, 1) : waiting;
      const answer: FactsAnswer = await this.#brain.facts(batch).catch(() => ({ recorded: [] }));
      if ('recorded' in answer && answer.recorded.length > 0) {
        this.#facts.forget(answer.recorded);
        waitMs = this.#timings.retryMsMin;
        continue;
      }
      if ('refused' in answer) {
        // One bad fact must not block the others: find it by sending one at a time.
        if (batch.length === 1) this.#setAside(batch[0]?.key ?? '', answer.refused);
        single = batch.length > 1;
        continue;
      }
      single = 'tooMuch' in answer;
      if (single && batch.length > 1) continue;
      await pause(waitMs, this.#hurry.signal);
      waitMs = Math.min(waitMs * 2, this.#timings.retryMsMax);
    }
  }

  #setAside(key: string, reason: string): void {
    this.#facts.reject(key, reason);
    this.#log.error('the brain refuses a fact, it is set aside', { key, reason: reason.slice(0, 200) });
  }
}
