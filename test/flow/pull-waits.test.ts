/** Forges that hang, looks that go on, waits that end at people. */
import { describe, expect, it } from 'vitest';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import {
  FORGE_IN_FLIGHT_MAX,
  LOOKS_AT_ONCE_MAX,
  PULL_BEHIND_MAX,
  PULL_POLL_MAX_MS,
  PULL_WAIT_TOLD_MS,
} from '../../src/core/limits.ts';
import type { ForgeLater } from '../../src/ports/forge.ts';
import { RigQueries } from '../../src/store/rig-queries.ts';
import { SqlRigView } from '../../src/store/rig-view.ts';
import { settings, Story } from '../support/pull-story.ts';
import { count, finish, HOUR, human, MINUTE, show, sling } from '../support/town-story.ts';
import { rigConfig } from '../support/virtual-town.ts';

const api = trusted.rig('api');
const later: ForgeLater = { state: 'later', error: 'no answer', retryAfterMs: null };

/** Calls that are answered only when the test says so. */
function hanging<T>(): { readonly calls: (() => void)[]; readonly ask: () => Promise<T | ForgeLater> } {
  const calls: (() => void)[] = [];
  return {
    calls,
    ask: () =>
      new Promise((resolve) => {
        calls.push(() => {
          resolve(later);
        });
      }),
  };
}

describe('a forge that hangs', () => {
  it('takes its own share of what is under way: agents start and branches are promoted as before', async () => {
    const story = new Story();
    await story.start({}, { approvals: 0 });
    const open = hanging<never>();
    story.forge.open = open.ask;
    const ids: BeadId[] = [];
    for (let n = 0; n < 8; n += 1) ids.push(await story.proposed(`task ${String(n)}`, 100 + n));
    expect(open.calls).toHaveLength(FORGE_IN_FLIGHT_MAX);
    expect((await show(story.town, ids[7] as BeadId)).review?.step).toBe('opening');
    const another = await sling(story.town, 'another');
    expect(story.town.runner.running().map(({ request }) => request.bead)).toEqual([another]);
    await finish(story.town, another, 300);
    expect((await show(story.town, another)).status).toBe('in_review');
  });

  it('is asked for a few looks at a time, and a running agent keeps its lease', async () => {
    const story = new Story();
    await story.start();
    for (let n = 0; n < 6; n += 1) await story.proposed(`task ${String(n)}`, 100 + n);
    const look = hanging<never>();
    story.forge.look = look.ask;
    const another = await sling(story.town, 'another');
    await story.town.advance(10 * MINUTE);
    expect(look.calls).toHaveLength(LOOKS_AT_ONCE_MAX);
    const [attempt] = story.town.runner.running();
    expect(attempt?.request.bead).toBe(another);
    expect((await story.town.service.why(another)).rule).not.toBe('lost-contact');
    expect((await show(story.town, another)).status).toBe('in_progress');
    const agent = story.town.databases
      .get('rig/api')
      ?.all("SELECT due_at FROM timers WHERE kind = 'observe' AND entity LIKE 'attempt:%'")[0];
    expect(Number(agent?.['due_at'])).toBeGreaterThan(story.town.nowMs);
  });
});

describe('looks', () => {
  it('begin again when the forge comes back into the settings', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    const { forge: site, ...rest } = rigConfig('api', settings());
    await story.town.service.configure([rest]);
    await story.town.advance(HOUR);
    await story.town.service.configure([{ ...rest, ...(site === undefined ? {} : { forge: site }) }]);
    story.forge.approve(1);
    await story.town.advance(PULL_POLL_MAX_MS);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
  });
});

describe('a wait', () => {
  const told = async (story: Story): Promise<readonly string[]> =>
    (await story.town.service.listEscalations(true)).map(({ message }) => message);

  it('for checks that run for ever is told to a person once, and ends by itself', async () => {
    const story = new Story();
    story.forge.firstChecks = 'running';
    await story.start();
    const id = await story.proposed();
    story.forge.approve(1);
    await story.town.advance(PULL_WAIT_TOLD_MS + HOUR);
    expect(await told(story)).toEqual([expect.stringContaining('the checks of pull request #1 run')]);
    await story.town.advance(24 * HOUR);
    expect(await told(story)).toHaveLength(1);
    story.forge.set(1, { checks: { state: 'green', failing: [] } });
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
    expect(await told(story)).toEqual([]);
    // It is no longer among those that wait.
    expect(count(story.town, 'proposals WHERE waits_for IS NOT NULL OR silent_since IS NOT NULL')).toBe(0);
  });

  it('with another cause is told anew', async () => {
    const story = new Story();
    await story.start();
    await story.proposed();
    story.forge.set(1, { base: 'release' });
    await story.town.advance(HOUR);
    expect(await told(story)).toEqual([expect.stringContaining('is for release')]);
    story.forge.set(1, { base: 'main', state: 'closed' });
    await story.town.advance(HOUR);
    expect(await told(story)).toEqual([expect.stringContaining('was closed without a merge')]);
  });

  it('for a paused train names the pause, however long it lasts', async () => {
    const story = new Story();
    await story.start({}, { approvals: 0, checks: 'optional' });
    await story.town.service.rigCommand(api, { type: 'pause_train', target: null, reason: 'release' }, human);
    const pausedAtMs = story.town.nowMs;
    const id = await story.proposed();
    await story.town.advance(30 * HOUR);
    const why = await story.town.service.why(id);
    expect(why).toMatchObject({ sinceMs: pausedAtMs });
    expect(why.sentence).toContain('The merge train of main is paused by');
    expect(why.sentence).not.toContain('since');
  });

  it('for the newest target costs a bounded number of runs, no round of rework, and ends at a true sentence', async () => {
    const story = new Story();
    story.forge.dismissesStale = false;
    await story.start();
    const id = await story.proposed();
    story.forge.set(1, { mergeable: 'behind', approvals: 1 });
    let runs = 0;
    for (let n = 0; n < PULL_BEHIND_MAX + 2; n += 1) {
      await story.town.advance(HOUR);
      const [rework] = story.town.runner.running();
      if (rework === undefined) break;
      runs += 1;
      expect(rework.request.title).toBe('Merge main into pull request #1');
      story.forge.firstChecks = 'running';
      await finish(story.town, trusted.bead(rework.request.bead), 200 + n);
      await story.town.advance(MINUTE);
      // Somebody else's merge came first.
      story.forge.set(1, { mergeable: 'behind', checks: { state: 'green', failing: [] } });
    }
    expect(runs).toBe(PULL_BEHIND_MAX);
    expect((await show(story.town, id)).review?.rounds).toBe(0);
    expect(await told(story)).toEqual([expect.stringContaining('has to contain the newest main, says its forge')]);
  });

  it('for reviewers is one for people, to who drains the rig too', async () => {
    const story = new Story();
    await story.start();
    await story.proposed();
    await story.town.advance(MINUTE);
    const sql = story.town.databases.get('rig/api');
    if (sql === undefined) throw new Error('the rig has a database');
    expect(new RigQueries(sql, new SqlRigView(sql)).rest()).toMatchObject({ merging: 1, waitingForPeople: 1 });
  });
});
