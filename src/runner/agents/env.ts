import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { StartAgent } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';
import { rigWorktrees, stateDir } from '../paths.ts';
import { authorEnvironment } from './author.ts';
import { usageFile } from './usage.ts';

/** Of the runner's own environment: what programs need to find themselves and the network; nothing secret. */
const PASSED_ON = new Set([
  'HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TERM',
  'TMPDIR',
  'USER',
  'LOGNAME',
  'SHELL',
  'TZ',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'JAVA_HOME',
]);
/** A town's configuration may set variables for its agents, but not those that say who the agent is or what gets loaded. */
const SET_BY_TOWN = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;
const RESERVED = /^(GT_|GIT_|LD_|DYLD_)/;

/** The environment that any process under us starts from. */
export function plainEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && PASSED_ON.has(name)) env[name] = value;
  env['PATH'] = `${launcherFolder()}:${process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`;
  return env;
}

/** Everything an agent is told by its environment; the capability is the only secret in it. */
export function agentEnvironment(
  ctx: RunnerContext,
  request: StartAgent,
  commits: { readonly base: string; readonly target: string; readonly targetBranch: string },
): Record<string, string> {
  return {
    ...plainEnvironment(),
    ...townVariables(request.env),
    GT_TOWN: ctx.town.id,
    GT_RUNNER: ctx.name,
    GT_TOWN_ROOT: ctx.paths.townRoot,
    GT_ATTEMPT: request.attempt,
    GT_EPOCH: String(request.epoch),
    GT_ROUND: String(request.round),
    GT_KIND: request.kind,
    GT_BEAD: request.bead,
    GT_SOURCE_BEAD: request.sourceBead,
    GT_RIG: request.rig,
    GT_AGENT: request.agent,
    ...(request.model === null ? {} : { GT_MODEL: request.model }),
    GT_BRANCH: request.branch,
    GT_TARGET_BRANCH: commits.targetBranch,
    GT_TARGET_SHA: commits.target,
    GT_BASE_SHA: commits.base,
    GT_RUNNER_SOCKET: ctx.paths.runnerSocket,
    GT_TOKEN: request.capability,
    GT_STATE_DIR: stateDir(ctx.paths, request.attempt),
    GT_USAGE_FILE: usageFile(stateDir(ctx.paths, request.attempt)),
    ...authorEnvironment(request.author),
    // A worktree that is deleted and made again as a plain folder must not turn git to a repository above it.
    GIT_CEILING_DIRECTORIES: rigWorktrees(ctx.paths, request.rig),
    GIT_TERMINAL_PROMPT: '0',
  };
}

function townVariables(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => SET_BY_TOWN.test(name) && !RESERVED.test(name)));
}

/** The folder with the `gt` launcher: the package's root, in source and build alike. */
function launcherFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
