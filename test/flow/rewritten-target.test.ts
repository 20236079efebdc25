/** People rewrote the target: the train goes on, tells it once, and brings nothing back without a person. */
import { describe, expect, it } from 'vitest';
import type { Job, JobResult } from '../../src/core/facts.ts';
import type { MergeMode } from '../../src/core/model/convoy.ts';
import type { BeadId, ConvoyId } from '../../src/core/model/ids.ts';
import type { EscalationSummary } from '../../src/core/queries.ts';
import { defaultResult, sha } from '../support/fake-runner.ts';
import { finish, finishAll, human, MINUTE, newConvoy, newTask, openTown, show, sling } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;
const mergesOf = (town: VirtualTown): readonly MergeJob[] =>
  [...town.runner.jobs.values()].filter((job): job is MergeJob => job.kind === 'merge');

const OLD_LINE = sha(7);
const NOW = sha(9);

/** From now on the target is another one; branches of `old` heads began before. */
function rewrite(town: VirtualTown, old: readonly number[], isKnown = false): void {
  let isFound = isKnown;
  const heads = new Set(old.map(sha));
  town.runner.judge = (job): JobResult | null => {
    if (job.kind !== 'merge') return defaultResult(job);
    const [seen, ...left] = job.formerTips ?? [];
    if (seen !== undefined && !isFound) {
      isFound = true;
      return { result: 'rewritten', from: seen, targetSha: NOW, commits: 3, merged: 2 };
    }
    const from = left.find((tip) => tip !== job.mayRevive);
    if (from !== undefined && heads.has(job.head)) return { result: 'revives', from, targetSha: NOW, commits: 3 };
    const made = defaultResult(job);
    return made?.result === 'candidate' ? { ...made, targetSha: NOW } : made;
  };
}

/** A target that the train saw at one commit; the push left it there. */
async function seen(town: VirtualTown): Promise<void> {
  town.runner.judge = (job) => (job.kind === 'push' ? { result: 'pushed', targetSha: OLD_LINE } : defaultResult(job));
  await finish(town, await sling(town, 'before'), 50);
}

const told = async (town: VirtualTown): Promise<readonly string[]> =>
  (await town.service.listEscalations(true)).map(({ message }) => message);

async function held(): Promise<{ readonly town: VirtualTown; readonly id: BeadId }> {
  const town = await openTown();
  await seen(town);
  const id = await sling(town, 'old');
  rewrite(town, [100]);
  await finish(town, id, 100);
  return { town, id };
}

const REVIVES: JobResult = { result: 'revives', from: OLD_LINE, targetSha: NOW, commits: 3 };
const askedOf = async (town: VirtualTown): Promise<readonly EscalationSummary[]> =>
  (await town.service.listEscalations(true)).filter(({ message }) => message.includes('it would bring back'));

async function convoyOf(mergeMode: MergeMode): Promise<{ readonly town: VirtualTown; readonly id: ConvoyId }> {
  const town = await openTown();
  const { id } = await town.service.createConvoy(newConvoy({ mergeMode, tasks: [newTask('api', 'a')] }), human);
  await town.settle();
  return { town, id };
}

