import { expect, it } from 'vitest';

import { startAgentSchema, type StartAgent } from '../../api/contract/runner.ts';
import { byOurClock } from './start.ts';

it('a start is late by the clock of this machine, unless an older town names only its own', () => {
  const TOWN_SAYS = 5_000;
  const start = { startDeadlineMs: TOWN_SAYS } as StartAgent;
  expect(byOurClock({ ...start, startWithinMs: 60_000 }, 9_000_000).startDeadlineMs).toBe(9_060_000);
  expect(byOurClock(start, 9_000_000).startDeadlineMs).toBe(TOWN_SAYS);
  expect(startAgentSchema.shape.startWithinMs.safeParse(undefined).success).toBe(true);
});
