import { readHello, isConnect } from '../../api/lines/admission.ts';
import { appOf } from './app-of.ts';
import type { Env } from './env.ts';
import { refusal } from './runner-lines.ts';

export { MayorDO, RigDO, TownDO } from './objects.ts';
export { StreamDO } from './stream-object.ts';

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
