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
});
