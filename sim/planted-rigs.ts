import type { Planted } from './planted-train.ts';

/** Bugs of rigs that people drain, remove and add again. */
export const PLANTED_RIGS: readonly Planted[] = [
  {
    name: 'rigs: a rig that is drained begins new work',
    file: 'core/rules/assign-work.ts',
    find: 'view.isDraining() ? found.filter(continuesBranch) : found',
    put: 'view.isDraining() ? found : found',
  },
];
