import { describe, expect, it } from 'vitest';
import { DbError } from '../../src/ports/sql.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';
import { defaultResult, sha, isGateOfWork } from '../support/fake-runner.ts';
import { human, newBead as bead, newConvoy as convoy, newTask as task } from '../support/town-story.ts';

async function town(...rigs: string[]): Promise<VirtualTown> {
  const virtual = new VirtualTown();
  await virtual.service.start(rigs.map((name) => rigConfig(name)));
  await virtual.settle();
  return virtual;
}

/** Every running agent commits, calls done and leaves. */
async function work(virtual: VirtualTown, head = 100): Promise<void> {
  for (const [index, process] of virtual.runner.running().entries()) {
    virtual.runner.done(process.request.attempt, sha(head + index));
    virtual.runner.exit(process.request.attempt);
  }
  await virtual.settle();
}

describe('one bead', () => {
  it('goes from sling to merged, and its account says so', async () => {
    const virtual = await town('api');
    const created = await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    expect(virtual.runner.running()).toHaveLength(1);
    expect((await virtual.service.why(created.id)).sentence).toContain('works on it');
    await work(virtual);
    const after = await virtual.service.getBead(created.id);
    expect(after).toMatchObject({ status: 'closed', closeReason: 'merged', evidence: { head: sha(100) } });
    expect(virtual.runner.pushed).toEqual([after.evidence?.mergeSha]);
    expect((await virtual.service.listAgents())[0]).toMatchObject({ status: 'idle', hookBeadId: null });
  });

  it('waits until it is slung', async () => {
    const virtual = await town('api');
    const created = await virtual.service.createBead(bead('one', { sling: false }), human);
    await virtual.advance(3_600_000);
    expect(virtual.runner.processes.size).toBe(0);
    expect(await virtual.service.why(created.id)).toMatchObject({ state: 'staged', command: `gt sling ${created.id}` });
  });

  it('survives a crash of the brain at every moment without a second process', async () => {
    const virtual = await town('api');
    await virtual.service.createBead(bead('one'), human);
    virtual.crash();
    await virtual.service.start([]);
    await virtual.settle();
    virtual.crash();
    await virtual.service.start([]);
    await virtual.settle();
    expect(virtual.runner.processes.size).toBe(1);
    await work(virtual);
    expect((await virtual.service.listBeads({ includeMergeRequests: false, limit: 10 })).items[0]?.status).toBe(
      'closed',
    );
  });
});

describe('failures', () => {
  it('backs off, then asks a person when it fails twice alike', async () => {
    const virtual = await town('api');
    const created = await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    const first = virtual.runner.running()[0];
    virtual.runner.exit(first?.request.attempt ?? '', { exitCode: 1, lastLine: 'boom at line 3' });
    await virtual.settle();
    expect(await virtual.service.getBead(created.id)).toMatchObject({
      status: 'open',
      failures: 1,
      phase: 'backing_off',
    });
    await virtual.advance(31_000);
    const second = virtual.runner.running()[0];
    virtual.runner.exit(second?.request.attempt ?? '', { exitCode: 1, lastLine: 'boom at line 4' });
    await virtual.settle();
    expect(await virtual.service.getBead(created.id)).toMatchObject({
      status: 'open',
      hold: 'needs_human',
      failures: 2,
    });
    expect((await virtual.service.status()).attention).toHaveLength(1);
  });

  it('charges nothing for a lost runner (R11)', async () => {
    const virtual = await town('api');
    const created = await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    const first = virtual.runner.running()[0];
    virtual.runner.instanceId = trusted.runner('runner-2');
    virtual.runner.exit(first?.request.attempt ?? '', { cause: 'runner_lost', exitCode: null });
    await virtual.service.runnerChanged('runner-2');
    await virtual.settle();
    expect(await virtual.service.getBead(created.id)).toMatchObject({
      status: 'in_progress',
      failures: 0,
      attempts: 2,
    });
  });

  it('reworks a red gate on the same branch and merges once', async () => {
    const virtual = await town('api');
    virtual.runner.judge = (job) => {
      if (!isGateOfWork(job) || job.commit !== sha(0xc000 + 100)) return defaultResult(job);
      return {
        result: 'gates',
        green: false,
        runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 5, tail: 'expected 2, got 3' }],
      };
    };
    const created = await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    await work(virtual);
    const between = await virtual.service.getBead(created.id);
    expect(between).toMatchObject({ status: 'in_review', reworkBeads: [expect.any(String)] });
    expect(virtual.runner.running()[0]?.request).toMatchObject({
      kind: 'rework',
      sourceBead: created.id,
      fixedHead: sha(100),
      round: 1,
    });
    await work(virtual, 200);
    expect(await virtual.service.getBead(created.id)).toMatchObject({
      status: 'closed',
      closeReason: 'merged',
      evidence: { head: sha(200) },
    });
    expect(virtual.runner.pushed).toHaveLength(1);
  });
});

