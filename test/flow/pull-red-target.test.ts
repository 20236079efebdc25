/** A target that fails its own gates, in a rig that merges by pull requests. */
import { describe, expect, it } from 'vitest';
import { trusted } from '../../src/core/model/ids.ts';
import type { RigCommand } from '../../src/core/commands.ts';
import { Story } from '../support/pull-story.ts';
import { HOUR, human, MINUTE } from '../support/town-story.ts';

const order = (story: Story, command: RigCommand): Promise<unknown> =>
  story.town.service.rigCommand(trusted.rig('api'), command, human);

describe('a red target, with pull requests', () => {
  it.each([false, true])('is told once, and its mend ends that; with a pause between: %s', async (isPaused) => {
    const story = new Story();
    let isRed = true;
    const judge = story.town.runner.judge;
    story.town.runner.judge = (job) =>
      job.kind === 'gates'
        ? {
            result: 'gates',
            green: !isRed,
            runs: [{ name: 'test', exitCode: isRed ? 1 : 0, timedOut: false, durationMs: 1, tail: 'x' }],
          }
        : judge(job);
    await story.start({ gates: [{ name: 'test', run: 'true', timeoutMs: MINUTE }] });
    await story.proposed('one');
    await story.town.advance(2 * MINUTE);
    const told = () => story.town.service.listEscalations(true);
    expect(await told()).toMatchObject([{ causeKey: 'train:api/main', severity: 'high' }]);
    if (isPaused) {
      await order(story, { type: 'pause_train', target: null, reason: 'freeze' });
      await order(story, { type: 'resume_train', target: null });
      await story.town.settle();
    }
    isRed = false;
    await story.town.advance(HOUR);
    expect(await told()).toEqual([]);
  });
});
