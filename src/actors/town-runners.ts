import { notFound } from '../core/errors.ts';
import { byNewest } from '../core/model/attempt-filter.ts';
import { trusted } from '../core/model/ids.ts';
import { LOCAL_RUNNER, type Runner } from '../core/model/runner.ts';
import { must } from '../core/assert.ts';
import type { RunnerGateway } from '../ports/runner-gateway.ts';
import { askAll, type AskedRig } from './asked.ts';
import type { TownActors } from './town-actors.ts';

/** The registry of runners behind the gateway: each change is a turn of the town. */
export function townRunners(
  actors: TownActors,
  writable: () => void,
  changed: (id: string) => void = () => undefined,
): RunnerGateway {
  const { town } = actors;
  const store = town.runnerStore;
  const get = (id: string): Runner => {
    const runner = store.get(id);
    if (runner === null) throw notFound('runner', id);
    return runner;
  };
  const busy = async (id: string): Promise<number> => {
    const used = await askAll(actors.rigs(), (rig) => rig.view.runners());
    const session = (await actors.mayor?.runnerInUse()) === id ? 1 : 0;
    return used.flat().reduce((sum, runner) => sum + (runner.id === id ? runner.used : 0), session);
  };
  return {
    list: () => Promise.resolve(store.all()),
    get: (id) => Promise.resolve().then(() => get(id)),
    busy,
    add: async (runner) => {
      writable();
      await town.addRunner(runner);
      changed(runner.id);
      return must(store.get(runner.id), 'a runner that was added exists');
    },
    remove: async (id, lost, meant = {}) => {
      writable();
      await town.removeRunner(id, { ...meant, lost, busy: await busy(id) });
      changed(id);
    },
    rotate: async (id, serial, meant = {}) => {
      writable();
      await town.rotateRunner(id, serial, meant);
      return get(id);
    },
    drain: async (id, on, meant = {}) => {
      writable();
      await town.drainRunner(id, on, meant);
      return get(id);
    },
    serials: (id) => Promise.resolve(store.serials(id)),
    rotated: (id) => town.runnerRotated(id),
    seen: (id, hello) => town.runnerSeen(id, hello),
    away: (id, state, reason) => town.runnerAway(id, state, reason),
    troubled: (id, trouble, text) => town.runnerTroubled(id, trouble, text),
    keptFor: (id) => Promise.resolve(town.runnerKeptFor(id)),
    attempts: async (filter, limit) => {
      const rigs = filter.rig === undefined ? actors.rigs() : [rigOf(actors, filter.rig)];
      const found = await askAll(rigs, (rig) => rig.attempts(filter, limit));
      return found.flat().toSorted(byNewest).slice(0, limit);
    },
    ofAttempt: async (attempt) => {
      const found = await askAll(actors.rigs(), (rig) => rig.view.attempt(trusted.attempt(attempt)));
      const known = found.find((row) => row !== null)?.runner;
      return known ?? (await actors.mayor?.runnerOf(trusted.attempt(attempt))) ?? LOCAL_RUNNER;
    },
  };
}

function rigOf(actors: TownActors, name: string): AskedRig {
  const rig = actors.rig(name);
  if (rig === null) throw notFound('rig', name);
  return rig;
}
