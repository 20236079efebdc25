import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { StartAgent } from '../../api/contract/runner.ts';
import { type RunnerPaths, pathSegment, stateDir } from '../paths.ts';
import { plainEnvironment } from './env.ts';
import { usageFile } from './usage.ts';

/** True for an attempt without a repository: a session of the town itself, for example the mayor's. */
export const isTownSession = (request: StartAgent): boolean => request.repo === null;

const sessionFolder = (paths: RunnerPaths, request: StartAgent): string =>
  join(paths.state, 'sessions', pathSegment(request.bead, 'a session').toLowerCase());

/** A folder that outlives the sessions, for notes; it is nobody's worktree. */
export async function makeSessionFolder(paths: RunnerPaths, request: StartAgent): Promise<string> {
  const folder = sessionFolder(paths, request);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** What a session without a bead is told by its environment; the capability is the only secret in it. */
export function sessionEnvironment(
  place: { readonly paths: RunnerPaths; readonly town: string; readonly runner: string },
  request: StartAgent,
): Record<string, string> {
  const { paths } = place;
  return {
    ...plainEnvironment(),
    GT_TOWN: place.town,
    GT_RUNNER: place.runner,
    GT_TOWN_ROOT: paths.townRoot,
    GT_ATTEMPT: request.attempt,
    GT_EPOCH: String(request.epoch),
    GT_AGENT: request.agent,
    GT_SITTING: String(request.round),
    ...(request.model === null ? {} : { GT_MODEL: request.model }),
    GT_RUNNER_SOCKET: paths.runnerSocket,
    GT_TOKEN: request.capability,
    GT_STATE_DIR: stateDir(paths, request.attempt),
    GT_USAGE_FILE: usageFile(stateDir(paths, request.attempt)),
    GIT_CEILING_DIRECTORIES: join(paths.state, 'sessions'),
    GIT_TERMINAL_PROMPT: '0',
  };
}
