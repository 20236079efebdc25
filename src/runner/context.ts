import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { LiveAgent } from './agents/live.ts';
import type { Brain } from './brain.ts';
import type { TownAccess } from './config.ts';
import type { WorktreePool } from './git/pool.ts';
import type { Pushes } from './git/pushes.ts';
import type { Repos } from './git/repos.ts';
import type { RunnerTimings } from './limits.ts';
import type { RunnerPaths } from './paths.ts';
import type { AttemptStore } from './store/attempts.ts';
import type { RunnerDb } from './store/db.ts';
import type { FactStore } from './store/facts.ts';
import type { JobStore } from './store/jobs.ts';
import type { SaidStore } from './store/said.ts';
import type { SessionStore } from './store/sessions.ts';
import type { SetAsideStore } from './store/set-aside.ts';

/** Everything one runner process works with; made once, in `runner.ts`. */
export interface RunnerContext {
  readonly town: TownAccess;
  readonly paths: RunnerPaths;
  /** Name of this runner in its town; `local` beside the daemon. Marks its processes apart from those of another one. */
  readonly name: string;
  /** Agents of one rig at once that it says it can hold; null: as many as the rig allows. */
  readonly capacity: number | null;
  readonly labels: readonly string[];
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
  readonly pushes: Pushes;
  readonly said: SaidStore;
  readonly sessions: SessionStore;
  readonly setAside: SetAsideStore;
  readonly pool: WorktreePool;
  /** By attempt id. */
  readonly live: Map<string, LiveAgent>;
}
