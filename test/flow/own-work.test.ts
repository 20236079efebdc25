/** What an agent may do beside its bead: note follow-up work, nudge its neighbours, see where it stands. */
import { describe, expect, it } from 'vitest';
import { FOLLOW_UPS_PER_SESSION_MAX, NEIGHBOUR_NUDGES_MAX } from '../../src/core/limits.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { AGENT_VERBS, type Capability } from '../../src/core/queries.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const human = { actor: 'human/test', origin: 'human' } as const;
const task = { body: '', priority: 'medium', dependsOn: [], runtime: null, model: null, targetBranch: null } as const;

async function world(...rigs: readonly string[]) {
  const virtual = new VirtualTown();
  await virtual.service.start(rigs.map((rig) => rigConfig(rig)));
  const capabilities: Capability[] = [];
  for (const rig of rigs) {
    const input = { ...task, rig: trusted.rig(rig), title: 'work', sling: true, pinnedAgent: null, parentId: null };
    const { id } = await virtual.service.createBead(input, human);
    await virtual.settle();
    const live = (await virtual.service.getBead(id)).attemptList[0];
    if (live === undefined) throw new Error('no attempt');
    const { agentId: agent, id: attempt, epoch } = live;
    const expiresAtMs = virtual.nowMs + 3_600_000;
    capabilities.push({
      town: 'town-test',
      rig: input.rig,
      agent,
      bead: id,
      attempt,
      epoch,
      verbs: AGENT_VERBS,
      expiresAtMs,
    });
  }
  const [first, second] = capabilities;
  if (first === undefined) throw new Error('no rig');
  return { virtual, first, second: second ?? first, talk: virtual.service.talk };
}

const draft = (title: string) => ({ title, body: '', priority: 'low' }) as const;

describe('follow-up work of an agent', () => {
  it('is recorded, linked, once per words, and never runs by itself', async () => {
    const { virtual, talk, first } = await world('api');
    const noted = await talk.followUp(first, draft('Mend the other thing'));
    expect(noted).toMatchObject({
      hold: 'staged',
      origin: 'agent',
      createdBy: first.agent,
      parentId: first.bead,
      priority: 'low',
    });
    expect((await talk.followUp(first, draft('Mend the other thing'))).id).toBe(noted.id);
    await virtual.advance(3_600_000);
    expect((await virtual.service.getBead(noted.id)).attemptList).toEqual([]);
  });

  it('is bounded for one session', async () => {
    const { talk, first } = await world('api');
    for (let index = 0; index < FOLLOW_UPS_PER_SESSION_MAX; index += 1)
      await talk.followUp(first, draft(`n ${String(index)}`));
    await expect(talk.followUp(first, draft('one more'))).rejects.toMatchObject({ code: 'too_many_follow_ups' });
    // What it said before is still the same.
    expect((await talk.followUp(first, draft('n 3'))).title).toBe('n 3');
  });

  it('ends with its session', async () => {
    const { virtual, talk, first } = await world('api');
    await virtual.service.beadCommand({ type: 'close', bead: first.bead, reason: 'cancelled', note: '' }, human);
    await virtual.settle();
    await expect(talk.followUp(first, draft('late'))).rejects.toMatchObject({ code: 'superseded' });
    await expect(talk.nudgeNeighbour(first, { agent: first.agent, text: 'late' })).rejects.toMatchObject({
      code: 'superseded',
    });
    expect((await virtual.service.listBeads({ includeMergeRequests: true, limit: 10 })).items).toHaveLength(1);
  });
});

describe('a word of one agent to another', () => {
  it('stays in its rig, is not for itself, and is bounded', async () => {
    const { virtual, talk, first, second } = await world('api', 'web');
    await expect(talk.nudgeNeighbour(first, { agent: second.agent, text: 'x' })).rejects.toMatchObject({
      code: 'not_your_neighbour',
    });
    await expect(talk.nudgeNeighbour(first, { agent: first.agent, text: 'x' })).rejects.toMatchObject({
      code: 'own_nudge',
    });
    const input = { ...task, rig: first.rig, title: 'more', sling: true, pinnedAgent: null, parentId: null };
    const other = await virtual.service.createBead(input, human);
    await virtual.settle();
    const agent = (await virtual.service.getBead(other.id)).attemptList[0]?.agentId ?? '';
    for (let index = 0; index < NEIGHBOUR_NUDGES_MAX; index += 1)
      expect(await talk.nudgeNeighbour(first, { agent, text: `word ${String(index)}` })).toMatchObject({
        from: first.agent,
        agent,
      });
    await expect(talk.nudgeNeighbour(first, { agent, text: 'more' })).rejects.toMatchObject({
      code: 'too_many_nudges',
    });
  });
});

describe('what an agent is told', () => {
  it('names the work it builds on, its convoy, and the session that failed before it', async () => {
    const virtual = new VirtualTown();
    await virtual.service.start([rigConfig('api')]);
    const tasks = ['Schema', 'Server', 'Docs'].map((title, index) => ({
      ...task,
      rig: trusted.rig('api'),
      title,
      dependsOn: index === 1 ? [0] : [],
    }));
    const plan = {
      title: 'plan',
      tasks,
      beads: [],
      mergeMode: 'review-and-merge',
      onFailure: 'hold',
      staged: false,
    } as const;
    const convoy = await virtual.service.createConvoy(plan, human);
    const server = convoy.beads.find((row) => row.title === 'Server')?.beadId;
    if (server === null || server === undefined) throw new Error('no bead');
    const promptOf = (): string =>
      virtual.runner.running().find((process) => process.request.bead === server)?.request.prompt ?? '';
    await virtual.settle();
    const schema = virtual.runner.running().find((process) => process.request.title === 'Schema');
    virtual.runner.noChange(schema?.request.attempt ?? '', 'there already');
    virtual.runner.exit(schema?.request.attempt ?? '');
    await virtual.advance(60_000);
    const first = promptOf();
    expect(first).toContain('It builds on work that is done and in your worktree:');
    expect(first).toContain('(no_change): Schema');
    expect(first).toContain(`It is part of the convoy ${convoy.id}.`);
    expect(first).toContain(': Docs');
    expect(first).not.toContain('before yours');
    const attempt = virtual.runner.running().find((process) => process.request.bead === server)?.request.attempt ?? '';
    virtual.runner.exit(attempt, { exitCode: 3, cause: 'exited' });
    await virtual.advance(120_000);
    expect(promptOf()).toContain('The last sessions at this bead before yours, and how they ended:');
    expect(promptOf()).toContain(', agent_error: ');
  });
});
