import { createApp } from '../../api/app.ts';
import type { SettingsDoor } from '../../api/handlers/settings.ts';
import type { Streams } from '../../api/stream/streams.ts';
import { TownError } from '../../core/errors.ts';
import { stubOf, type Env } from './env.ts';
import { consoleLog, objectClock } from './object-ports.ts';
import type { TownTarget } from './objects.ts';
import { remote } from './rpc.ts';
import { transferDoor } from './transfer-door.ts';

export { MayorDO, RigDO, TownDO } from './objects.ts';
export { StreamDO } from './stream-object.ts';

type App = ReturnType<typeof createApp>;

/** One application per isolate and deployment: making it costs more than a request. */
const apps = new WeakMap<Env, App>();

function appOf(env: Env): App {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const app = makeApp(env);
  apps.set(env, app);
  return app;
}

/** The same application as on every host. Who has no credential never wakes an object. */
function makeApp(env: Env): App {
  const town = remote<TownTarget>((path, args) => stubOf(env, 'town').call(path, args));
  const gateway = remote<TownTarget['gateway']>((path, args) => stubOf(env, 'town').call(['gateway', ...path], args), {
    id: env.GT_TOWN_ID,
    name: env.GT_TOWN_NAME,
  });
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
    settings: remote<SettingsDoor>((path, args) => stubOf(env, 'town').call(['settings', ...path], args)),
    // Runners are registered, but none has a line to this host yet.
    runnerLine: { drain: () => Promise.resolve() },
    transcript: () =>
      Promise.reject(
        new TownError('unreachable', 'no_runner', {
          message: 'The output of an attempt is where its runner is, and none is connected.',
          next: 'Look at it on the machine of the runner.',
        }),
      ),
  });
}

/** The stream is a WebSocket here: server-sent events would keep an object awake, and never notice that a reader left. */
const objectStreams = (env: Env): Streams => ({
  deltas: (c, { cursor }) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
      throw new TownError('precondition', 'websocket_needed', {
        message: 'The stream of this town is a WebSocket.',
        next: 'Open it with wss:// and the same path; the frames are the same.',
      });
    const url = new URL(c.req.url);
    if (cursor !== null) url.searchParams.set('after', cursor);
    return env.STREAM.getByName(env.GT_TOWN_ID).fetch(new Request(url, { headers: { upgrade: 'websocket' } }));
  },
  output: () => {
    throw new TownError('precondition', 'no_stream', {
      message: 'Output of agents is not streamed here.',
      next: 'Read it page by page: the same path with "transcript" instead of "output".',
    });
  },
});

const worker = {
  fetch: async (request: Request, env: Env): Promise<Response> => appOf(env).fetch(request),
};

export default worker;
