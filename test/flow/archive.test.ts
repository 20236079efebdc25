/** What ended long ago rests in the archive, is found there, and comes back when somebody names it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AGENT_UNUSED_MS, BEADS_KEPT_MS } from '../../src/core/limits.ts';
import type { BeadId } from '../../src/core/model/ids.ts';
import { finishAll, human, newBead, openTown, show } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

const DAY = 24 * 3_600_000;
let town: VirtualTown;
beforeEach(async () => {
  town = await openTown({ api: {} });
});

const count = (query: string): number => Number(town.databases.get('rig/api')!.all(query)[0]!['n']);
const archived = (): number => count('SELECT COUNT(*) AS n FROM archive');
const rows = (): number => count('SELECT (SELECT COUNT(*) FROM beads) + (SELECT COUNT(*) FROM attempts) AS n');

async function merged(title: string, dependsOn: readonly BeadId[] = []): Promise<BeadId> {
  const bead = await town.service.createBead(newBead(title, { dependsOn }), human);
  await town.settle();
  for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
  expect((await show(town, bead.id)).closeReason).toBe('merged');
  return bead.id;
}

/** Housekeeping rides on work: a bead that is recorded and nothing else. */
async function later(ms: number): Promise<void> {
  town.nowMs += ms;
  await town.service.createBead(newBead('work', { sling: false }), human);
  await town.advance(60_000);
}

describe('a bead that ended long ago', () => {
  it('rests after a month, not a day before, and is found with all that belonged to it', async () => {
    const id = await merged('first');
    const before = await show(town, id);
    const costs = await town.service.money.costs({});
    await later(BEADS_KEPT_MS - DAY);
    expect(archived()).toBe(0);
    const tables = rows();
    await later(2 * DAY);
    expect(archived()).toBe(1);
    // The bead, its merge request and its attempt went; one new bead came.
    expect(rows()).toBe(tables - 3 + 1);
    expect(await show(town, id)).toEqual(before);
    expect((await town.service.why(id)).sentence).toContain('Merged');
    expect((await town.service.listRigs())[0]?.counts.closed).toBe(1);
    expect(await town.service.money.costs({})).toEqual(costs);
    const list = await town.service.listBeads({ includeMergeRequests: true, limit: 50 });
    expect(list.items.map((bead) => bead.id)).not.toContain(id);
  });

  it('comes back when a new bead waits for it, and rests again (T20)', async () => {
    const id = await merged('first');
    await later(BEADS_KEPT_MS + DAY);
    expect(archived()).toBe(1);
    const next = await town.service.createBead(newBead('next', { dependsOn: [id] }), human);
    await town.settle();
    expect(archived()).toBe(0);
    expect((await show(town, next.id)).phase).toBe('running');
    for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
    await later(2 * 3_600_000);
    expect(archived()).toBe(1);
  });

  it('is reopened from the archive, and says so', async () => {
    const first = await town.service.createBead(newBead('first'), human);
    await town.settle();
    await town.service.beadCommand({ type: 'close', bead: first.id, reason: 'cancelled', note: '' }, human);
    await later(BEADS_KEPT_MS + DAY);
    expect(archived()).toBe(1);
    const second = await town.service.beadCommand({ type: 'reopen', bead: first.id }, human);
    expect(await show(town, first.id)).toMatchObject({ status: 'closed', reopenedAs: second.id });
    await later(DAY);
    // What took its place lives, so it stays.
    expect(archived()).toBe(0);
  });

  it('stays while something that lives waits for it in vain', async () => {
    const first = await town.service.createBead(newBead('first'), human);
    const waiting = await town.service.createBead(newBead('waiting', { dependsOn: [first.id] }), human);
    await town.settle();
    await town.service.beadCommand({ type: 'close', bead: first.id, reason: 'cancelled', note: '' }, human);
    await later(BEADS_KEPT_MS + DAY);
    expect((await show(town, waiting.id)).phase).toBe('blocked_by_failure');
    expect(archived()).toBe(0);
  });

  it('never lends its id to another, whoever writes', async () => {
    const id = await merged('first');
    await later(BEADS_KEPT_MS + DAY);
    const sql = town.databases.get('rig/api')!;
    town.tampered = true;
    expect(() =>
      sql.all(
        `INSERT INTO beads (id, type, kind, title, body, origin, priority, status, target_branch, queue_key, created_by, created_at, updated_at)
          VALUES (?, 'issue', 'task', 'x', '', 'human', 'medium', 'open', 'main', 1, 'human/x', 1, 1)`,
        id,
      ),
    ).toThrow('in one place only');
  });

  it('of many, all rest, a bounded number in each turn', async () => {
    for (let n = 0; n < 120; n += 1) {
      const bead = await town.service.createBead(newBead(`b${String(n)}`, { sling: false }), human);
      await town.service.beadCommand({ type: 'close', bead: bead.id, reason: 'cancelled', note: '' }, human);
    }
    await town.advance(BEADS_KEPT_MS + DAY);
    for (let n = 0; n < 4; n += 1) await later(60_000);
    expect(archived()).toBe(120);
  });
});

describe('an agent that nobody used for a day', () => {
  it('retires: it is not in the list, and its name is not given out again', async () => {
    await merged('first');
    const [nux] = await town.service.listAgents();
    await later(AGENT_UNUSED_MS + 60_000);
    expect(await town.service.listAgents()).toEqual([]);
    const id = await merged('second');
    expect((await show(town, id)).attemptList[0]?.agentId).not.toBe(nux?.id);
  });

  it("that a bead is pinned to stays; a bead pinned to one that retired is anybody's", async () => {
    await merged('first');
    const nux = (await town.service.listAgents())[0]!.id;
    const held = await town.service.createBead(newBead('pinned', { pinnedAgent: nux, sling: false }), human);
    await later(AGENT_UNUSED_MS + 60_000);
    expect(await town.service.listAgents()).toHaveLength(1);
    await town.service.beadCommand({ type: 'close', bead: held.id, reason: 'cancelled', note: '' }, human);
    await later(2 * 3_600_000);
    expect(await town.service.listAgents()).toEqual([]);
    const again = await town.service.createBead(newBead('pinned', { pinnedAgent: nux }), human);
    await town.settle();
    expect((await show(town, again.id)).phase).toBe('running');
  });
});
