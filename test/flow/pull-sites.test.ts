import { describe, expect, it } from 'vitest';
import type { RigConfig } from '../../src/core/commands.ts';
import { sha } from '../support/fake-runner.ts';
import { settings, Story } from '../support/pull-story.ts';
import { HOUR, human, show } from '../support/town-story.ts';
import { rigConfig } from '../support/virtual-town.ts';

/** The rig's forge is another project from now on, whose number 1 is somebody else's. */
async function moveTo(story: Story, stranger: 'open' | 'merged'): Promise<void> {
  story.branches.set('stranger', sha(0x999));
  story.target.add(sha(0x888));
  const [ours] = story.forge.pulls.splice(0);
  if (ours === undefined) throw new Error('there is no pull request');
  story.forge.pulls.push({
    ...ours,
    head: 'stranger',
    branch: 'stranger',
    headSha: sha(0x999),
    approvals: 1,
    state: stranger,
    mergeSha: stranger === 'merged' ? sha(0x888) : null,
    tag: 'other',
  });
  const config = rigConfig('api', settings());
  const forge = { ...settings().forge, project: 'acme/moved' } as RigConfig['forge'];
  await story.town.service.configure([{ ...config, ...(forge === undefined ? {} : { forge }) }]);
}

describe('a number of another place', () => {
  it.each(['open', 'merged'] as const)(
    'is not ours (T25): its %s pull request is left alone, and ours is opened',
    async (stranger) => {
      const story = new Story();
      await story.start();
      const id = await story.proposed();
      await story.town.advance(HOUR);
      await moveTo(story, stranger);
      await story.town.advance(HOUR);
      expect(story.target.has(sha(0x999))).toBe(false);
      expect(story.forge.calls).not.toContain('merge 1');
      expect(await show(story.town, id)).toMatchObject({ status: 'in_review', review: { pullRequest: { number: 2 } } });
      story.forge.approve(2);
      await story.town.advance(HOUR);
      expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
      expect(story.target.has(sha(100))).toBe(true);
    },
  );

  it('is not ours where the project was made anew at the same address: people are asked', async () => {
    const story = new Story();
    await story.start();
    const id = await story.proposed();
    await story.town.advance(HOUR);
    story.branches.set('stranger', sha(0x999));
    story.forge.set(1, {
      branch: 'stranger',
      headSha: sha(0x999),
      approvals: 1,
      state: 'merged',
      mergeSha: sha(0x888),
    });
    story.target.add(sha(0x888));
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ status: 'in_review' });
    expect((await story.town.service.why(id)).sentence).toContain('is for the branch stranger');
    expect(await story.town.service.listEscalations(true)).toHaveLength(1);
    Object.assign(story.forge.get(1), { head: 'stranger' });
    await story.town.service.beadCommand({ type: 'retry', bead: id }, human);
    await story.town.advance(HOUR);
    expect(await show(story.town, id)).toMatchObject({ review: { pullRequest: { number: 2 } } });
    expect(await story.town.service.listEscalations(true)).toHaveLength(0);
  });
});
