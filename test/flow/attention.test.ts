import { describe, expect, it } from 'vitest';
import type { AttentionItem } from '../../src/core/attention-item.ts';
import { BREAKER_TOLD_AFTER_MS, WATCHDOG_INTERVAL_MS } from '../../src/core/limits.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { Capability } from '../../src/core/queries.ts';
import { convoyPhase } from '../../src/core/why-convoy.ts';
import { defaultResult, isGateOfWork } from '../support/fake-runner.ts';
import {
  finish,
  finishAll,
  HOUR,
  human,
  MINUTE,
  newBead,
  newConvoy,
  newTask,
  openTown,
  processOf,
  show,
  sling,
} from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

const NEEDS = new Set(['needs_human', 'held', 'blocked_by_failure']);

/** Holds every place that speaks of the town against the others; answers what needs a person. */
async function agree(town: VirtualTown): Promise<readonly AttentionItem[]> {
  const { service } = town;
  const items = await service.attention();
  expect((await service.status()).attention).toEqual(items);
  for (const item of items) {
    const why = await service.why(item.subject);
    // An escalation that joined a thing speaks with that thing's words.
    expect(why.sentence, item.subject).toBe(item.sentence);
    expect(why.sentence).not.toMatch(/[\n{}]/);
    expect(item.command).toMatch(/^gt /);
  }
  await agreeOnLists(town, new Set(items.map((item) => item.subject)));
  const worst = items.find((item) => item.acknowledgedBy === null);
  expect((await service.why('_')).sentence).toContain(worst?.sentence ?? 'need');
  return items;
}

/** Lists say the state that `why` says, and what waits for a person is among what needs one. */
async function agreeOnLists({ service }: VirtualTown, subjects: ReadonlySet<string>): Promise<void> {
  const beads = (await service.listBeads({ includeMergeRequests: true, limit: 500 })).items;
  for (const bead of beads) {
    const why = await service.why(bead.id);
    expect(why.state, bead.id).toBe(bead.phase);
    expect((await service.getBead(bead.id)).why).toEqual(why);
    const speaker = bead.type === 'merge_request' ? (bead.parentId ?? bead.id) : bead.id;
    if (NEEDS.has(bead.phase)) expect(subjects, `${bead.id} is ${bead.phase}`).toContain(speaker);
  }
  for (const convoy of (await service.listConvoys(100)).items) {
    expect((await service.why(convoy.id)).state).toBe(convoyPhase(convoy));
    if (convoyPhase(convoy) === 'needs_human') expect(subjects).toContain(convoy.id);
  }
  for (const rig of await service.listRigs()) expect((await service.why(`rig:${rig.id}`)).state).toBe(rig.status);
  for (const agent of await service.listAgents()) expect((await service.why(agent.id)).state).toBe(agent.status);
  for (const entry of await service.listQueue()) expect(entry.why).toEqual(await service.why(entry.beadId));
}

async function failOnce(town: VirtualTown, bead: BeadId, lastLine: string): Promise<void> {
  town.runner.exit(processOf(town, bead).request.attempt, { exitCode: 1, lastLine });
  await town.settle();
  await town.advance(5 * MINUTE + 1);
}

async function capabilityOf(town: VirtualTown, bead: BeadId): Promise<Capability> {
  const live = (await show(town, bead)).attemptList.at(-1);
  if (live === undefined) throw new Error('no attempt');
  const { id, agentId, epoch } = live;
  const rig = trusted.rig(agentId.split('/')[0] ?? '');
  return { town: 't', rig, agent: agentId, bead, attempt: id, epoch, verbs: [], expiresAtMs: 0 };
}

