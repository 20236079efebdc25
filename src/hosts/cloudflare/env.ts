import type { DurableNamespace } from './durable.ts';
import type { ActorStub, StreamStub } from './rpc.ts';

/** A town's object also takes the lines of runners. */
export interface TownStub extends ActorStub {
  fetch(request: Request): Promise<Response>;
}

/** What the Worker is deployed with: its objects, its town, and its secrets. */
export interface Env {
  readonly TOWN: DurableNamespace<TownStub>;
  readonly RIG: DurableNamespace<ActorStub>;
  readonly MAYOR: DurableNamespace<ActorStub>;
  /** The readers of the live stream. */
  readonly STREAM: DurableNamespace<StreamStub>;
  readonly GT_TOWN_ID: string;
  readonly GT_TOWN_NAME: string;
  /** Opens everything that people may do. */
  readonly GT_OWNER_TOKEN: string;
  /** What the runner shows when it calls the town. */
  readonly GT_RUNNER_SECRET: string;
  /** Signs what attempts may do. */
  readonly GT_CAPABILITY_KEY: string;
}

/** A secret that was bound to the Worker; null: none of that name. */
export type BoundSecret = (name: string) => string | null;

export const secretsOf =
  (env: Env): BoundSecret =>
  (name) => {
    const value: unknown = Reflect.get(env, name);
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
  };

/** The object of an actor of this town. */
export function stubOf(env: Env, address: string): ActorStub {
  if (address === 'town') return env.TOWN.getByName(env.GT_TOWN_ID);
  if (address === 'mayor') return env.MAYOR.getByName(env.GT_TOWN_ID);
  return env.RIG.getByName(`${env.GT_TOWN_ID}/${address}`);
}
