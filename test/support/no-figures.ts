import type { ProcessFigures } from '../../src/api/metrics.ts';
import { Histogram } from '../../src/hosts/node/histogram.ts';

/** A process that just began. */
export const noFigures = (): ProcessFigures => ({
  streamReaders: 0,
  slowReaders: 0,
  spansSent: 0,
  spansDropped: 0,
  turns: new Histogram().figures(),
  turnWaits: new Histogram().figures(),
  startedAtMs: 0,
  residentBytes: 0,
  cpuSeconds: 0,
});
