import { DEFAULT_PULL, type MergingConfig, type RigConfig } from '../src/core/commands.ts';
import { trusted } from '../src/core/model/ids.ts';
import type { Prng } from './prng.ts';

const MINUTE = 60_000;
/** Share of rigs with a review agent. */
const REVIEWED = 0.3;

/** Trains are as different as rigs: from one entry at a time to many at once, on one lane or several. */
const mergingOf = (chance: Prng): MergingConfig => ({
  batch: chance.pick([1, 3, 8, 8]) ?? 8,
  lanes: chance.pick([1, 1, 2, 4]) ?? 1,
  style: chance.pick(['merge', 'merge', 'squash', 'rebase']) ?? 'merge',
});

/** Some rigs have work looked at before it is merged. */
const reviewerOf = (chance: Prng): Pick<RigConfig, 'reviewer'> =>
  chance.chance(REVIEWED)
    ? {
        reviewer: {
          runtime: 'command',
          model: null,
          timeoutMs: 10 * MINUTE,
          unanswered: chance.pick(['go_on', 'go_on', 'ask']) ?? 'go_on',
        },
      }
    : {};
/** A rig whose work is merged by pull requests. */
export const withForge = (config: RigConfig, chance: Prng): RigConfig => ({
  ...config,
  gates: chance.chance(0.5) ? [] : [{ name: 'test', run: 'true', timeoutMs: 5 * MINUTE }],
  forge: { kind: 'github', apiUrl: 'https://forge.test', project: `acme/${config.name}`, token: 'env:TOKEN' },
  merging: {
    ...mergingOf(chance),
    strategy: 'pr',
    pull: { ...DEFAULT_PULL, delayMs: chance.pick([0, 0, MINUTE]) ?? 0 },
  },
});

export function rigConfig(name: string, chance: Prng): RigConfig {
  return {
    name: trusted.rig(name),
    prefix: name,
    url: `/remotes/${name}.git`,
    targetBranch: 'main',
    polecatsMax: 4,
    gates: name === 'api' ? [{ name: 'test', run: 'true', timeoutMs: 5 * MINUTE }] : [],
    runtime: 'script',
    model: null,
    command: 'agent --print',
    wallClockMs: 40 * MINUTE,
    ownerEmail: 'owner@example.org',
    parked: false,
    merging: mergingOf(chance),
    ...reviewerOf(chance),
    crew: name === 'api' ? ['ada'] : [],
  };
}
