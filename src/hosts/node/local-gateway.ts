import { existsSync } from 'node:fs';
import { createApp } from '../../api/app.ts';
import type { RigConfig } from '../../core/commands.ts';
import type { RefusedSettings } from '../../core/refused-settings.ts';
import { TownError } from '../../core/errors.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import { silentLog } from '../../ports/log.ts';
import { monotoneClock } from './clock.ts';
import { loadConfig } from './town-config.ts';
import { databaseFault } from './database-fault.ts';
import { nodePorts } from './host-ports.ts';
import { mustTakeOf } from './must-take.ts';
import { askRunner } from './runner-away.ts';
import { refusedBy } from './settings-in-force.ts';
import { HttpRunnerClient } from './runner-client.ts';
import type { ServiceFactory } from './service.ts';
import { readSecrets, runnerSocket } from './town-files.ts';
import type { Town } from './town-files.ts';

export interface LocalApp {
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/**
 * The same HTTP application in this process, on databases opened read-only: read commands work without the daemon and
 * answer in the same words. Anything that would change state is refused with `daemon_down`.
 */
export async function openLocalApp(town: Town, makeService: ServiceFactory): Promise<LocalApp> {
  const config = loadConfig(town.paths, process.env);
  const secrets = readSecrets(town.paths);
  const clock = monotoneClock();
  // A town that never ran has no databases: it is read as the empty one that its first start will make.
  const hasRun = existsSync(town.paths.townDb);
  const runner = new HttpRunnerClient({
    to: { socketPath: runnerSocket(town.identity) },
    token: () => Promise.resolve(secrets.runnerCalls),
    instance: () => null,
  });
  const ports = nodePorts({
    paths: town.paths,
    secrets,
    clock,
    log: silentLog,
    runner,
    storage: hasRun ? 'read-only' : 'memory',
    checkInvariants: false,
    refusedSettings: () => refusedHere(town, config.rigs),
  });
  const service = await opened(town, async () => {
    const made = makeService({ id: town.identity.id, name: config.name, ports, readOnly: hasRun });
    await made.start(config.rigs, config.budgets);
    return made;
  });
  const app = createApp({
    gateway: service,
    auth: {
      owner: secrets.owner,
      brainCalls: secrets.brainCalls,
      capabilityKey: secrets.capabilityKey,
      ownerActor: 'human/owner',
    },
    clock,
    log: silentLog,
    loopbackOnly: false,
    ready: () => false,
    addRig: daemonDown,
    changeRig: daemonDown,
    removeRig: daemonDown,
    transcript: (attempt, from) => whileDown(() => runner.transcript(attempt, from)),
    diff: (_runner, request) => whileDown(() => runner.diff(request)),
    runnerLine: { drain: () => Promise.resolve() },
  });
  return {
    fetch: async (request) => app.fetch(request),
    close: async () => {
      await service.stop();
      runner.close();
      ports.close();
    },
  };
}

/** What keeps the next start of the daemon from happening. */
function refusedHere({ paths }: Town, rigs: readonly RigConfig[]): RefusedSettings | null {
  try {
    mustTakeOf(paths)(rigs);
    return null;
  } catch (error) {
    return refusedBy(error, null);
  }
}

const daemonDown = (): Promise<never> =>
  Promise.reject(
    new TownError('unreachable', 'daemon_down', {
      message: 'The daemon does not run.',
      next: 'Start it with "gt up".',
    }),
  );

/** Its runner may still be there: agents outlive a daemon that died. Errors: `daemon_down`; those of the runner. */
async function whileDown<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await askRunner(LOCAL_RUNNER, ask);
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    throw new TownError('unreachable', 'daemon_down', {
      message: 'The daemon is down, and its runner, which has this, does not answer either.',
      next: 'Start it with "gt up".',
    });
  }
}

async function opened<T>({ paths }: Town, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw databaseFault(paths, error);
  }
}