describe('convoys', () => {
  it('lands over two rigs in the order of its dependencies', async () => {
    const virtual = await town('api', 'web');
    const creating = virtual.service.createConvoy(
      convoy({ tasks: [task('api', 'a'), task('web', 'b', [0]), task('api', 'c', [1])] }),
      human,
    );
    await virtual.settle();
    const created = await creating;
    expect(created.beads.map((row) => row.bead?.id.slice(0, 3))).toEqual(['api', 'web', 'api']);
    await virtual.settle();
    for (const expected of ['a', 'b', 'c']) {
      expect(virtual.runner.running().map((process) => process.request.title)).toEqual([expected]);
      await work(virtual);
    }
    expect(await virtual.service.getConvoy(created.id)).toMatchObject({
      status: 'landed',
      closedBeads: 3,
      totalBeads: 3,
    });
  });

  it('refuses a cycle and creates nothing', async () => {
    const virtual = await town('api');
    await expect(
      virtual.service.createConvoy(convoy({ tasks: [task('api', 'a', [1]), task('api', 'b', [0])] }), human),
    ).rejects.toMatchObject({ code: 'dependency_cycle' });
    expect((await virtual.service.listConvoys(10)).items).toEqual([]);
  });
});

describe('an idle town', () => {
  it('performs no statement and sets no alarm', async () => {
    const virtual = await town('api');
    await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    await work(virtual);
    await virtual.advance(600_000);
    expect(virtual.nextAlarmMs()).toBeNull();
    const before = [...virtual.databases.values()].map((sql) => sql.statements);
    virtual.nowMs += 30 * 24 * 3_600_000;
    virtual.service.rearm();
    await new Promise((resolve) => setImmediate(resolve));
    expect([...virtual.databases.values()].map((sql) => sql.statements)).toEqual(before);
  });
});

