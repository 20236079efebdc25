import { describe, expect, it } from 'vitest';
import type { BeadId } from '../../src/core/model/ids.ts';
import { sha } from '../support/fake-runner.ts';
import { Story } from '../support/pull-story.ts';
import { finish, HOUR, human, MINUTE, show } from '../support/town-story.ts';

describe('a host of pull requests', () => {
  it('that merged a part while an agent reworked the rest ends nothing: the rest gets its own', async () => {
    const story = new Story();
    await story.start({ gates: [{ name: 'test', run: 'true', timeoutMs: 1_000 }] });
    const id = await story.proposed();
    await story.town.advance(12 * MINUTE);
    await story.town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'more' }, human);
    await story.town.settle();
    const [rework] = story.town.runner.running();
    await story.town.advance(5 * MINUTE);
    story.forge.mergeByHand(1, 'squash');
    await finish(story.town, rework?.request.bead as BeadId, 200);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ status: 'in_review', review: { pullRequest: { number: 2 } } });
    story.forge.approve(2);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
    expect(story.target.has(sha(200))).toBe(true);
  });

  it('that refused the token for an hour keeps its pull request: a retry takes it up again', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    const look = story.forge.look.bind(story.forge);
    story.forge.look = () => Promise.resolve({ state: 'refused', code: 'no_right', error: 'Bad credentials' });
    await story.town.advance(HOUR);
    story.forge.look = look;
    await story.town.service.beadCommand({ type: 'retry', bead: id }, human);
    story.forge.approve(1);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
    expect(story.forge.pulls).toHaveLength(1);
    expect(story.forge.calls).not.toContain('422 already exists');
  });

  it('where a person reopens while another has it tried again goes on with that one', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    story.forge.set(1, { state: 'closed' });
    await story.town.advance(HOUR);
    story.forge.set(1, { state: 'open' });
    await story.town.service.beadCommand({ type: 'retry', bead: id }, human);
    story.forge.approve(1);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
    expect(story.forge.pulls).toHaveLength(1);
  });

  it('where a reviewer says no again with the same words is heard again', async () => {
    const story = new Story();
    await story.start();
    await story.proposed();
    for (const round of [1, 2]) {
      story.forge.set(1, { changesRequested: [] });
      story.forge.requestChanges(1, { by: 'ann', body: 'Not like this.' });
      await story.town.advance(HOUR);
      const [rework] = story.town.runner.running();
      expect(rework?.request.body).toContain('Not like this.');
      await finish(story.town, rework?.request.bead as BeadId, 200 + round);
      await story.town.advance(MINUTE);
    }
  });

  it('where a reviewer says no without a word costs no run: people hear of it', async () => {
    const story = new Story();
    await story.start({}, { threads: false });
    const id = await story.proposed();
    story.forge.requestChanges(1, { by: 'ann', body: '' });
    await story.town.advance(HOUR);
    expect(story.town.runner.running()).toEqual([]);
    expect((await story.town.service.why(id)).sentence).toContain('are asked for by ann without a word');
    expect(await story.town.service.listEscalations(true)).toHaveLength(1);
    const talk = { id: 't1', path: 'a.ts', line: 1, by: 'ann', body: 'handle null', last: null };
    story.forge.set(1, { threads: [talk, { ...talk, id: 't2', by: 'bob', body: 'only a question' }] });
    await story.town.advance(HOUR);
    const [rework] = story.town.runner.running();
    expect(rework?.request.body).toContain('handle null');
    expect(rework?.request.body).not.toContain('only a question');
  });
});
