/** A cancel of what has a pull request: the ledger says cancelled only of what was not merged by then. */
import { describe, expect, it } from 'vitest';
import type { BeadId } from '../../src/core/model/ids.ts';
import { sha } from '../support/fake-runner.ts';
import { Story } from '../support/pull-story.ts';
import { finish, HOUR, human, MINUTE, show } from '../support/town-story.ts';

const cancel = (story: Story, bead: BeadId): Promise<unknown> =>
  story.town.service.beadCommand({ type: 'close', bead, reason: 'cancelled', note: 'enough' }, human);
const why = async (story: Story, bead: BeadId): Promise<string> => (await story.town.service.why(bead)).sentence;
const merges = (story: Story): number => story.forge.calls.filter((call) => call.startsWith('merge')).length;

/** A town that has asked its forge to merge, with what the forge makes of that. */
async function asked(merge: (story: Story) => void): Promise<{ readonly story: Story; readonly id: BeadId }> {
  const story = new Story();
  await story.start({}, { approvals: 0, delayMs: 10 * MINUTE });
  const id = await story.proposed();
  await story.town.advance(9 * MINUTE);
  merge(story);
  await story.town.advance(90_000);
  return { story, id };
}
const falls = (story: Story): void => {
  story.silent = 'silent';
};

describe('a cancel of a pull request that the forge was asked to merge', () => {
  it.each([0, 5])(
    'and has not heard of yet is carried out after %i min of silence, and not merged',
    async (minutes) => {
      const { story, id } = await asked(falls);
      expect(await show(story.town, id)).toMatchObject({ review: { step: 'accepting' } });
      await cancel(story, id);
      await story.town.advance(minutes * MINUTE);
      expect(await show(story.town, id)).toMatchObject({ status: 'in_review' });
      expect(await why(story, id)).toContain('Its cancel waits until its forge shows what became of pull request #1.');
      story.silent = 'no';
      await story.town.advance(HOUR);
      expect(await show(story.town, id)).toMatchObject({ closeReason: 'cancelled', evidence: { note: 'enough' } });
      expect([merges(story), story.target.has(sha(100))]).toEqual([0, false]);
    },
  );

  it('and merged without a word is merged', async () => {
    const { story, id } = await asked((one) => {
      const merge = one.forge.merge.bind(one.forge);
      one.forge.merge = async (request) => {
        one.silent = 'silent';
        await merge(request);
        return { state: 'later', error: 'no answer', retryAfterMs: null };
      };
    });
    await story.town.advance(5 * MINUTE);
    expect(await show(story.town, id)).toMatchObject({ review: { step: 'proposed' } });
    await cancel(story, id);
    await story.town.advance(MINUTE);
    expect(await show(story.town, id)).toMatchObject({ status: 'in_review' });
    story.silent = 'no';
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
  });
});

describe('a cancel of a pull request', () => {
  it('that people merged a moment ago finds that', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    await story.town.advance(3 * HOUR);
    story.forge.mergeByHand(1, 'merge');
    await cancel(story, id);
    await story.town.advance(1_000);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
  });

  it('in the queue of its forge waits for that, and people hear of it', async () => {
    const story = new Story();
    await story.start();
    const [merged, taken] = [await story.proposed('one', 100), await story.proposed('two', 101)];
    for (const number of [1, 2]) story.forge.set(number, { inQueue: true, approvals: 1 });
    await story.town.advance(HOUR);
    for (const id of [merged, taken]) await cancel(story, id);
    await story.town.advance(HOUR);
    for (const id of [merged, taken]) {
      expect(await show(story.town, id)).toMatchObject({ status: 'in_review' });
      expect(await why(story, id)).toContain('has left the queue of its forge');
    }
    expect((await story.town.service.listEscalations(true)).map(({ message }) => message)).toEqual([
      expect.stringContaining('close it there, or it is merged'),
      expect.stringContaining('close it there, or it is merged'),
    ]);
    story.forge.mergeByHand(1, 'merge');
    story.forge.set(2, { inQueue: false });
    await story.town.advance(HOUR);
    expect(await show(story.town, merged)).toMatchObject({ closeReason: 'merged' });
    expect(await show(story.town, taken)).toMatchObject({ closeReason: 'cancelled' });
    expect(await story.town.service.listEscalations(true)).toEqual([]);
  });

  it('that an agent reworks stops the agent at once, and is not held up by a silent forge', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    await story.town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'more' }, human);
    await story.town.settle();
    expect(story.town.runner.running()).toHaveLength(1);
    story.silent = 'silent';
    await cancel(story, id);
    await story.town.advance(1_000);
    expect(story.town.runner.running()).toEqual([]);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'cancelled', evidence: { note: 'enough' } });
  });

  it('that was merged without the last commits of a rework says so', async () => {
    const story = new Story();
    await story.start({ gates: [{ name: 'test', run: 'true', timeoutMs: 1_000 }] });
    const id = await story.proposed();
    await story.town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'more' }, human);
    await story.town.settle();
    const [rework] = story.town.runner.running();
    story.forge.mergeByHand(1, 'squash');
    await finish(story.town, rework?.request.bead as BeadId, 200);
    await cancel(story, id);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({
      closeReason: 'cancelled',
      evidence: { note: 'enough; pull request #1 was merged without its last commits, and is in main' },
    });
  });

  it('that its forge does not show any more is left to git', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    story.forge.look = () => Promise.resolve({ state: 'refused', code: 'no_right', error: 'Bad credentials' });
    await cancel(story, id);
    await story.town.advance(HOUR);
    const { evidence, closeReason } = await show(story.town, id);
    expect(closeReason).toBe('cancelled');
    expect(evidence?.note).toContain('enough; its forge refused to show pull request #1 (Bad credentials)');
  });
});
