import { trusted, type BeadId, type ConvoyId } from '../src/core/model/ids.ts';
import { IN_TIME, type Sim } from './context.ts';
import type { Prng } from './prng.ts';

/** A forge that is asked while somebody cancels takes so long: longer than a command needs, mostly shorter than a call lasts. */
const LATE_MIN_MS = 1_000;
const LATE_MAX_MS = 14_000;
/** After it was asked for, a pull request is seen by people so soon. */
const SOON_MIN_MS = 2_000;
const SOON_MAX_MS = 60_000;
const BRANCH = 'gt/';

interface Cancels {
  readonly sim: Sim;
  readonly chance: Prng;
  /** Branches with an open pull request. */
  readonly open: readonly string[];
  readonly bead: (id: BeadId) => void;
  readonly convoy: (id: ConvoyId) => void;
}

/**
 * Somebody cancels work that has a pull request: one that is open, or one in the moment in which it is opened. Then its
 * forge takes the order late, or answers late: the cancel is carried out before anybody knows of the pull request.
 */
export function cancelPull(parts: Cancels): void {
  const { sim, chance, open } = parts;
  const branch = chance.pick(open);
  const moment = chance.weighted({ open: 2, opening: 1 });
  if (moment === 'open' && branch !== undefined) {
    cancel(parts, branch);
    return;
  }
  const soonMs = chance.between(SOON_MIN_MS, SOON_MAX_MS);
  const lateMs = chance.between(LATE_MIN_MS, LATE_MAX_MS);
  const isHeardLate = chance.chance(0.5);
  sim.atOpen.next = (opened) => {
    if (moment === 'open') {
      sim.time.after(soonMs, `people have seen the pull request of ${opened}`, () => {
        cancel(parts, opened);
      });
      return IN_TIME;
    }
    cancel(parts, opened);
    return isHeardLate ? { heardMs: lateMs, saidMs: 0 } : { heardMs: 0, saidMs: lateMs };
  };
}

function cancel({ sim, bead, convoy }: Cancels, branch: string): void {
  const id = branch.slice(BRANCH.length);
  sim.note(`people cancel what is on ${branch}`);
  if (id.startsWith('hq-')) convoy(trusted.convoy(id));
  else bead(trusted.bead(id));
}
