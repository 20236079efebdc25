import { expect, it } from 'vitest';

import { keepsSessions } from './talk.ts';

it('a session is taken up only where its files outlive the attempt', () => {
  const sandbox = { kind: 'bubblewrap', network: 'full', command: null, image: null, read: [], write: [] } as never;
  expect(keepsSessions({ sandbox })).toBe(false);
  expect(keepsSessions({ sandbox: { ...(sandbox as object), write: ['~/.claude'] } as never })).toBe(true);
  expect(keepsSessions({})).toBe(true);
});
