import { readHello, isConnect } from '../../api/lines/admission.ts';
import { stubOf, type Env } from './env.ts';
import { remote } from './rpc.ts';
import { refusal } from './runner-lines.ts';
import { townApp, type App, type TownTarget } from './town-app.ts';

export { MayorDO, RigDO, TownDO } from './objects.ts';
export { StreamDO } from './stream-object.ts';

/** One application per isolate and deployment: making it costs more than a request. */
const apps = new WeakMap<Env, App>();

/** Who has no credential never wakes an object. */
function appOf(env: Env): App {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const gateway = remote<TownTarget['gateway']>((path, args) => stubOf(env, 'town').call(['gateway', ...path], args), {
    id: env.GT_TOWN_ID,
    name: env.GT_TOWN_NAME,
  });
  const app = townApp(
    env,
    remote<TownTarget>((path, args) => stubOf(env, 'town').call(path, args), { gateway }),
  );
  apps.set(env, app);
  return app;
}

/** A runner's line ends in the object of its town; what is no request of a runner does not get there. */
function connect(request: Request, env: Env, path: string): Response | Promise<Response> {
  const hello = readHello(env.GT_TOWN_ID, { path, header: (name) => request.headers.get(name) });
  return typeof hello === 'number' ? refusal(hello) : env.TOWN.getByName(env.GT_TOWN_ID).fetch(request);
}

const worker = {
  fetch: async (request: Request, env: Env): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const isUpgrade = request.headers.get('upgrade')?.toLowerCase() === 'websocket';
    if (isUpgrade && isConnect(pathname + search)) return connect(request, env, pathname + search);
    return appOf(env).fetch(request);
  },
};

export default worker;
