import { precondition, type TownError } from './errors.ts';

/** A town that was exported acts no more: another one may have taken its place. */
export const townMoved = (): TownError =>
  precondition(
    'town_moved',
    'This town is held: it was exported, or an import into it is not finished, so it does nothing.',
    'Use the town that it was imported into. If it was imported nowhere, "gt town resume --not-imported" lets it go on.',
  );
