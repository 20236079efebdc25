import type { Planted } from './planted-train.ts';

/** Bugs of runners that are away, or were removed. */
export const PLANTED_RUNNERS: readonly Planted[] = [
  {
    name: 'a claim whose runner is away is judged where its work is not',
    file: 'core/rules/choose-runner.ts',
    find: 'return nowMs < (attempt.claimedAtMs ?? 0) + TAKEOVER_AFTER_MS;',
    put: 'return nowMs < 0;',
  },
  {
    name: 'a removed runner is ordered to stop for ever',
    file: 'actors/rig/rig-effects.ts',
    find: ' || isRemoved(this.#rig.view.runners(), attempt.runner)',
    put: '',
  },
];
