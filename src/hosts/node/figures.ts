import type { ProcessFigures } from '../../api/metrics.ts';
import { Histogram } from './histogram.ts';
import type { NodeStreams } from './streams.ts';
import type { Telemetry } from './telemetry/exporter.ts';

const US_PER_SECOND = 1_000_000;

/** What a daemon knows of itself. Costs nothing while nothing happens. */
export class Figures {
  readonly #took = new Histogram();
  readonly #waits = new Histogram();
  #committed = 0;
  readonly #startedAtMs = Date.now();

  /** Turns that were committed. */
  get turns(): number {
    return this.#committed;
  }

  turned(): void {
    this.#committed += 1;
  }

  readonly turnTook = (tookMs: number, waitedMs: number): void => {
    this.#took.add(tookMs);
    this.#waits.add(waitedMs);
  };

  now(streams: NodeStreams | null, telemetry: Telemetry | null): ProcessFigures {
    const { user, system } = process.cpuUsage();
    return {
      streamReaders: streams?.readers ?? 0,
      spansSent: telemetry?.sent ?? 0,
      spansDropped: telemetry?.dropped ?? 0,
      slowReaders: streams?.slowReaders ?? 0,
      turns: this.#took.figures(),
      turnWaits: this.#waits.figures(),
      startedAtMs: this.#startedAtMs,
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / US_PER_SECOND,
    };
  }
}
