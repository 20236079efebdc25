import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/core/commands.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { openTown, processOf, sling } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const human: Caller = { actor: 'human/test', origin: 'human' };
const MINUTE = 60_000;

/** A town with one agent at work on one bead. */
async function atWork() {
  const virtual = new VirtualTown();
  await virtual.service.start([rigConfig('api', { wallClockMs: 24 * 60 * MINUTE })]);
  const input = { title: 'one', body: '', priority: 'medium', dependsOn: [], runtime: null, model: null } as const;
  const bead = await virtual.service.createBead(
    { ...input, rig: trusted.rig('api'), targetBranch: null, sling: true, pinnedAgent: null, parentId: null },
    human,
  );
  await virtual.settle();
  const attempt = virtual.runner.running()[0]?.request.attempt ?? '';
  return { virtual, bead: bead.id, attempt };
}
const agentOf = async (virtual: VirtualTown) => (await virtual.service.listAgents())[0];
const open = async (virtual: VirtualTown) =>
  (await virtual.service.listEscalations(true)).filter((item) => item.category === 'gupp');

describe('a silent agent', () => {
  it('is nudged, asked, reported, stopped and replaced, each at its minute', async () => {
    const { virtual, bead, attempt } = await atWork();
    virtual.runner.takesWords = true;
    await virtual.advance(15 * MINUTE - 1);
    expect(await agentOf(virtual)).toMatchObject({ status: 'working' });
    await virtual.advance(1);
    expect(await agentOf(virtual)).toMatchObject({ status: 'stalled' });
    expect(virtual.runner.words).toHaveLength(1);
    expect((await virtual.service.why('nux')).rule).toBe('gupp');
    await virtual.advance(45 * MINUTE - 1);
    expect(await open(virtual)).toHaveLength(0);
    await virtual.advance(1);
    expect(await open(virtual)).toMatchObject([{ severity: 'medium', subject: 'agent:api/polecats/nux' }]);
    await virtual.advance(60 * MINUTE);
    const after = await virtual.service.getBead(bead);
    expect(after.attemptList[0]).toMatchObject({ id: attempt, outcome: 'no_progress' });
    expect(virtual.runner.calls).toContain(`stop ${attempt}`);
    expect(await open(virtual)).toHaveLength(0);
    expect(virtual.runner.words).toHaveLength(1);
    await virtual.advance(MINUTE);
    expect(await virtual.service.getBead(bead)).toMatchObject({ status: 'in_progress', attempts: 2, failures: 1 });
  });

  it('that shows activity again is working, and starts at the first rung in its next silence', async () => {
    const { virtual, attempt } = await atWork();
    await virtual.advance(61 * MINUTE);
    expect(await open(virtual)).toHaveLength(1);
    virtual.runner.active(attempt);
    await virtual.settle();
    expect(await agentOf(virtual)).toMatchObject({ status: 'working' });
    expect(await open(virtual)).toHaveLength(0);
    await virtual.advance(14 * MINUTE);
    expect(await agentOf(virtual)).toMatchObject({ status: 'working' });
    await virtual.advance(MINUTE);
    expect(await agentOf(virtual)).toMatchObject({ status: 'stalled' });
  });

  it('is not punished for an absence of the daemon: its signs of life come before the next rung', async () => {
    const { virtual, attempt } = await atWork();
    virtual.service.stop();
    virtual.nowMs += 5 * 60 * MINUTE;
    virtual.crash();
    await virtual.service.start([]);
    await virtual.settle();
    virtual.runner.active(attempt);
    await virtual.settle();
    expect(await agentOf(virtual)).toMatchObject({ status: 'working' });
    expect(virtual.runner.calls).not.toContain(`stop ${attempt}`);
    expect(await open(virtual)).toHaveLength(0);
  });

  it('costs nothing between the rungs', async () => {
    const { virtual } = await atWork();
    await virtual.advance(16 * MINUTE);
    const messages = virtual.runner.calls.filter((call) => call.startsWith('message'));
    expect(messages).toHaveLength(1);
  });
});

describe('a runner whose clock is hours behind', () => {
  it('does not make an active agent look silent', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const { attempt, epoch } = processOf(town, id).request;
    for (let minute = 0; minute < 150; minute += 1) {
      await town.advance(60_000);
      const atMs = town.nowMs - 10 * 3_600_000;
      const fact = { type: 'agent_event', key: `behind-${String(minute)}`, rig: 'api', attempt, epoch } as const;
      const event = { ...fact, eventType: 'output', atMs, activeTools: [], statusMessage: null };
      await town.service.recordFacts([event]);
    }
    expect(processOf(town, id).request.attempt).toBe(attempt);
  });
});
