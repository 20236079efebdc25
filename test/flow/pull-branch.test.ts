/** Branches that vanish, and a target that is red by itself, where a forge merges. */
import { describe, expect, it } from 'vitest';
import type { Job, JobResult } from '../../src/core/facts.ts';
import { sha } from '../support/fake-runner.ts';
import { Story } from '../support/pull-story.ts';
import { count, finish, HOUR, MINUTE, show, sling } from '../support/town-story.ts';

describe('a branch that is deleted before its pull request is opened', () => {
  it('is made again, and nobody has to be asked', async () => {
    const story = new Story();
    await story.start({}, { approvals: 0 });
    story.silent = 'silent';
    const id = await sling(story.town, 'one');
    await finish(story.town, id, 100);
    expect(story.branches.delete(`gt/${id}`)).toBe(true);
    story.silent = 'no';
    await story.town.advance(HOUR);
    expect(story.branches.get(`gt/${id}`)).toBe(sha(100));
    expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(100) } });
    expect(count(story.town, "journal WHERE action = 'raise_escalation'")).toBe(0);
  });
});

describe('a target that is red by itself', () => {
  it('is told to a person once, however much waits for it, and goes on when it is mended', async () => {
    const story = new Story();
    let red = true;
    story.town.runner.judge = (job: Job): JobResult | null => {
      const result = story.judge(job);
      return red && result?.result === 'gates'
        ? {
            ...result,
            green: false,
            runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: 'broken' }],
          }
        : result;
    };
    await story.start({ gates: [{ name: 'test', run: 'true', timeoutMs: MINUTE }] }, { approvals: 0 });
    const ids = [await story.proposed('one', 100), await story.proposed('two', 101)];
    await story.town.advance(HOUR);
    expect(
      (await story.town.service.listEscalations(true)).map(({ severity, message }) => [severity, message]),
    ).toEqual([['high', expect.stringContaining('gate test is red on main itself')]]);
    for (const id of ids) expect(await show(story.town, id)).toMatchObject({ status: 'in_review', failures: 0 });
    expect(story.town.runner.running()).toEqual([]);
    red = false;
    await story.town.advance(HOUR);
    expect(await story.town.service.listEscalations(true)).toEqual([]);
    for (const id of ids) expect(await show(story.town, id)).toMatchObject({ closeReason: 'merged' });
  });
});
