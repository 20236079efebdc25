import { expect, it } from 'vitest';
import { townMoved } from './town-moved.ts';

it('a town that is held says which one acts now, and how to undo an export that went nowhere', () => {
  expect(townMoved()).toMatchObject({
    kind: 'unreachable',
    code: 'town_moved',
    message: 'This town is held: it was exported, or an import into it is not finished, so it does nothing.',
    next: 'Use the town that it was imported into. If it was imported nowhere, "gt town resume --not-imported" lets it go on.',
  });
});
