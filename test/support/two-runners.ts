import { trusted } from '../../src/core/model/ids.ts';
import { FakeRunner } from './fake-runner.ts';
import { rigConfig, VirtualTown } from './virtual-town.ts';

/** A town with two runners on other machines; the local one is drained. */
export async function openTwo(over: Parameters<typeof rigConfig>[1] = { runtime: 'command', command: 'agent' }) {
  const others = new Map<string, FakeRunner>();
  const town: VirtualTown = new VirtualTown({
    ports: (plain) => ({ ...plain, runners: { client: (id) => others.get(id) ?? null } }),
    handOver: async (local) => {
      await town.service.recordFacts(local.facts.splice(0));
      for (const [id, runner] of others) if (!runner.silent) await town.service.recordFacts(runner.facts.splice(0), id);
    },
    waiting: () => [...others.values()].some((runner) => runner.facts.length > 0 && !runner.silent),
  });
  await town.service.start([rigConfig('api', over)]);
  await town.service.runnerChanged('runner-1');
  await town.service.runners.drain('local', true);
  for (const id of ['a', 'b']) {
    const runner = new FakeRunner(() => town.nowMs);
    runner.instanceId = trusted.runner(`rn-${id}`);
    others.set(id, runner);
    await town.service.runners.add({ id, url: null, serial: 's' });
    await town.service.runners.seen(id, { instance: `rn-${id}`, capacity: 2, labels: [], versions: {} });
  }
  await town.settle();
  const at = (id: string): FakeRunner => {
    const runner = others.get(id);
    if (runner === undefined) throw new Error(`no runner ${id}`);
    return runner;
  };
  return { town, at, others };
}
