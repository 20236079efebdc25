/** Work on a conflict is judged by whether it merges with what the train saw last. */
import { expect, it } from 'vitest';
import { defaultResult, sha } from '../support/fake-runner.ts';
import { finish, openTown, processOf, show, sling } from '../support/town-story.ts';

it('of work on a conflict names the target that was seen, and one that does not merge with it costs no round', async () => {
  const town = await openTown();
  const conflict = { result: 'conflict', targetSha: sha(7), paths: ['README.md'], message: 'README.md' } as const;
  town.runner.judge = (job) => {
    if (job.kind === 'merge' && job.head === sha(100)) return conflict;
    if (job.kind === 'verify' && job.claimedHead === sha(101))
      return job.against === sha(7)
        ? { result: 'refused', code: 'still_conflicts', message: 'main is not merged into your work.' }
        : { result: 'verified', head: sha(101), ahead: 1 };
    return defaultResult(job);
  };
  const id = await sling(town, 'one');
  await finish(town, id, 100);
  const rework = (await show(town, id)).reworkBeads[0];
  if (rework === undefined) throw new Error('no work on the conflict');
  const { attempt } = processOf(town, rework).request;
  town.runner.done(attempt, sha(101));
  await town.settle();
  expect(await show(town, rework)).toMatchObject({ status: 'in_progress' });
  town.runner.done(attempt, sha(102));
  town.runner.exit(attempt);
  await town.settle();
  expect(await show(town, rework)).toMatchObject({ closeReason: 'integrated' });
  expect(await show(town, id)).toMatchObject({ closeReason: 'merged', reworkBeads: [rework] });
});
