/** What becomes of the pull request of work that was cancelled. */
import { describe, expect, it } from 'vitest';
import { PULL_CLOSE_AGAIN_MS, PULL_CLOSE_PATIENCE_MS } from '../../src/core/limits.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import { sha } from '../support/fake-runner.ts';
import { Story } from '../support/pull-story.ts';
import { finish, finishAll, HOUR, human, MINUTE, newConvoy, newTask, show, sling } from '../support/town-story.ts';

const cancel = async (story: Story, bead: BeadId, note = 'enough'): Promise<void> => {
  await story.town.service.beadCommand({ type: 'close', bead, reason: 'cancelled', note }, human);
  // One look at it comes first.
  await story.town.advance(30_000);
};
const closes = (story: Story): number => story.forge.calls.filter((call) => call.startsWith('close')).length;
const why = async (story: Story, id: BeadId): Promise<string> => (await story.town.service.why(id)).sentence;

describe('the pull request of cancelled work', () => {
  it('is closed with one comment that says who and why, and is not merged', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    await cancel(story, id);
    story.forge.approve();
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'cancelled' });
    const pull = story.forge.get(1);
    expect(pull.state).toBe('closed');
    expect(pull.comments).toEqual([
      expect.stringMatching(`^${id} was cancelled in its town by human/test: enough\n\nGt-Merge-Request: api-`),
    ]);
    expect(await why(story, id)).toBe('Cancelled. enough Its pull request #1 is closed.');
    expect(story.town.nextAlarmMs()).toBeNull();
    expect(closes(story)).toBe(1);
  });

  it('holds no cancel up: a silent forge is asked again, its lost answer doubles nothing', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    story.silent = 'silent';
    await cancel(story, id);
    expect(await show(story.town, id)).toMatchObject({ status: 'closed', closeReason: 'cancelled' });
    expect(await why(story, id)).toContain('#1 is to be closed; its forge has not answered yet');
    await story.town.advance(2 * HOUR);
    story.silent = 'lost';
    await story.town.advance(HOUR);
    expect(story.forge.get(1).state).toBe('closed');
    story.town.crash();
    await story.start();
    story.silent = 'no';
    await story.town.advance(HOUR);
    expect(story.forge.get(1).comments).toHaveLength(1);
    expect(await why(story, id)).toContain('#1 is closed');
    expect(await story.town.service.listEscalations(true)).toEqual([]);
  });

  it('is left to a person when its forge says nothing for a day', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    story.silent = 'silent';
    await cancel(story, id);
    await story.town.advance(PULL_CLOSE_PATIENCE_MS + HOUR);
    const told = await story.town.service.listEscalations(true);
    expect(told).toMatchObject([{ severity: 'medium', subject: `bead:${id}`, repeats: 0 }]);
    expect(told[0]?.message).toContain(`Close it there; its branch is gt/${id}.`);
    await story.town.advance(HOUR);
    expect(story.town.nextAlarmMs() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(story.town.nowMs + HOUR);
  });

  it('that people merged after the cancel is told as merged, and what they closed stays closed without a word', async () => {
    const story = new Story();
    await story.start();
    const merged = await story.proposed('one', 100);
    const closed = await story.proposed('two', 101);
    story.silent = 'silent';
    await cancel(story, merged);
    await cancel(story, closed);
    expect(await show(story.town, merged)).toMatchObject({ closeReason: 'cancelled' });
    story.forge.mergeByHand(1);
    story.forge.set(2, { state: 'closed' });
    story.silent = 'no';
    await story.town.advance(HOUR);
    const told = await story.town.service.listEscalations(true);
    expect(told.map(({ subject }) => subject)).toEqual([`bead:${merged}`]);
    expect(told[0]?.message).toContain(
      `people merged pull request #1 all the same, as ${story.forge.get(1).mergeSha ?? ''}`,
    );
    expect([...story.forge.get(1).comments, ...story.forge.get(2).comments]).toEqual([]);
  });

  it('that was reopened since it was seen last is closed all the same', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    story.forge.set(1, { state: 'closed' });
    await story.town.advance(MINUTE);
    story.forge.set(1, { state: 'open' });
    await cancel(story, id);
    expect(story.forge.get(1).state).toBe('closed');
  });

  it('that somebody else opened is told so and stays open', async () => {
    const story = new Story();
    await story.start();
    const id = await sling(story.town, 'one');
    story.branches.set(`gt/${id}`, sha(100));
    const site = { kind: 'github', apiUrl: '', project: '', token: '' } as const;
    const head = `gt/${id}`;
    await story.forge.openByHand({ site, head, headSha: sha(100), base: 'main', title: 'Mine', body: '', after: null });
    await finish(story.town, id, 100);
    await cancel(story, id);
    await story.town.advance(MINUTE);
    expect(story.forge.get(1).state).toBe('open');
    expect(story.forge.get(1).comments).toHaveLength(1);
    expect(await why(story, id)).toContain('#1 was opened by somebody else: it has a comment and stays open');
  });

  it('that was asked for in the moment of the cancel is found by its branch', async () => {
    const story = new Story();
    await story.start();
    const id = await sling(story.town, 'one');
    story.silent = 'lost';
    await finish(story.town, id, 100);
    expect(story.forge.pulls).toHaveLength(1);
    await cancel(story, id);
    story.silent = 'no';
    await story.town.advance(5 * MINUTE);
    expect(story.forge.get(1).state).toBe('closed');
    expect(await why(story, id)).toContain('#1 is closed');
  });

  it('that comes late is looked for again, a bounded number of times', async () => {
    const story = new Story();
    await story.start();
    const id = await sling(story.town, 'one');
    story.silent = 'silent';
    await finish(story.town, id, 100);
    await cancel(story, id);
    story.silent = 'no';
    await story.town.advance(2 * MINUTE);
    const asked = closes(story);
    expect(asked).toBeGreaterThan(0);
    await story.town.advance(5 * PULL_CLOSE_AGAIN_MS);
    expect(closes(story)).toBeLessThanOrEqual(3);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'cancelled' });
    expect(story.town.nextAlarmMs()).toBeNull();
  });

  it('that comes late is closed too, though a former one of its branch is found first, and that is told once', async () => {
    const story = new Story();
    await story.start();
    const id = await sling(story.town, 'one');
    story.silent = 'silent';
    await finish(story.town, id, 100);
    const [entry] = await story.town.service.listQueue();
    const ours = {
      site: { kind: 'github', apiUrl: '', project: '', token: '' },
      head: `gt/${id}`,
      headSha: sha(100),
      base: 'main',
      title: 'one',
      body: `Gt-Merge-Request: ${entry?.beadId ?? ''}`,
      after: null,
    } as const;
    await story.forge.open(ours);
    story.forge.mergeByHand(1);
    await cancel(story, id);
    story.silent = 'no';
    await story.town.advance(45_000);
    const told = await story.town.service.listEscalations(true);
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringContaining('merged pull request #1 all the same'),
    ]);
    story.branches.set(`gt/${id}`, sha(101));
    await story.forge.open({ ...ours, headSha: sha(101) });
    expect(story.forge.get(2).state).toBe('open');
    await story.town.advance(3 * PULL_CLOSE_AGAIN_MS);
    expect(story.forge.get(2).state).toBe('closed');
    expect(await story.town.service.listEscalations(true)).toMatchObject([{ repeats: 0 }]);
    await story.town.advance(HOUR);
    expect(closes(story)).toBeLessThanOrEqual(3);
  });

  it('is closed with its convoy', async () => {
    const story = new Story();
    await story.start();
    const { id } = await story.town.service.createConvoy(newConvoy({ tasks: [newTask('api', 'a')] }), human);
    await story.town.settle();
    await finishAll(story.town, 100);
    await story.town.service.changeConvoy(trusted.convoy(id), { type: 'close', note: 'another way' }, human);
    await story.town.advance(MINUTE);
    expect(story.forge.get(1).state).toBe('closed');
    expect(story.forge.get(1).comments[0]).toContain('closed by human/test: another way');
  });
});