describe('a target that was rewritten', () => {
  it('is told once with both tips and what went; fresh work merges, and nobody is asked again', async () => {
    const town = await openTown();
    await seen(town);
    rewrite(town, []);
    const ids = [await sling(town, 'one'), await sling(town, 'two')];
    for (const [index, id] of ids.entries()) await finish(town, id, 200 + index);
    await town.advance(10 * MINUTE);
    expect(await told(town)).toEqual([
      `main of api was rewritten on its host (${OLD_LINE.slice(0, 12)}..${NOW.slice(0, 12)}): 3 commits went, and 2 merged beads are not on it any more, though closed as merged ("gt doctor" names them, "gt bead reopen <id>" does one again). The train goes on from there. Work that was begun before is not merged without you where it would bring back what went.`,
    ]);
    for (const id of ids) expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });

  it('gets nothing back from a branch of before until a person says so', async () => {
    const { town, id } = await held();
    await town.advance(10 * MINUTE);
    expect(await show(town, id)).toMatchObject({ status: 'in_review' });
    const asked = (await told(town)).find((message) => message.startsWith(id));
    expect(asked).toContain(
      `it would bring back 3 commits that people took out of main (it was at ${OLD_LINE.slice(0, 12)})`,
    );
    expect(asked).toContain(`"gt bead close ${id}", then "gt bead reopen ${id}"`);
    expect((await town.service.why(id)).sentence).toContain('would bring back 3 commits');
    const other = await sling(town, 'other');
    await finish(town, other, 300);
    expect(await show(town, other)).toMatchObject({ closeReason: 'merged' });

    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(mergesOf(town).at(-1)).toMatchObject({ mayRevive: OLD_LINE });
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });

  it('that was rewritten twice asks once about all that a branch would bring back', async () => {
    const town = await openTown();
    await seen(town);
    const id = await sling(town, 'old');
    const tips = [OLD_LINE, sha(8)];
    town.runner.judge = (job): JobResult | null => {
      if (job.kind !== 'merge') return defaultResult(job);
      const yes = [job.mayRevive, ...(job.mayReviveAlso ?? [])];
      const [from, ...also] = tips.filter((tip) => !yes.includes(tip));
      if (from === undefined) return defaultResult(job);
      return { result: 'revives', from, targetSha: NOW, commits: 3, ...(also.length === 0 ? {} : { also }) };
    };
    await finish(town, id, 100);
    const asked = (await told(town)).find((message) => message.startsWith(id));
    expect(asked).toContain(`(it was at ${tips.map((tip) => tip.slice(0, 12)).join(', ')})`);
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(mergesOf(town).at(-1)).toMatchObject({ mayRevive: tips[0], mayReviveAlso: [tips[1]] });
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });

  it('keeps what a person allowed when it asks about another tip', async () => {
    const town = await openTown();
    await seen(town);
    const id = await sling(town, 'old');
    const left = [OLD_LINE];
    town.runner.judge = (job): JobResult | null => {
      if (job.kind !== 'merge') return defaultResult(job);
      const yes = [job.mayRevive, ...(job.mayReviveAlso ?? [])];
      const from = left.find((tip) => !yes.includes(tip));
      return from === undefined ? defaultResult(job) : { result: 'revives', from, targetSha: NOW, commits: 3 };
    };
    await finish(town, id, 100);
    // Another rewrite, while a person decides.
    left.unshift(sha(8));
    for (const _yes of left) {
      await town.service.beadCommand({ type: 'retry', bead: id }, human);
      await town.settle();
    }
    expect(mergesOf(town).at(-1)).toMatchObject({ mayRevive: sha(8), mayReviveAlso: [OLD_LINE] });
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });

  it('asks again of a branch that changed since a person said yes', async () => {
    const { town, id } = await held();
    await town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'Leave the key out.' }, human);
    await town.settle();
    const rework = (await show(town, id)).reworkBeads[0];
    if (rework === undefined) throw new Error('no rework');
    rewrite(town, [400], true);
    await finish(town, rework, 400);
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(mergesOf(town).at(-1)?.head).toBe(sha(400));
    expect(mergesOf(town).at(-1)?.mayRevive).toBeUndefined();
    expect(await show(town, id)).toMatchObject({ status: 'in_review' });
  });

  it('names for what the town makes itself only commands that are not refused: a landing ends with its convoy', async () => {
    const { town, id } = await convoyOf('review-then-land');
    let isOn = true;
    town.runner.judge = (job) =>
      isOn && job.kind === 'merge' && job.repo.targetBranch === 'main' ? REVIVES : defaultResult(job);
    for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
    await town.settle();
    const [asked] = await askedOf(town);
    expect(asked?.message).toContain(`Give the landing up: "gt convoy close ${id}". Or bring them back`);
    expect(asked?.options.map(({ name }) => name)).toEqual(['retry']);
    isOn = false;
    await town.service.changeConvoy(id, { type: 'close', note: 'given up' }, human);
    await town.settle();
    expect(await town.service.getConvoy(id)).toMatchObject({ status: 'cancelled' });
    expect(await askedOf(town)).toEqual([]);
  });

  it('a revert is made anew by its convoy', async () => {
    const { town, id } = await convoyOf('review-and-merge');
    for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
    town.runner.judge = (job) => (job.kind === 'merge' ? REVIVES : defaultResult(job));
    await Promise.all([town.service.changeConvoy(id, { type: 'revert' }, human), town.settle()]);
    await town.settle();
    const first = (await town.service.getConvoy(id)).reverts[0]?.beadId;
    const [asked] = await askedOf(town);
    if (first === null || first === undefined) throw new Error('no revert');
    expect(asked?.message).toContain(`"gt bead close ${first}", then "gt convoy revert ${id}". Or bring them back`);
    expect(asked?.options[1]?.what).toContain(`"gt convoy revert ${id}" makes another`);
    town.runner.judge = defaultResult;
    await town.service.beadCommand({ type: 'close', bead: first, reason: 'cancelled', note: '' }, human);
    await town.settle();
    await Promise.all([town.service.changeConvoy(id, { type: 'revert' }, human), town.settle()]);
    await town.settle();
    const [again] = (await town.service.getConvoy(id)).reverts;
    expect(again).toMatchObject({ attempt: 2, state: 'reverted' });
    expect(again?.beadId).not.toBe(first);
  });
});