describe('a person changes their mind', () => {
  it('takes work back that has not started', async () => {
    const virtual = await town('api');
    const blocker = await virtual.service.createBead(bead('first', { sling: false }), human);
    const created = await virtual.service.createBead(bead('one', { dependsOn: [blocker.id] }), human);
    expect(await virtual.service.beadCommand({ type: 'unsling', bead: created.id }, human)).toMatchObject({
      hold: 'staged',
    });
    await virtual.service.beadCommand(
      { type: 'close', bead: created.id, reason: 'cancelled', note: 'not needed' },
      human,
    );
    await expect(virtual.service.beadCommand({ type: 'unsling', bead: created.id }, human)).rejects.toMatchObject({
      code: 'bead_ended',
    });
  });

  it('sends a branch back while its gates run: all comments are worked on, and the old head is not merged', async () => {
    const virtual = await town('api');
    virtual.runner.judge = (job) =>
      job.kind === 'gates' && virtual.runner.pushed.length === 0 && virtual.runner.processes.size === 1
        ? null
        : defaultResult(job);
    const created = await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    await work(virtual);
    const gates = [...virtual.runner.jobs.values()].find((job) => job.kind === 'gates');
    for (const comment of ['keep the alias', 'and document it', 'in English']) {
      await virtual.service.beadCommand({ type: 'request_changes', bead: created.id, comment }, human);
    }
    virtual.runner.finish(gates?.key ?? '', 'api', { result: 'gates', green: true, runs: [] });
    await virtual.settle();
    expect(virtual.runner.pushed).toEqual([]);
    const between = await virtual.service.getBead(created.id);
    // The first one is with its agent at once, who read it; what came later waits for the next round.
    const bodies = await Promise.all(between.reworkBeads.map(async (id) => (await virtual.service.getBead(id)).body));
    expect(bodies).toEqual([
      expect.stringContaining('keep the alias'),
      expect.stringMatching(/and document it[^]*in English/),
    ]);
    await work(virtual, 300);
    await work(virtual, 301);
    expect(await virtual.service.getBead(created.id)).toMatchObject({
      closeReason: 'merged',
      evidence: { head: sha(301) },
    });
  });

  it("keeps a reviewer's word with the merge request, and merges as the gates say", async () => {
    const virtual = await town('api');
    virtual.runner.judge = (job) => (job.kind === 'gates' ? null : defaultResult(job));
    const created = await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    await work(virtual);
    const approve = { type: 'approve', bead: created.id, comment: 'read it all' } as const;
    expect(await virtual.service.beadCommand(approve, human)).toMatchObject({ status: 'in_review' });
    const said = (await virtual.service.feed(null, 500)).items.filter((entry) => entry.action === 'approved');
    expect(said).toMatchObject([{ reason: expect.stringMatching(/^human\/\S* approves [0-9a-f]{12}: read it all$/) }]);
    const gates = [...virtual.runner.jobs.values()].find((job) => job.kind === 'gates');
    expect((await virtual.service.getBead(created.id)).review?.step).toBe('gating');
    expect(gates).toBeDefined();
  });

  it('refuses changes for what has no merge request', async () => {
    const virtual = await town('api');
    const created = await virtual.service.createBead(bead('one', { sling: false }), human);
    await expect(
      virtual.service.beadCommand({ type: 'request_changes', bead: created.id, comment: 'x' }, human),
    ).rejects.toMatchObject({ code: 'not_in_review' });
  });
});

describe('changing a bead', () => {
  it('is read by the next attempt, and refused after its end', async () => {
    const virtual = await town('api');
    const created = await virtual.service.createBead(bead('one', { sling: false }), human);
    await virtual.service.beadCommand({ type: 'update', bead: created.id, changes: { title: 'two' } }, human);
    await expect(
      virtual.service.beadCommand({ type: 'update', bead: created.id, changes: {} }, human),
    ).rejects.toMatchObject({ code: 'nothing_to_update' });
    await virtual.service.beadCommand(
      { type: 'sling', sling: { bead: created.id, runtime: null, model: null, pinnedAgent: null } },
      human,
    );
    await virtual.settle();
    expect(virtual.runner.running()[0]?.request.title).toBe('two');
    await work(virtual);
    await expect(
      virtual.service.beadCommand({ type: 'update', bead: created.id, changes: { title: 'x' } }, human),
    ).rejects.toMatchObject({ code: 'bead_ended' });
  });
});

describe('slinging what runs already', () => {
  it('changes nothing, and is refused when it asks for another runtime, model or agent', async () => {
    const virtual = await town('api');
    const { id } = await virtual.service.createBead(bead('one'), human);
    await virtual.settle();
    const again = (over: { readonly runtime?: string; readonly model?: string; readonly pinnedAgent?: string }) =>
      virtual.service.beadCommand(
        { type: 'sling', sling: { bead: id, runtime: null, model: null, pinnedAgent: null, ...over } },
        human,
      );
    const runtime = virtual.runner.running()[0]?.request.runtime ?? '';
    expect(await again({})).toMatchObject({ status: 'in_progress' });
    expect(await again({ runtime })).toMatchObject({ status: 'in_progress' });
    for (const other of [{ runtime: 'claude' }, { model: 'large' }, { pinnedAgent: 'slit' }])
      await expect(again(other)).rejects.toMatchObject({
        code: 'bead_started',
        next: expect.stringContaining(`gt bead reassign ${id}`),
      });
  });
});

