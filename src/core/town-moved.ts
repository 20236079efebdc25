import { TownError } from './errors.ts';

/**
 * A town that was exported acts no more: another one may have taken its place. It is as one that does not answer, so that
 * a runner keeps what it has to report until this town goes on, or the runner is given the new address.
 */
export const townMoved = (): TownError =>
  new TownError('unreachable', 'town_moved', {
    message: 'This town is held: it was exported, or an import into it is not finished, so it does nothing.',
    next: 'Use the town that it was imported into. If it was imported nowhere, "gt town resume --not-imported" lets it go on.',
  });
