import { describe, expect, it } from 'vitest';
import { REVIEW_ROUNDS_MAX } from '../../src/core/limits.ts';
import type { BeadId } from '../../src/core/model/ids.ts';
import type { Reviewer } from '../../src/core/model/reviewer.ts';
import { sha, type FakeProcess } from '../support/fake-runner.ts';
import { count, finish, human, MINUTE, openTown, show, sling } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

const reviewer: Reviewer = { runtime: 'command', model: null, timeoutMs: 30 * MINUTE, unanswered: 'ask' };
const agent = { actor: 'api/polecats/slit', origin: 'agent' } as const;

async function inReview(over: Partial<Reviewer> = {}): Promise<{ readonly town: VirtualTown; readonly id: BeadId }> {
  const town = await openTown({ api: { reviewer: { ...reviewer, ...over } } });
  const id = await sling(town, 'Add a thing');
  await finish(town, id);
  return { town, id };
}
function looking(town: VirtualTown): FakeProcess['request'] {
  const found = town.runner.running().find(({ request }) => request.kind === 'review');
  if (found === undefined) throw new Error('nobody reviews');
  return found.request;
}
const leave = async (town: VirtualTown, attempt: string): Promise<void> => {
  town.runner.exit(attempt);
  await town.settle();
};

describe('a review agent', () => {
  it('looks at the branch before the train takes it, and lets it merge', async () => {
    const { town, id } = await inReview();
    const request = looking(town);
    expect(request).toMatchObject({ runtime: 'command', sourceBead: id, fixedHead: sha(100) });
    // Not its author.
    expect(request.agent).not.toBe((await show(town, id)).attemptList[0]?.agentId);
    expect(request.prompt).toContain(`You review the branch gt/${id}`);
    expect(request.prompt).toContain('gt approve --comment');
    expect((await show(town, id)).review?.step).toBe('reworking');
    expect((await town.service.why(id)).sentence).toContain('review agent looks at it');
    expect(town.runner.calls).not.toContain('job merge');
    await town.service.beadCommand({ type: 'approve', bead: request.bead as BeadId, comment: 'read it' }, agent);
    await leave(town, request.attempt);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', review: { rounds: 0 } });
    expect(await show(town, request.bead as BeadId)).toMatchObject({
      kind: 'review',
      closeReason: 'no_change',
      attemptList: [{ outcome: 'no_change', reason: 'approved: read it' }],
    });
    await town.advance(10 * MINUTE);
    expect(town.runner.processes.size).toBe(2);
  });

  it('may say so with "gt done --no-change", and can hand in no commits', async () => {
    const { town, id } = await inReview();
    const { attempt } = looking(town);
    town.runner.done(attempt, sha(500));
    await town.settle();
    expect((await show(town, id)).review).toMatchObject({ headSha: sha(100), step: 'reworking' });
    expect(town.runner.calls.filter((call) => call === 'job promote')).toHaveLength(1);
    town.runner.noChange(attempt, 'it is good');
    await leave(town, attempt);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(100) } });
  });

  it('sends work back, looks at each new head once, and stops asking after some rounds', async () => {
    const { town, id } = await inReview({ unanswered: 'go_on' });
    for (let round = 1; round <= REVIEW_ROUNDS_MAX; round += 1) {
      const { attempt, bead } = looking(town);
      const comment = `wish ${String(round)}`;
      await town.service.beadCommand({ type: 'request_changes', bead: bead as BeadId, comment }, agent);
      await leave(town, attempt);
      const rework = town.runner.running().find(({ request }) => request.kind === 'rework');
      expect(rework?.request.body).toContain(comment);
      expect((await show(town, id)).review).toMatchObject({ step: 'reworking', rounds: round });
      await finish(town, rework?.request.bead as BeadId, 100 + round);
    }
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(103) } });
    expect(count(town, `beads WHERE kind = 'review'`)).toBe(REVIEW_ROUNDS_MAX);
  });

  it.each(['ask', 'go_on'] as const)('that says nothing is not waited for for ever: %s', async (unanswered) => {
    const { town, id } = await inReview({ unanswered });
    const { attempt } = looking(town);
    await town.advance(29 * MINUTE);
    expect((await show(town, id)).review?.step).toBe('reworking');
    await town.advance(2 * MINUTE);
    await leave(town, attempt);
    if (unanswered === 'ask') {
      expect((await town.service.attention()).map(({ sentence }) => sentence)).toEqual([
        expect.stringContaining('said nothing within 30 min'),
      ]);
      expect(town.runner.calls).not.toContain('job merge');
      await town.service.beadCommand({ type: 'retry', bead: id }, human);
      await town.settle();
    }
    expect((await show(town, id)).closeReason).toBe('merged');
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('that crashes twice is given up, and charges nobody else', async () => {
    const { town, id } = await inReview({ unanswered: 'go_on' });
    for (const line of ['one way', 'other way']) {
      town.runner.exit(looking(town).attempt, { exitCode: 1, lastLine: line });
      await town.settle();
      if (line === 'one way') await town.advance(MINUTE);
    }
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', failures: 0 });
  });

  it('is of no use any more when a person asks for changes, or cancels', async () => {
    const { town, id } = await inReview();
    const first = looking(town);
    await town.service.beadCommand({ type: 'request_changes', bead: id, comment: 'rename it' }, human);
    await leave(town, first.attempt);
    const rework = town.runner.running().find(({ request }) => request.kind === 'rework');
    expect(rework?.request.body).toContain('rename it');
    await finish(town, rework?.request.bead as BeadId, 101);
    const second = looking(town);
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: '' }, human);
    await leave(town, second.attempt);
    expect(await show(town, id)).toMatchObject({ closeReason: 'cancelled' });
    expect(town.runner.running()).toEqual([]);
  });
});
