import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { LiveAgent } from './agents/live.ts';
import type { Brain } from './brain.ts';
import type { TownConfig } from './config.ts';
import type { WorktreePool } from './git/pool.ts';
import type { Repos } from './git/repos.ts';
import type { RunnerTimings } from './limits.ts';
import type { RunnerPaths } from './paths.ts';
import type { AttemptStore } from './store/attempts.ts';
import type { RunnerDb } from './store/db.ts';
import type { FactStore } from './store/facts.ts';
import type { JobStore } from './store/jobs.ts';

/** Everything one runner process works with; made once, in `runner.ts`. */
export interface RunnerContext {
  readonly town: TownConfig;
  readonly paths: RunnerPaths;
  /** New at every start of a runner: its change proves that all former agents are gone. */
  readonly instance: string;
  readonly timings: RunnerTimings;
  readonly clock: Clock;
  readonly log: Log;
  readonly db: RunnerDb;
  readonly attempts: AttemptStore;
  readonly facts: FactStore;
  readonly jobs: JobStore;
  readonly brain: Brain;
  readonly repos: Repos;
  readonly pool: WorktreePool;
  /** By attempt id. */
  readonly live: Map<string, LiveAgent>;
}
