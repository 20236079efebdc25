import type { Actor } from './actor.ts';

/**
 * The public methods of a rig's or the town's actor are all that may be asked of it. Seen through this, each call is
 * recorded under its name with its arguments, so that no method can be forgotten; a replay calls the same method.
 * Only what a method asks of its actor before it first waits belongs to the call.
 */
export function named<T extends { readonly actor: Actor }>(target: T): T {
  return new Proxy(target, {
    get: (inner, name): unknown => {
      const value: unknown = Reflect.get(inner, name, inner);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      return (...args: unknown[]): unknown => {
        if (args.some((arg) => typeof arg === 'function'))
          throw new TypeError(`${name}: a function can't be recorded; pass what it would answer`);
        return inner.actor.during([name, ...given(args)], (): unknown => Reflect.apply(value, inner, args));
      };
    },
  });
}

/** Without what was left out at the end: as JSON it would come back as null, which is not the same. */
function given(args: readonly unknown[]): readonly unknown[] {
  return args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
}
