/** The real daemon with a probe in it: the composition root of the chaos test. */
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { TownService } from '../../src/actors/town-service.ts';
import type { Fact } from '../../src/core/facts.ts';
import { Daemon } from '../../src/hosts/node/daemon.ts';
import type { ServiceFactory, ServiceOptions } from '../../src/hosts/node/service.ts';
import { openTown } from '../../src/hosts/node/town-files.ts';
import { openProbe } from './trap.ts';

const { values } = parseArgs({ options: { town: { type: 'string' } } });
const town = openTown(values.town ?? '.');
const probe = openProbe(dirname(town.paths.root));

/** Facts come in by calls, not by effects, so they have a phase of their own. */
class ProbedService extends TownService {
  constructor(options: ServiceOptions) {
    super({ ...options, ports: { ...options.ports, probe } });
  }

  override async recordFacts(facts: readonly Fact[]): Promise<readonly string[]> {
    const types = [...new Set(facts.map((fact) => fact.type))].join('+');
    probe(`facts:${types}:before`);
    const recorded = await super.recordFacts(facts);
    probe(`facts:${types}:after`);
    return recorded;
  }
}

const makeService: ServiceFactory = (options) => new ProbedService(options);
const stopAsked = new Promise<string>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => {
      resolve(signal);
    });
});
const daemon = await Daemon.start({ town, makeService, superviseRunner: true });
await daemon.stop(await stopAsked);
