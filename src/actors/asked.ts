import type { MayorActor } from './mayor/mayor-actor.ts';
import type { RigActor } from './rig/rig-actor.ts';

/**
 * An actor as the rest of its town asks it: plain data in, plain data out, and the answer may come later. An actor of
 * this process answers at once; one in another process answers the same methods over a wire.
 */
export type Asked<T> = {
  readonly [Name in keyof T]: T[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Awaited<Answer> | Promise<Awaited<Answer>>
    : T[Name] extends object
      ? Asked<T[Name]>
      : T[Name];
};

/** A rig and the mayor without what only their own process can use: the database, and closures in a turn. */
export type AskedRig = Asked<Omit<RigActor, 'sql' | 'actor'>>;
export type AskedMayor = Asked<Omit<MayorActor, 'sql' | 'actor'>>;

/** Asks each of them at once; the answers in their order. */
export function askAll<Of, Answer>(
  those: readonly Of[],
  ask: (one: Of) => Answer | Promise<Answer>,
): Promise<readonly Answer[]> {
  return Promise.all(those.map(async (one) => ask(one)));
}
