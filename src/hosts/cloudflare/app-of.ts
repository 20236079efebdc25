import { stubOf, type Env } from './env.ts';
import { remote } from './rpc.ts';
import { townApp, type App, type TownTarget } from './town-app.ts';

/** One application per isolate and deployment: making it costs more than a request. */
const apps = new WeakMap<Env, App>();

/** The town's application for whoever is not its object. Who has no credential never wakes an object. */
export function appOf(env: Env): App {
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
