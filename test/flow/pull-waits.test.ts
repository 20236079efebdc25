/** Forges that hang, looks that go on, waits that end at people. */
import { describe, expect, it } from 'vitest';
import type { BeadId } from '../../src/core/model/ids.ts';
import { FORGE_IN_FLIGHT_MAX, LOOKS_AT_ONCE_MAX, PULL_POLL_MAX_MS } from '../../src/core/limits.ts';
import type { ForgeLater } from '../../src/ports/forge.ts';
import { settings, Story } from '../support/pull-story.ts';
import { finish, HOUR, MINUTE, show, sling } from '../support/town-story.ts';
import { rigConfig } from '../support/virtual-town.ts';

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
