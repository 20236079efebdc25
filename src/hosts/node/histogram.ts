import type { HistogramFigures } from '../../api/metrics.ts';

/** Upper bounds in seconds: from a turn that finds nothing to do to one that everybody notices. */
const BOUNDS_S = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

const MS_PER_SECOND = 1_000;

/** Counts durations by size, in as many numbers as it has bounds. */
export class Histogram {
  readonly #counts: number[] = [...BOUNDS_S, 0].map(() => 0);
  #sum = 0;
  #count = 0;

  add(ms: number): void {
    const seconds = ms / MS_PER_SECOND;
    const place = BOUNDS_S.findIndex((bound) => seconds <= bound);
    const at = place === -1 ? BOUNDS_S.length : place;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += seconds;
    this.#count += 1;
  }

  /** Per bound how many were no longer, as Prometheus counts. */
  figures(): HistogramFigures {
    let below = 0;
    const buckets = BOUNDS_S.map((bound, at) => {
      below += this.#counts[at] ?? 0;
      return [bound, below] as const;
    });
    return { buckets, sum: this.#sum, count: this.#count };
  }
}