describe('what needs a person', () => {
  it('is nothing in a town that works by itself, whatever its beads are doing', async () => {
    const town = await openTown();
    expect(await agree(town)).toEqual([]);
    const staged = await town.service.createBead(newBead('later', { sling: false }), human);
    const first = await sling(town, 'one');
    await town.service.createBead(newBead('two', { dependsOn: [first] }), human);
    expect((await show(town, staged.id)).phase).toBe('staged');
    await agree(town);
    town.runner.exit(processOf(town, first).request.attempt, { exitCode: 1, lastLine: 'red' });
    await town.settle();
    expect((await show(town, first)).phase).toBe('backing_off');
    await agree(town);
    await town.advance(MINUTE);
    await finish(town, first);
    expect((await show(town, first)).phase).toBe('merged');
    expect(await agree(town)).toEqual([]);
  });

  it('is a question, a hold, a bead that failed twice alike, one that was given up, and who waits for it', async () => {
    const town = await openTown();
    const asking = await sling(town, 'asking');
    await town.service.talk.wait(await capabilityOf(town, asking), { question: 'Which\ndatabase?' }, 0);
    expect(await agree(town)).toMatchObject([{ kind: 'question', severity: 'medium', title: 'asking' }]);
    expect((await show(town, asking)).phase).toBe('waiting');
    await expect(town.service.beadCommand({ type: 'hold', bead: asking, note: '' }, human)).rejects.toMatchObject({
      code: 'not_open',
      message: `${asking} is running; only waiting beads can be held.`,
      next: expect.stringContaining(`gt bead close ${asking}`),
    });

    const failing = await sling(town, 'failing');
    const next = await town.service.createBead(newBead('next', { dependsOn: [failing] }), human);
    const json = 'done: {"error":{"code":"not_ahead","message":"Nothing is committed."}}';
    await failOnce(town, failing, json);
    await failOnce(town, failing, json);
    expect((await show(town, failing)).phase).toBe('needs_human');
    const twice = (await agree(town)).find((item) => item.subject === failing);
    expect(twice).toMatchObject({ kind: 'bead', severity: 'medium', command: `gt bead retry ${failing}` });
    expect(twice?.sentence).toContain('Nothing is committed.');
    expect(twice?.escalation).not.toBeNull();

    await town.service.beadCommand({ type: 'retry', bead: failing }, human);
    await town.settle();
    for (const word of ['red', 'blue', 'green', 'white', 'black']) await failOnce(town, failing, word);
    const items = await agree(town);
    expect(items.find((item) => item.subject === failing)).toMatchObject({ kind: 'bead', severity: 'high' });
    expect(items.find((item) => item.subject === next.id)).toMatchObject({ kind: 'bead', severity: 'medium' });

    await town.service.beadCommand({ type: 'close', bead: next.id, reason: 'cancelled', note: '' }, human);
    const waiting = await town.service.createBead(newBead('held', { dependsOn: [asking] }), human);
    await town.service.beadCommand({ type: 'hold', bead: waiting.id, note: 'later' }, human);
    expect((await agree(town)).at(-1)).toMatchObject({ subject: waiting.id, severity: 'low' });
  });

  it('is a merge request that no rework mends; once somebody takes care of it, it comes last', async () => {
    const town = await openTown();
    town.runner.judge = (job) =>
      isGateOfWork(job)
        ? {
            result: 'gates',
            green: false,
            runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: 'red' }],
          }
        : defaultResult(job);
    const id = await sling(town, 'one');
    await finishAll(town, 100);
    expect((await show(town, id)).phase).toBe('in_review');
    await agree(town);
    for (let round = 1; round < 6; round += 1) await finishAll(town, 100 + round);
    const [item] = await agree(town);
    expect(item).toMatchObject({ kind: 'merge_request', subject: id, severity: 'high', acknowledgedBy: null });
    expect((await show(town, id)).phase).toBe('needs_human');
    const escalation = trusted.escalation(item?.escalation ?? '');
    await town.service.commandEscalation(escalation, { type: 'ack' }, human);
    await town.settle();
    expect(await agree(town)).toMatchObject([{ subject: id, acknowledgedBy: 'human/test' }]);
  });

  it('is a convoy that its policy holds', async () => {
    const town = await openTown({ api: {}, web: {} });
    const plan = [newTask('api', 'a'), newTask('web', 'b', [0]), newTask('web', 'c')];
    const convoy = await town.service.createConvoy(newConvoy({ tasks: plan }), human);
    await town.settle();
    await agree(town);
    const first = trusted.bead(convoy.beads[0]?.beadId ?? '');
    await town.service.beadCommand({ type: 'close', bead: first, reason: 'cancelled', note: '' }, human);
    await town.settle();
    const items = await agree(town);
    expect(items.map((item) => item.kind).toSorted()).toEqual(['bead', 'convoy']);
    await town.service.changeConvoy(convoy.id, { type: 'update', update: { onFailure: 'skip' } }, human);
    await town.settle();
    expect(await agree(town)).toEqual([]);
  });

  it('is a parked rig with work, and not one without', async () => {
    const town = await openTown({ api: { parked: true }, web: { parked: true } });
    await sling(town, 'one');
    expect(await agree(town)).toMatchObject([
      { kind: 'rig', subject: 'rig:api', severity: 'low', command: 'gt rig unpark api' },
    ]);
  });

  it('is a rig that can start nobody for some time', async () => {
    const town = await openTown();
    town.runner.spawn = (attempt) => {
      town.runner.exit(attempt, { cause: 'spawn_failed', exitCode: null, lastLine: 'the disk is full' });
    };
    await sling(town, 'one');
    await town.advance(MINUTE);
    expect(await agree(town)).toEqual([]);
    await town.advance(BREAKER_TOLD_AFTER_MS + 10 * MINUTE);
    expect(await agree(town)).toMatchObject([
      { kind: 'rig', subject: 'rig:api', severity: 'medium', escalation: null },
    ]);
    await town.advance(HOUR);
    const [item] = await agree(town);
    expect(item).toMatchObject({ kind: 'rig', severity: 'high' });
    expect(item?.escalation).not.toBeNull();
  });

  it('is a runner that does not answer, and mail that nobody read', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const capability = await capabilityOf(town, id);
    await town.service.talk.sendOwnMail(capability, {
      to: 'human/',
      kind: 'help',
      subject: 'Stuck',
      body: '',
      replyTo: null,
    });
    await town.settle();
    expect(await agree(town)).toMatchObject([{ kind: 'mail', severity: 'medium', title: 'Stuck' }]);
    town.runner.silent = true;
    await town.advance(3 * WATCHDOG_INTERVAL_MS);
    expect((await agree(town))[0]).toMatchObject({ kind: 'runner', severity: 'high', command: 'gt doctor' });
  });

  it('is what an agent reports; the options of the town answer it', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    await town.service.talk.escalate(await capabilityOf(town, id), { message: 'No access to npm', severity: 'high' });
    await town.settle();
    const [item] = await agree(town);
    expect(item).toMatchObject({ kind: 'escalation', severity: 'high', title: id });
    // Pasted as it is, it shows the answers and decides nothing.
    expect(item?.command).toMatch(/^gt why hq-esc-\w+$/);
  });
});

describe('why', () => {
  it('knows when nothing is called so', async () => {
    const town = await openTown();
    for (const [id, code] of [
      ['nobody', 'id_not_found'],
      ['api-zzzzz', 'bead_not_found'],
      ['hq-cv-zzzzz', 'convoy_not_found'],
      ['hq-esc-zzzzzzzz', 'escalation_not_found'],
    ] as const)
      await expect(town.service.why(id), id).rejects.toMatchObject({ code });
    expect(await town.service.why('runner')).toMatchObject({ id: 'runner', state: 'unknown' });
    expect(await town.service.why('api')).toMatchObject({ id: 'rig:api', state: 'ready' });
    expect(await town.service.why('_')).toMatchObject({ state: 'idle', sentence: 'Nothing needs you.' });
  });
});
