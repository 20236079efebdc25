import type { BeadCommand } from '../src/core/commands.ts';
import { PRIORITIES } from '../src/core/model/bead.ts';
import type { BeadId } from '../src/core/model/ids.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

/** What a person orders of one bead. */
export function commandOf(step: PersonStep, bead: BeadId, chance: Prng): BeadCommand {
  switch (step.kind) {
    case 'sling':
      return { type: 'sling', sling: { bead, runtime: null, model: null, pinnedAgent: null } };
    case 'close':
      return { type: 'close', bead, reason: chance.chance(0.8) ? 'cancelled' : 'no_change', note: 'not wanted' };
    case 'cancel_pull':
      return { type: 'close', bead, reason: 'cancelled', note: 'not wanted' };
    case 'hold':
      return { type: 'hold', bead, note: 'let me look' };
    case 'release':
      return { type: 'release', bead };
    case 'unsling':
      return { type: 'unsling', bead };
    case 'update':
      return { type: 'update', bead, changes: { priority: chance.pick(PRIORITIES), title: `retitled ${step.id}` } };
    case 'reopen':
      return { type: 'reopen', bead };
    case 'request_changes':
      return { type: 'request_changes', bead, comment: 'please look again' };
    default:
      return { type: 'retry', bead };
  }
}