describe('a list of beads', () => {
  it.each([
    [undefined, [0, 1, 2, 3, 4]],
    [true, [4, 3, 2, 1, 0]],
  ])('goes on where a page ended, over all rigs; newest first: %s', async (isNewestFirst, order) => {
    const virtual = await town('api', 'web');
    const made: string[] = [];
    for (const [index, rig] of (['api', 'web', 'api', 'web', 'api'] as const).entries()) {
      const one = { ...bead(`bead ${String(index)}`, { sling: false }), rig: trusted.rig(rig) };
      made.push((await virtual.service.createBead(one, human)).id);
      // Two of them in one moment.
      if (index !== 1) await virtual.advance(1_000);
    }
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await virtual.service.listBeads({ includeMergeRequests: false, isNewestFirst, limit: 2, after });
      ids.push(...page.items.map(({ id }) => id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    const expected = order.map((index) => made[index]);
    expect(ids.toSorted()).toEqual(made.toSorted());
    expect([ids[0], ids[4]]).toEqual([expected[0], expected[4]]);
    expect(ids.indexOf(made[3] ?? '')).toBe(order.indexOf(3));
  });
});

describe('the target branch of a bead', () => {
  it('changes until its work began, and no longer', async () => {
    const virtual = await town('api');
    const created = await virtual.service.createBead(bead('one', { sling: false }), human);
    const change = { type: 'update', bead: created.id, changes: { targetBranch: 'release' } } as const;
    expect(await virtual.service.beadCommand(change, human)).toMatchObject({ targetBranch: 'release' });
    await virtual.service.beadCommand(
      { type: 'sling', sling: { bead: created.id, runtime: null, model: null, pinnedAgent: null } },
      human,
    );
    await virtual.settle();
    expect(virtual.runner.running()[0]?.request.repo?.targetBranch).toBe('release');
    await expect(virtual.service.beadCommand(change, human)).rejects.toMatchObject({ code: 'target_fixed' });
  });
});

describe('a runtime that nobody has', () => {
  it('is refused when it is named, so that it never stops the rig', async () => {
    const virtual = await town('api');
    await expect(virtual.service.createBead(bead('one', { runtime: 'nope' }), human)).rejects.toMatchObject({
      code: 'unknown_runtime',
    });
    await expect(virtual.service.createBead(bead('one', { runtime: 'command' }), human)).rejects.toMatchObject({
      code: 'no_command',
    });
    expect((await virtual.service.listBeads({ includeMergeRequests: false, limit: 10 })).items).toEqual([]);
  });
});

describe('settings that could not be written', () => {
  it('do not stay in memory: the next try writes them (seed 2001)', async () => {
    const virtual = await town('api');
    const sql = virtual.databases.get('rig/api');
    if (sql === undefined) throw new Error('the rig has a database');
    const inner = sql.tx.bind(sql);
    let depth = 0;
    let broken = true;
    sql.tx = <T>(body: () => T): T => {
      depth += 1;
      try {
        return inner(() => {
          const value = body();
          if (depth === 1 && broken) throw new DbError('storage', 'disk full');
          return value;
        });
      } finally {
        depth -= 1;
      }
    };
    const parked = rigConfig('api', { parked: true });
    await expect(virtual.service.configure([parked])).rejects.toMatchObject({ code: 'storage_failed' });
    broken = false;
    expect((await virtual.service.listRigs())[0]?.status).toBe('ready');
    await virtual.service.configure([parked]);
    expect((await virtual.service.listRigs())[0]?.status).toBe('parked');
    virtual.crash();
    await virtual.service.start([]);
    expect((await virtual.service.listRigs())[0]?.status).toBe('parked');
  });
});
