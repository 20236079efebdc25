/** What an order to the runner met is said wherever somebody looks, and a person's "now" is now. */
import { describe, expect, it } from 'vitest';
import type { Job, JobResult } from '../../src/core/facts.ts';
import { DEFAULT_MERGING } from '../../src/core/commands.ts';
import { MERGE_STEP_DEADLINE_MS, PUSH_GRACE_MS } from '../../src/core/limits.ts';
import type { BeadId } from '../../src/core/model/ids.ts';
import type { Why } from '../../src/core/queries.ts';
import { defaultResult } from '../support/fake-runner.ts';
import { finish, human, MINUTE, openTown, show, sling } from '../support/town-story.ts';
import { rigConfig, type VirtualTown } from '../support/virtual-town.ts';

const GONE = "git fetch: fatal: '/nonexistent/x' does not appear to be a git repository";

/** Every job of a kind ends like this from now on. */
function every(town: VirtualTown, kind: Job['kind'], result: JobResult): void {
  town.runner.judge = (job) => (job.kind === kind ? result : defaultResult(job));
}
const jobsOf = (town: VirtualTown, kind: Job['kind']): number =>
  town.runner.calls.filter((call) => call === `job ${kind}`).length;
const lastOf = (town: VirtualTown, kind: Job['kind']): Job | undefined =>
  [...town.runner.jobs.values()].findLast((job) => job.kind === kind);

/** `gt why`, which the line, the bead and the inbox say too. */
async function why(town: VirtualTown, bead: BeadId): Promise<Why> {
  const answer = await town.service.why(bead);
  expect(answer.wakeAtMs ?? Number.MAX_SAFE_INTEGER).toBeGreaterThan(town.nowMs);
  return answer;
}

async function inReview(town: VirtualTown, title: string, head?: number): Promise<BeadId> {
  const id = await sling(town, title);
  await finish(town, id, head);
  return id;
}

describe('a merge that fails again and again', () => {
  it("says git's words, the address, how often and when it is tried next; so does the escalation", async () => {
    const town = await openTown();
    every(town, 'merge', { result: 'error', message: GONE });
    const id = await inReview(town, 'one');
    await town.advance(MINUTE);
    const { sentence, command } = await why(town, id);
    expect(sentence).toContain(`The last try at /remotes/api.git failed: ${GONE} (asked `);
    expect(sentence).toMatch(/\(asked \d+ times, again within \d+ s\)\.$/);
    expect(command).toBe(`gt mq retry ${id}`);
    await town.advance(MERGE_STEP_DEADLINE_MS);
    await why(town, id);
    const [told] = await town.service.listEscalations(true);
    expect(told?.message).toContain(`the last try failed: ${GONE}`);
    expect(told?.message).toMatch(/asked for \d+ times at \/remotes\/api\.git/);
  });

  it('asks at the address of the settings of now, at once when that changes', async () => {
    const town = await openTown();
    every(town, 'merge', { result: 'error', message: GONE });
    const id = await inReview(town, 'one');
    await town.advance(MINUTE);
    town.runner.judge = defaultResult;
    await town.service.configure([rigConfig('api', { url: '/srv/moved.git' })]);
    await town.settle();
    expect(lastOf(town, 'merge')?.repo.url).toBe('/srv/moved.git');
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });

  it('is tried now, as a new order with a new deadline, when a person says so', async () => {
    const town = await openTown();
    every(town, 'merge', { result: 'error', message: GONE });
    const id = await inReview(town, 'one');
    await town.advance(2 * MERGE_STEP_DEADLINE_MS);
    expect(await town.service.listEscalations(true)).toHaveLength(1);
    const before = { key: lastOf(town, 'merge')?.key, asked: jobsOf(town, 'merge') };
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(jobsOf(town, 'merge')).toBeGreaterThan(before.asked);
    expect(lastOf(town, 'merge')?.key).not.toBe(before.key);
    expect(await town.service.listEscalations(true)).toEqual([]);
    town.runner.judge = defaultResult;
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });
});

describe('a push that does not arrive', () => {
  it('says why, and that it goes back in line; never a moment that is over', async () => {
    const town = await openTown();
    every(town, 'push', { result: 'error', message: 'ssh: connect to host git: Connection refused' });
    const id = await inReview(town, 'one');
    for (let at = 0; at < MERGE_STEP_DEADLINE_MS + PUSH_GRACE_MS - MINUTE; at += MINUTE / 2) {
      expect((await why(town, id)).sentence).toContain('Connection refused');
      await town.advance(MINUTE / 2);
    }
    expect((await why(town, id)).next).toBe('It goes back in line and is merged again.');
    const asked = jobsOf(town, 'push');
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(jobsOf(town, 'push')).toBe(asked + 1);
  });
});

describe('a claim whose branch the host does not take', () => {
  it('says why, and is asked for now when a person says so', async () => {
    const town = await openTown();
    every(town, 'promote', { result: 'error', message: 'remote: quota exceeded' });
    const id = await inReview(town, 'one');
    await town.advance(5 * MINUTE);
    expect((await why(town, id)).sentence).toContain(
      'the claim is promoting. The last try at /remotes/api.git failed: remote: quota exceeded',
    );
    await town.advance(10 * MINUTE);
    expect((await town.service.listEscalations(true))[0]?.message).toContain(
      'the last try failed: remote: quota exceeded',
    );
    town.runner.judge = defaultResult;
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });
});

describe('a push that the host refuses', () => {
  const REFUSED: JobResult = {
    result: 'refused',
    code: 'push_refused',
    message: 'policy: no direct pushes to main (pre-receive hook declined)',
  };

  it("goes to a person at once, with the host's words and what can be done; it is not tried in vain", async () => {
    const town = await openTown();
    every(town, 'push', REFUSED);
    const id = await inReview(town, 'one');
    const [told] = await town.service.listEscalations(true);
    expect(told?.message).toBe(
      `The git host refused ${id} on main: policy: no direct pushes to main (pre-receive hook declined). Let the town's account push to main, then "gt bead retry ${id}"; or have it merge by pull requests ("gt config set rigs.api.merge_strategy pr"), then the same.`,
    );
    expect((await why(town, id)).sentence).toContain('policy: no direct pushes to main');
    await town.advance(30 * MINUTE);
    expect(jobsOf(town, 'push')).toBe(1);
    town.runner.judge = defaultResult;
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });

  it('becomes a pull request when the rig merges by them now, and a person has it tried again', async () => {
    const town = await openTown();
    every(town, 'push', REFUSED);
    const id = await inReview(town, 'one');
    const { merging } = rigConfig('api');
    await town.service.configure([rigConfig('api', { merging: { ...DEFAULT_MERGING, ...merging, strategy: 'pr' } })]);
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(lastOf(town, 'push')).toBeDefined();
    expect(jobsOf(town, 'push')).toBe(1);
    const steps = town.databases.get('rig/api')?.all('SELECT strategy, step FROM reviews') ?? [];
    expect(steps).toMatchObject([{ strategy: 'pr' }]);
  });
});
