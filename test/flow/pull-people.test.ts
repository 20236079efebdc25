/** What people do at the forge that nobody asked for: the work is neither lost nor done over, and they are asked. */
import { describe, expect, it } from 'vitest';
import type { BeadId } from '../../src/core/model/ids.ts';
import { FORGE_SILENT_MAX_MS } from '../../src/core/limits.ts';
import { sha, type FakeProcess } from '../support/fake-runner.ts';
import { Story } from '../support/pull-story.ts';
import { count, finish, HOUR, human, MINUTE, show } from '../support/town-story.ts';

const why = async (story: Story, bead: BeadId): Promise<string> => (await story.town.service.why(bead)).sentence;
const told = async (story: Story): Promise<readonly string[]> =>
  (await story.town.service.listEscalations(true)).map(({ message }) => message);
const confirms = (story: Story): number => count(story.town, "outbox WHERE kind = 'job' AND key LIKE '%confirming%'");
const close = (story: Story, bead: BeadId): Promise<unknown> =>
  story.town.service.beadCommand({ type: 'close', bead, reason: 'cancelled', note: 'enough' }, human);
const retry = (story: Story, bead: BeadId): Promise<unknown> =>
  story.town.service.beadCommand({ type: 'retry', bead }, human);
const merged = (story: Story, base: string): void => {
  story.forge.set(1, { base, state: 'merged', mergeSha: sha(0x777) });
};

/** One that waits at its forge; with rework an agent works on it. */
async function proposed(isReworked = false): Promise<{ story: Story; id: BeadId; rework: FakeProcess | undefined }> {
  const story = new Story();
  await story.start();
  const id = await story.proposed();
  if (isReworked) await story.town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'more' }, human);
  await story.town.settle();
  return { story, id, rework: story.town.runner.running()[0] };
}

describe('what people merged into another branch', () => {
  it('is told at once, and git is not asked without end', async () => {
    const { story, id } = await proposed();
    merged(story, 'release');
    await story.town.advance(MINUTE);
    expect(await why(story, id)).toContain('was merged into release as 000000000000, and main does not have that');
    expect(await told(story)).toEqual([expect.stringContaining(`"gt mq retry ${id}" opens a new one`)]);
    const before = confirms(story);
    await story.town.advance(6 * HOUR);
    expect(confirms(story) - before).toBeLessThanOrEqual(12);
    story.target.add(sha(0x777));
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged', evidence: { mergeSha: sha(0x777) } });
    expect(await told(story)).toEqual([]);
  });

  it('gets a pull request for the right branch when a person says so', async () => {
    const { story, id } = await proposed();
    merged(story, 'release');
    await story.town.advance(HOUR);
    await retry(story, id);
    await story.town.advance(MINUTE);
    expect(story.forge.pulls.map(({ state, base }) => [state, base])).toEqual([
      ['merged', 'release'],
      ['open', 'main'],
    ]);
    story.forge.approve(2);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
    expect(await told(story)).toEqual([]);
  });

  it('can be given up, and the record says where it is', async () => {
    const { story, id } = await proposed();
    merged(story, 'release');
    await story.town.advance(HOUR);
    await close(story, id);
    await story.town.advance(MINUTE);
    expect(await show(story.town, id)).toMatchObject({
      closeReason: 'cancelled',
      evidence: { note: 'enough; pull request #1 was merged into release, and git did not find it in main' },
      review: { step: 'ended' },
    });
  });

  it.each([1, 90])('lets the rework of it end, %i min later', async (minutes) => {
    const { story, id, rework } = await proposed(true);
    merged(story, 'release');
    await story.town.advance(minutes * MINUTE);
    await finish(story.town, rework?.request.bead as BeadId, 200);
    await story.town.advance(HOUR);
    expect(await show(story.town, rework?.request.bead as BeadId)).toMatchObject({ closeReason: 'integrated' });
    expect(count(story.town, "journal WHERE action = 'no_op'")).toBe(0);
    // The new head is not merged anywhere: it gets its own.
    expect(story.forge.pulls.map(({ state }) => state)).toEqual(['merged', 'open']);
    story.forge.approve(2);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(200) } });
  });
});

describe('what was merged, and taken back in the target', () => {
  it('is looked for ever less often, and is for people after a while', async () => {
    const { story, id } = await proposed();
    merged(story, 'main');
    await story.town.advance(10 * MINUTE);
    expect(await show(story.town, id)).toMatchObject({ status: 'in_review', review: { step: 'confirming' } });
    expect(await told(story)).toEqual([]);
    expect(confirms(story)).toBeLessThan(10);
    await story.town.advance(2 * FORGE_SILENT_MAX_MS);
    expect(await why(story, id)).toContain('main does not have that');
    expect(await told(story)).toHaveLength(1);
    await close(story, id);
    await story.town.advance(MINUTE);
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'cancelled' });
  });

  it('lets rework that ends meanwhile go on', async () => {
    const { story, rework } = await proposed(true);
    merged(story, 'main');
    await story.town.advance(MINUTE);
    await finish(story.town, rework?.request.bead as BeadId, 200);
    expect(await show(story.town, rework?.request.bead as BeadId)).toMatchObject({ closeReason: 'integrated' });
    await story.town.advance(HOUR);
    expect(story.forge.pulls.map(({ state }) => state)).toEqual(['merged', 'open']);
    expect(count(story.town, "journal WHERE action = 'no_op'")).toBe(0);
  });
});

describe('a pull request that people close while an agent reworks it', () => {
  it.each([[], [{ name: 'test', run: 'true', timeoutMs: 1_000 }]])('is not opened anew unasked', async (...gates) => {
    const story = new Story();
    await story.start({ gates });
    const id = await story.proposed();
    await story.town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'more' }, human);
    await story.town.settle();
    const [rework] = story.town.runner.running();
    story.forge.set(1, { state: 'closed' });
    await story.town.advance(30 * MINUTE);
    await finish(story.town, rework?.request.bead as BeadId, 200);
    await story.town.advance(HOUR);
    expect(story.forge.pulls.map(({ state }) => state)).toEqual(['closed']);
    expect(await told(story)).toEqual([expect.stringContaining('was closed without a merge')]);
    await retry(story, id);
    await story.town.advance(MINUTE);
    expect(story.forge.pulls.map(({ state, headSha }) => [state, headSha])).toEqual([
      ['closed', sha(100)],
      ['open', sha(200)],
    ]);
  });
});

describe('a forge that did not answer about an opening', () => {
  it('is silent no more when nobody waits for that opening', async () => {
    const story = new Story();
    await story.start();
    story.silent = 'silent';
    const id = await story.proposed();
    await story.town.advance(5 * MINUTE);
    await story.town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'more' }, human);
    story.silent = 'no';
    await story.town.advance(FORGE_SILENT_MAX_MS);
    expect(await told(story)).toEqual([]);
  });
});
