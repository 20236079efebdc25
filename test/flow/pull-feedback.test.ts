/** What people ask for is called answered only when an agent had it. */
import { describe, expect, it } from 'vitest';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import { REWORK_ROUNDS_MAX } from '../../src/core/limits.ts';
import { Story } from '../support/pull-story.ts';
import { finish, HOUR, human, MINUTE } from '../support/town-story.ts';

/** What the agent that runs was told, with the bead it works on. */
function told(story: Story): { readonly bead: BeadId; readonly body: string } {
  const [running] = story.town.runner.running();
  if (running === undefined) throw new Error('no agent runs');
  return { bead: trusted.bead(running.request.bead), body: running.request.body };
}

describe('feedback', () => {
  it('that came after the last round is given when a person has it tried again', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    for (let n = 0; n < REWORK_ROUNDS_MAX; n += 1) {
      story.forge.set(1, { changesRequested: [{ id: 'r1', by: 'ann', body: `word ${String(n)}` }] });
      await story.town.advance(HOUR);
      await finish(story.town, told(story).bead, 200 + n);
      await story.town.advance(10 * MINUTE);
    }
    story.forge.set(1, { changesRequested: [{ id: 'r1', by: 'ann', body: 'the last word' }] });
    await story.town.advance(HOUR);
    expect(story.town.runner.running()).toEqual([]);
    expect((await story.town.service.why(id)).sentence).toContain('was reworked 5 times');
    await story.town.service.beadCommand({ type: 'retry', bead: id }, human);
    await story.town.advance(HOUR);
    expect(told(story).body).toContain('the last word');
  });

  it('that does not fit comes with the next round', async () => {
    const story = new Story();
    await story.start();
    await story.proposed();
    const threads = Array.from({ length: 50 }, (_, n) => ({
      id: `t${String(n)}`,
      path: 'a.ts',
      line: n,
      by: 'ann',
      body: `comment-${String(n)}. ${'x'.repeat(1_900)}`,
      last: null,
    }));
    const shown = (body: string): readonly string[] =>
      threads.filter((thread) => body.includes(thread.body)).map(({ id }) => id);
    story.forge.set(1, { threads });
    await story.town.advance(HOUR);
    const first = told(story);
    const given = shown(first.body);
    expect(given.length).toBeLessThan(50);
    await finish(story.town, first.bead, 200);
    story.forge.set(1, { threads: threads.slice(given.length) });
    await story.town.advance(HOUR);
    expect(shown(told(story).body)[0]).toBe(`t${String(given.length)}`);
  });
});
