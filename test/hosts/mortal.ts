/** On Node all actors of a town are in one process. A bench in which one of them dies alone must cut what it had begun. */
import type { LocalActors } from '../../src/actors/local-actors.ts';
import type { AskedMayor, AskedRig } from '../../src/actors/asked.ts';
import type { TownActors } from '../../src/actors/town-actors.ts';
import type { Life } from './life.ts';

type Wrap = (answer: Promise<unknown>) => Promise<unknown>;

/** The same object; each promise that it gives, or a part of it, goes through `wrap`. */
function wrapped<T extends object>(target: T, wrap: Wrap): T {
  return new Proxy(target, {
    get: (owner, name): unknown => {
      const value: unknown = Reflect.get(owner, name, owner);
      if (typeof value === 'object' && value !== null) return wrapped(value, wrap);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, owner, args);
        return answer instanceof Promise ? wrap(answer) : answer;
      };
    },
  });
}

/** Whoever asks `target` hears at once when it dies. */
export const untilDeath = <T extends object>(target: T, life: Life): T =>
  wrapped(target, (answer) =>
    Promise.race([
      answer,
      life.over.then(() => {
        throw new Error('it died');
      }),
    ]),
  );

/** What `life` asks of `target` has no answer any more once it is over: nobody is there to go on. */
const whileAlive = <T extends object>(target: T, life: Life): T =>
  wrapped(
    target,
    (answer) =>
      new Promise((resolve, reject) => {
        answer.then(
          (value) => {
            if (!life.isOver) resolve(value);
          },
          (error: unknown) => {
            if (!life.isOver) reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
      }),
  );

/** The actors of a town as one life of its own actor reaches them. */
export function actorsOfLife(actors: LocalActors, life: Life): TownActors {
  const known = new WeakMap<object, AskedRig>();
  const rig = (one: AskedRig): AskedRig => {
    const mortal = known.get(one) ?? whileAlive(one, life);
    known.set(one, mortal);
    return mortal;
  };
  const orNull = (one: AskedRig | null): AskedRig | null => (one === null ? null : rig(one));
  const mayor: AskedMayor | null = actors.mayor === null ? null : whileAlive<AskedMayor>(actors.mayor, life);
  return {
    town: actors.town,
    readOnly: actors.readOnly,
    mayor,
    open: () => actors.open(),
    close: () => {
      actors.close();
    },
    wakeAll: () => {
      actors.wakeAll();
    },
    configureRig: (config) => actors.configureRig(config),
    removeRig: (name) => actors.removeRig(name),
    configureMayor: (config) => actors.configureMayor(config),
    rigs: () => actors.rigs().map(rig),
    rig: (name) => orNull(actors.rig(name)),
    rigByPrefix: (prefix) => orNull(actors.rigByPrefix(prefix)),
    all: () => actors.all().map((one) => ({ address: one.address, kernel: whileAlive(one.kernel, life) })),
  };
}
