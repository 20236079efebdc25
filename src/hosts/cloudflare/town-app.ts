import { createApp } from '../../api/app.ts';
import type { Transcript } from '../../api/lines/wire-runner-client.ts';
import type { DiffAnswer, DiffRequest } from '../../api/contract/diff.ts';
import type { AddRigBody } from '../../api/contract/rigs.ts';
import type { SettingsDoor } from '../../api/handlers/settings.ts';
import type { WireAnswer, WireCall } from '../../api/contract/frames.ts';
import type { Caller, RigDrain, RigSettings } from '../../core/commands.ts';
import type { RigName } from '../../core/model/ids.ts';
import type { RigRemoval, RigSummary } from '../../core/queries.ts';
import type { TownGateway } from '../../ports/town-gateway.ts';
import type { Env } from './env.ts';
import { objectStreams } from './object-streams.ts';
import { consoleLog, objectClock } from './object-ports.ts';
import { transferDoor } from './transfer-door.ts';

export type App = ReturnType<typeof createApp>;

/** What the Worker, and other objects, ask of a town: its gateway, what needs its file, and its lines to runners. */
export interface TownTarget {
  readonly gateway: TownGateway;
  readonly settings: SettingsDoor;
  addRig(body: AddRigBody, caller: Caller): Promise<RigSummary>;
  changeRig(name: RigName, settings: RigSettings, caller: Caller): Promise<RigSummary>;
  removeRig(name: RigName, drain: RigDrain, caller: Caller): Promise<RigRemoval>;
  /** One call to a runner. Errors: `runner_away`; no answer in time. */
  callRunner(id: string, call: WireCall): Promise<WireAnswer>;
  /** A runner that does not answer now is told when it is met again. */
  drainRunner(id: string, on: boolean, graceMs: number | null): Promise<void>;
  diff(runner: string, request: DiffRequest): Promise<DiffAnswer>;
  transcript(attempt: string, from: number, waitMs?: number): Promise<Transcript>;
}

/** The same application as on every host; the Worker has one for people, a town's object one for what its runners call. */
export function townApp(env: Env, town: TownTarget): App {
  const { gateway } = town;
  return createApp({
    gateway,
    auth: {
      owner: env.GT_OWNER_TOKEN,
      brainCalls: env.GT_RUNNER_SECRET,
      capabilityKey: env.GT_CAPABILITY_KEY,
      ownerActor: 'human/owner',
    },
    clock: objectClock(),
    log: consoleLog,
    // The platform serves under the names that it was given, and no cookie is a credential here.
    loopbackOnly: false,
    ready: () => true,
    streams: objectStreams(env),
    addRig: async (body, caller) => {
      const rig = await town.addRig(body, caller);
      await env.STREAM.getByName(env.GT_TOWN_ID).look();
      return rig;
    },
    changeRig: (name, settings, caller) => town.changeRig(name, settings, caller),
    removeRig: (name, drain, caller) => town.removeRig(name, drain, caller),
    transfer: transferDoor(env),
    settings: town.settings,
    diff: (runner, request) => town.diff(runner, request),
    runnerLine: { drain: (id, on, graceMs) => town.drainRunner(id, on, graceMs) },
    transcript: (attempt, from, waitMs) => town.transcript(attempt, from, waitMs),
  });
}
