import type { Planted } from './planted-train.ts';

/** Bugs of rigs that people drain, remove and add again. */
export const PLANTED_RIGS: readonly Planted[] = [
  {
    name: 'rigs: a rig that is drained begins new work',
    file: 'core/rules/assign-work.ts',
    find: 'view.isDraining() ? found.filter(continuesBranch) : found',
    put: 'view.isDraining() ? found : found',
  },
  {
    name: 'rigs: one is removed while a message to it is on its way',
    file: 'actors/town/put-rig.ts',
    find: 'if (turn.kernel.isOnTheWay(rigAddress(name))) return false;',
    put: '',
  },
];
