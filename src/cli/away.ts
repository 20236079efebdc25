import { isHeld } from '../hosts/node/held-town.ts';
import type { Town } from '../hosts/node/town-files.ts';

/** Why a town only shows what it recorded last. */
export interface Away {
  /** As a state is shown. */
  readonly subject: 'daemon' | 'town';
  readonly state: 'down' | 'held';
  readonly sentence: string;
  readonly next: string;
}

/** What is said of a town in a folder whose daemon does not answer. */
export const awayOf = ({ paths }: Town): Away =>
  isHeld(paths)
    ? {
        subject: 'town',
        state: 'held',
        sentence: 'it was exported, or an import into it is not finished, so it does nothing',
        next: 'Use the town that it was imported into; if there is none: gt town resume --not-imported',
      }
    : {
        subject: 'daemon',
        state: 'down',
        sentence: 'this is what was recorded last; nothing new starts or merges',
        next: 'Start it with: gt up',
      };

/** Beside an answer that came from the databases: nobody should take it for what is going on now. */
export function awayText(town: Town): string {
  const { subject, state, sentence, next } = awayOf(town);
  return `The ${subject} is ${state}: ${sentence}. ${next}`;
}
