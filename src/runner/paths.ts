import { join } from 'node:path';

import { usage } from '../core/errors.ts';

/** Where a town keeps the runner's things; every path is made here, from checked names only. */
export interface RunnerPaths {
  readonly townRoot: string;
  readonly state: string;
  readonly lock: string;
  readonly pidFile: string;
  readonly database: string;
  readonly runnerSocket: string;
  readonly transcripts: string;
  readonly attempts: string;
  readonly repos: string;
  readonly worktrees: string;
  /** A file per attempt whose work, set aside, a person gave up. */
  readonly givenUp: string;
}

export function runnerPaths(townRoot: string, socketDir: string): RunnerPaths {
  const state = join(townRoot, '.gastown');
  return {
    townRoot,
    state,
    lock: join(state, 'runner.lock'),
    pidFile: join(state, 'runner.pid'),
    database: join(state, 'runner.db'),
    runnerSocket: join(socketDir, 'runner.sock'),
    transcripts: join(state, 'transcripts'),
    attempts: join(state, 'attempts'),
    repos: join(state, 'repos'),
    worktrees: join(state, 'worktrees'),
    givenUp: join(state, 'given-up'),
  };
}

/** The daemon's socket, for the runner beside it. */
export const brainSocket = (socketDir: string): string => join(socketDir, 'brain.sock');

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** Checks a name that becomes one part of a path or ref. Errors: `bad_name`. */
export function pathSegment(text: string, what: string): string {
  if (!SEGMENT.test(text)) {
    throw usage(
      'bad_name',
      `${JSON.stringify(text.slice(0, 80))} can't be the name of ${what}.`,
      'Use letters, digits, "-" and "_", and begin with a letter or digit.',
      what,
    );
  }
  return text;
}

export const stateDir = (paths: RunnerPaths, attempt: string): string =>
  join(paths.attempts, pathSegment(attempt, 'an attempt'));
export const transcriptFile = (paths: RunnerPaths, attempt: string): string =>
  join(paths.transcripts, `${pathSegment(attempt, 'an attempt')}.log`);
export const bareRepo = (paths: RunnerPaths, rig: string): string =>
  join(paths.repos, `${pathSegment(rig, 'a rig')}.git`);
export const rigWorktrees = (paths: RunnerPaths, rig: string): string =>
  join(paths.worktrees, pathSegment(rig, 'a rig'));
