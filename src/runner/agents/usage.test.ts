import { expect, it } from 'vitest';

import { usageSchema } from '../../api/contract/usage.ts';
import type { UsageOfModel } from '../../core/facts.ts';
import type { RunnerContext } from '../context.ts';
import { RunnerDb } from '../store/db.ts';
import { FactStore } from '../store/facts.ts';
import { SessionStore } from '../store/sessions.ts';
import { LiveAgent } from './live.ts';
import { fitting, reportUsage } from './usage.ts';

const row = (part: Partial<UsageOfModel>): UsageOfModel => ({
  model: 'm',
  tokensIn: 1,
  tokensOut: 0,
  tokensCached: 0,
  microUsd: null,
  unpricedIn: 1,
  unpricedOut: 0,
  unpricedCached: 0,
  ...part,
});

it('what a program says that it used is made to fit the contract, and its sum is kept', () => {
  const many = Array.from({ length: 150 }, (_, n) => row({ model: `m${String(n)}` }));
  const kept = fitting([...many, row({ model: 'x'.repeat(500), tokensIn: 2.4, microUsd: 0.6 })]);
  for (const each of kept) expect(usageSchema.safeParse(each).success).toBe(true);
  expect(kept.length).toBeLessThanOrEqual(100);
  expect(kept.reduce((sum, each) => sum + each.tokensIn, 0)).toBe(152);
  expect(fitting([row({ model: 'x'.repeat(500) })])[0]?.model?.length).toBe(200);
});

it('what a session has cost is stored with the usage that was told of it, for the next attempt to count from', async () => {
  const db = new RunnerDb(':memory:');
  const [facts, sessions] = [new FactStore(db), new SessionStore(db)];
  const of = { rig: 'app', bead: 'app-1', runtime: 'opencode' };
  const ctx = { db, facts, sessions, clock: { now: () => 1 }, paths: { attempts: '/nowhere' } };
  const attempt = (name: string): LiveAgent => new LiveAgent({ ...of, attempt: name, epoch: 1 } as never);
  const tell = async (live: LiveAgent, used: UsageOfModel, cost: number | null): Promise<unknown> => {
    live.used = [used];
    live.sessionCost = cost;
    await reportUsage(ctx as unknown as RunnerContext, live, false);
    return sessions.find(of)?.counted;
  };
  const begun = (name: string, session = 's1'): LiveAgent => {
    sessions.set({ ...of, session, cwd: '/w' }, name);
    return attempt(name);
  };
  const first = begun('at-1');
  expect(sessions.find(of)?.counted).toBe(0);
  expect(await tell(first, row({ unpricedIn: 0, microUsd: 500 }), 500)).toBe(500);
  // The same session in the next attempt keeps it; what an older attempt still says does not count.
  const second = begun('at-2');
  expect(sessions.find(of)?.counted).toBe(500);
  expect(await tell(first, row({ tokensIn: 2 }), 900)).toBe(500);
  expect(await tell(second, row({ microUsd: 300 }), 800)).toBe(800);
  expect(await tell(second, row({ tokensIn: 9 }), null)).toBe(null);
  begun('at-3', 's2');
  expect(sessions.find(of)?.counted).toBe(0);
  expect(facts.oldest('app').length).toBe(4);
});
