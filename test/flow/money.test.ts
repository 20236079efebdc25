import { describe, expect, it } from 'vitest';
import type { RigConfig } from '../../src/core/commands.ts';
import { NO_CAPS } from '../../src/core/commands.ts';
import { QUOTA_STAGGER_MS } from '../../src/core/limits.ts';
import { budgetId, type Budget } from '../../src/core/budget.ts';
import type { CostKey } from '../../src/core/money.ts';
import { MICRO_USD } from '../../src/core/usage.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import { sha, isGateOfWork, defaultResult } from '../support/fake-runner.ts';
import {
  finish,
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

const ai: Partial<RigConfig> = { runtime: 'command', command: 'agent' };
const usd = (amount: number): number => Math.round(amount * MICRO_USD);

async function limit(town: VirtualTown, scope: string, amount: number, kind: Budget['kind'] = 'hard'): Promise<void> {
  await town.service.money.setBudget({ scope, unit: 'usd', kind, amount: usd(amount) }, human);
  await town.settle();
}
const budget = async (town: VirtualTown, id: string) =>
  (await town.service.money.listBudgets()).find((one) => one.id === id);
const polecats = (amount: number): Budget => ({
  id: 'town:polecats:hard',
  scope: 'town',
  unit: 'polecats',
  kind: 'hard',
  amount,
});
const attemptOf = (town: VirtualTown, bead: BeadId): string => processOf(town, bead).request.attempt;

/** The agent of a bead says what it cost and finishes. */
async function spend(town: VirtualTown, bead: BeadId, amount: number): Promise<void> {
  town.runner.use(attemptOf(town, bead), { tokensIn: 10, tokensOut: 10, microUsd: usd(amount) });
  await town.settle();
  await finish(town, bead);
}
const isRunning = (town: VirtualTown, bead: BeadId): boolean =>
  town.runner.running().some((process) => process.request.bead === bead);

describe('a budget that is set', () => {
  it('twice by one command, and removed in between, is not found and not set again', async () => {
    const town = await openTown();
    const once = { ...human, idempotencyKey: 'set-it' };
    const wanted = { scope: 'town', unit: 'usd', kind: 'hard', amount: usd(1) } as const;
    const { id } = await town.service.money.setBudget(wanted, once);
    await town.service.money.removeBudget(id, human);
    await expect(town.service.money.setBudget(wanted, once)).rejects.toMatchObject({ code: 'budget_not_found' });
    expect(await budget(town, id)).toBeUndefined();
  });
});

describe('what an attempt used', () => {
  it('is counted once, never less than before, and also when it comes after the end', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const attempt = attemptOf(town, id);
    town.runner.use(attempt, { tokensIn: 100, tokensOut: 10, microUsd: usd(1) });
    town.runner.use(attempt, { tokensIn: 50, tokensOut: 20, microUsd: usd(0.5) });
    await town.settle();
    expect((await show(town, id)).attemptList[0]?.usage).toMatchObject({
      tokensIn: 100,
      tokensOut: 20,
      microUsd: usd(1),
    });
    town.runner.done(attempt, sha(100));
    await town.settle();
    expect((await show(town, id)).status).toBe('closed');
    town.runner.use(attempt, { tokensIn: 200, tokensOut: 20, microUsd: usd(2) });
    town.runner.exit(attempt);
    await town.settle();
    expect(await town.service.money.costs({})).toMatchObject({
      total: { microUsd: usd(2), tokensIn: 200, unknownCost: 0, reservedMicroUsd: 0 },
      merged: 1,
      perMergedMicroUsd: usd(2),
      waste: [],
    });
  });

  it('is unknown when nobody says it, which is not nothing, and budgets count what was expected', async () => {
    const town = await openTown({ api: ai });
    await limit(town, 'rig:api', 10);
    const id = await sling(town, 'one');
    expect(await budget(town, 'rig:api:usd:hard')).toMatchObject({ spent: 0, reserved: usd(1) });
    await finish(town, id);
    expect(await budget(town, 'rig:api:usd:hard')).toMatchObject({ spent: usd(1), reserved: 0 });
    const { total } = await town.service.money.costs({});
    expect(total).toMatchObject({ microUsd: null, unknownCost: 1, unknownTokens: 1, assumedMicroUsd: usd(1) });
  });

  it('is priced by the model when only tokens are said; a model without a price has an unknown cost', async () => {
    const prices = { 'my-model': { input: 2, output: 10, cached: 1 } };
    const town = await openTown({ api: { caps: { ...NO_CAPS, prices } } });
    const id = await sling(town, 'one');
    const tokens = { tokensIn: 1_000_000, tokensOut: 100_000, unpricedIn: 1_000_000, unpricedOut: 100_000 };
    town.runner.use(attemptOf(town, id), { ...tokens, model: 'my-model-2' });
    await town.settle();
    expect((await town.service.money.costs({ bead: id })).total.microUsd).toBe(usd(3));
    const other = await sling(town, 'two');
    town.runner.use(attemptOf(town, other), { ...tokens, model: 'nobody-knows-it' });
    await town.settle();
    expect((await town.service.money.costs({ bead: other })).total).toMatchObject({ microUsd: null, unknownCost: 1 });
    expect((await town.service.money.costs({})).total).toMatchObject({ microUsd: usd(3), unknownCost: 1 });
  });

  it('is told by rig, convoy, bead, agent, model and day, known and unknown apart', async () => {
    const town = await openTown({ api: {}, web: {} });
    const id = await sling(town, 'one');
    const { agent } = processOf(town, id).request;
    await spend(town, id, 0.5);
    await town.advance(24 * 60 * MINUTE);
    const convoy = await town.service.createConvoy(newConvoy({ tasks: [newTask('web', 'two')] }), human);
    await town.settle();
    const other = convoy.beads[0]?.beadId ?? id;
    town.runner.use(attemptOf(town, other), { tokensIn: 7, unpricedIn: 7, model: 'nobody-knows-it' });
    await town.settle();
    const by = async (key: CostKey) =>
      (await town.service.money.costs({ by: key })).groups.map((row) => [
        row.key,
        row.sum.microUsd,
        row.sum.unknownCost,
      ]);
    const [known, unknown] = [
      [usd(0.5), 0],
      [null, 1],
    ];
    expect(await by('rig')).toEqual([
      ['api', ...known],
      ['web', ...unknown],
    ]);
    expect(await by('convoy')).toEqual([
      [null, ...known],
      [convoy.id, ...unknown],
    ]);
    expect(await by('bead')).toEqual([
      [id, ...known],
      [other, ...unknown],
    ]);
    expect((await by('agent'))[0]).toEqual([agent, ...known]);
    expect(await by('model')).toEqual([
      ['some-model', ...known],
      ['nobody-knows-it', ...unknown],
    ]);
    const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
    expect(await by('day')).toEqual([
      [day(town.nowMs - 24 * 60 * MINUTE), ...known],
      [day(town.nowMs), ...unknown],
    ]);
    expect((await town.service.money.costs({})).groups).toEqual([]);
  });

  it('of a recipe that says nothing is nothing, and known', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    await finish(town, id);
    expect((await town.service.money.costs({})).total).toMatchObject({ microUsd: 0, unknownCost: 0, unknownTokens: 0 });
  });

  it('shows what was wasted by its cause', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    town.runner.use(attemptOf(town, id), { tokensIn: 1, microUsd: usd(0.25) });
    town.runner.exit(attemptOf(town, id), { exitCode: 1, lastLine: 'boom' });
    await town.advance(MINUTE);
    await spend(town, id, 0.5);
    expect(await town.service.money.costs({})).toMatchObject({
      total: { microUsd: usd(0.75), attempts: 2 },
      perMergedMicroUsd: usd(0.75),
      waste: [{ cause: 'agent_error', sum: { microUsd: usd(0.25), attempts: 1 } }],
      engines: [{ runtime: 'script', model: 'some-model' }],
    });
  });
});

describe('a hard budget', () => {
  it('reached in the middle of work lets it finish, starts nothing new, and goes on when it is raised (T37)', async () => {
    const town = await openTown({ api: { polecatsMax: 1 } });
    await limit(town, 'rig:api', 1);
    const first = await sling(town, 'one');
    const second = await sling(town, 'two');
    town.runner.use(attemptOf(town, first), { tokensIn: 1, microUsd: usd(3) });
    await town.settle();
    expect(isRunning(town, first)).toBe(true);
    await finish(town, first);
    expect(await show(town, first)).toMatchObject({ closeReason: 'merged' });
    await town.advance(60 * MINUTE);
    expect(isRunning(town, second)).toBe(false);
    const why = await town.service.why(second);
    expect(why.sentence).toBe('Ready; waits for the budget of rig api: spent $3.00 of $1.00, $0.00 reserved.');
    expect(why.next).toContain('gt budget set rig api --usd');
    expect(await town.service.listEscalations(true)).toMatchObject([{ severity: 'medium', repeats: 0 }]);
    await limit(town, 'rig:api', 10);
    expect(isRunning(town, second)).toBe(true);
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('lets work of other scopes run past what waits for it', async () => {
    const town = await openTown({ api: { ...ai, polecatsMax: 1 } });
    const poor = await town.service.createBead(newBead('poor', { sling: false, priority: 'critical' }), human);
    await limit(town, `bead:${poor.id}`, 0.5);
    await town.service.beadCommand(
      { type: 'sling', sling: { bead: poor.id, runtime: null, model: null, pinnedAgent: null } },
      human,
    );
    const rich = await sling(town, 'rich');
    expect([isRunning(town, poor.id), isRunning(town, rich)]).toEqual([false, true]);
    await town.service.money.removeBudget(`bead:${poor.id}:usd:hard`, human);
    await finish(town, rich);
    expect(isRunning(town, poor.id)).toBe(true);
  });

  it('of the town is never spent twice by rigs that race for it', async () => {
    const town = await openTown({ api: ai, web: ai, app: ai });
    await limit(town, 'town', 2.5);
    const beads = await Promise.all(
      ['api', 'web', 'app', 'api', 'web'].map((rig) =>
        town.service.createBead(newBead('work', { rig: trusted.rig(rig) }), human),
      ),
    );
    await town.settle();
    // Each is expected to cost a dollar: two fit, wherever they are.
    expect(town.runner.running()).toHaveLength(2);
    expect(await budget(town, 'town:usd:hard')).toMatchObject({ spent: 0, reserved: usd(2), isWaitedFor: true });
    const waiting = beads.find(({ id }) => !isRunning(town, id));
    expect((await town.service.why(waiting?.id ?? '')).sentence).toBe(
      'Ready; waits for the budget of town: spent $0.00 of $2.50, $2.00 reserved.',
    );
    const [first] = town.runner.running();
    await spend(town, trusted.bead(first?.request.bead ?? ''), 0.1);
    // What the first did not use is another one's now.
    expect(town.runner.running()).toHaveLength(2);
    expect(await budget(town, 'town:usd:hard')).toMatchObject({ spent: usd(0.1) });
  });

  it('survives a crash of the brain at every moment: nothing is given twice, nothing is forgotten', async () => {
    for (let steps = 1; steps <= 12; steps += 1) {
      const town = await openTown({ api: ai, web: ai });
      await limit(town, 'town', 1.5);
      for (const rig of ['api', 'web'])
        await town.service.createBead(newBead('work', { rig: trusted.rig(rig) }), human);
      for (let step = 0; step < steps; step += 1) await new Promise((resolve) => setImmediate(resolve));
      town.crash();
      await town.service.start([]);
      // A message that came too early is sent again a moment later.
      await town.advance(1_000);
      expect(town.runner.running(), `after ${String(steps)} steps`).toHaveLength(1);
      expect(await budget(town, 'town:usd:hard')).toMatchObject({ spent: 0, reserved: usd(1) });
      const [only] = town.runner.running();
      town.runner.use(only?.request.attempt ?? '', { tokensIn: 1, microUsd: usd(0.4) });
      await town.settle();
      town.crash();
      await town.service.start([]);
      // A message that came too early is sent again a moment later.
      await town.advance(1_000);
      await finish(town, trusted.bead(only?.request.bead ?? ''));
      expect(town.runner.running(), `then after ${String(steps)} steps`).toHaveLength(1);
      expect(await budget(town, 'town:usd:hard')).toMatchObject({ spent: usd(0.4) });
    }
  });

  it('that is removed and set again begins anew', async () => {
    const town = await openTown({ api: ai, web: ai });
    await limit(town, 'town', 1);
    const id = await sling(town, 'one');
    await spend(town, id, 0.2);
    for (let again = 0; again < 3; again += 1) {
      await town.service.money.removeBudget(budgetId('town', 'usd', 'hard'), human);
      await town.service.money.setBudget({ scope: 'town', unit: 'usd', kind: 'hard', amount: usd(0.5) }, human);
    }
    await town.settle();
    const parts = (await budget(town, 'town:usd:hard'))?.parts ?? [];
    expect(parts.map((part) => part.granted - part.returned)).toEqual([0, 0]);
    for (let beads = 0; beads < 4; beads += 1) await sling(town, 'more');
    // What is expected is now what the first one cost.
    expect(town.runner.running()).toHaveLength(1);
  });

  it('does not go round in circles with another one that covers the same work, and both hold', async () => {
    const town = await openTown({ api: ai, web: ai });
    await limit(town, 'town', 3.5);
    const { id } = await town.service.createConvoy(
      newConvoy({ staged: true, tasks: ['api', 'web', 'api', 'web'].map((rig) => newTask(rig, 'work')) }),
      human,
    );
    await limit(town, `convoy:${id}`, 0.5);
    await town.service.configure([], [polecats(3)]);
    await town.service.startConvoy(id, human);
    await town.settle();
    expect(town.runner.running()).toEqual([]);
    await limit(town, `convoy:${id}`, 2);
    // Two fit into the convoy's; the town's and the cap on agents have room for a third.
    expect(town.runner.running()).toHaveLength(2);
    await sling(town, 'other');
    await sling(town, 'one more');
    expect(town.runner.running()).toHaveLength(3);
    expect(await budget(town, 'town:usd:hard')).toMatchObject({ spent: 0, reserved: usd(3) });
    const grants = (await town.service.feed(null, 500)).items.filter((item) => item.action === 'grant_budget');
    expect(grants.length).toBeLessThan(60);
  });

  it('of a convoy and in tokens works the same way', async () => {
    const town = await openTown({ api: ai });
    await town.service.money.setBudget({ scope: 'rig:api', unit: 'tokens', kind: 'hard', amount: 600_000 }, human);
    await sling(town, 'one');
    await sling(town, 'two');
    expect(town.runner.running()).toHaveLength(1);
  });
});

describe('a soft budget', () => {
  it('tells a person at four fifths and at the end, once each, and lets work go on; raising it ends that', async () => {
    const town = await openTown();
    await limit(town, 'town', 1, 'soft');
    await spend(town, await sling(town, 'one'), 0.79);
    expect(await town.service.listEscalations(true)).toEqual([]);
    await spend(town, await sling(town, 'two'), 0.01);
    await spend(town, await sling(town, 'three'), 0.1);
    const [near, ...others] = await town.service.listEscalations(true);
    expect(near).toMatchObject({ severity: 'low', repeats: 0 });
    expect(near?.message).toContain('Nearly used up: the budget of town: spent $0.8000 of $1.00');
    await spend(town, await sling(town, 'four'), 0.2);
    await spend(town, await sling(town, 'five'), 0.2);
    expect(others).toEqual([]);
    const over = await town.service.listEscalations(true);
    expect(over).toMatchObject([{ severity: 'medium', repeats: 0 }]);
    expect(over[0]?.message).toContain('Used up: the budget of town: spent $1.10 of $1.00');
    await limit(town, 'town', 2, 'soft');
    expect(await town.service.listEscalations(true)).toEqual([]);
  });
});

describe('a quota that is used up', () => {
  it('parks the bead with its place and goes on at the reset; others of the scope wait, other models run (T36)', async () => {
    const town = await openTown({ api: ai });
    const first = await sling(town, 'one');
    const resetsAtMs = town.nowMs + 25 * MINUTE;
    town.runner.limited(attemptOf(town, first), resetsAtMs);
    town.runner.exit(attemptOf(town, first), { exitCode: 1, lastLine: 'rate limit' });
    await town.settle();
    expect(await show(town, first)).toMatchObject({ status: 'open', hold: 'parked', failures: 0 });
    const second = await sling(town, 'two');
    const other = await sling(town, 'three', { model: 'another' });
    expect([isRunning(town, second), isRunning(town, other)]).toEqual([false, true]);
    expect((await town.service.why(second)).sentence).toContain('quota of account command');
    expect((await town.service.why(first)).sentence).toContain('Parked');
    expect(await town.service.money.listQuota()).toMatchObject([{ account: 'command', parked: 1 }]);
    await town.advance(24 * MINUTE);
    expect([isRunning(town, first), isRunning(town, second)]).toEqual([false, false]);
    await town.advance(2 * MINUTE);
    expect([isRunning(town, first), isRunning(town, second)]).toEqual([true, true]);
    await finish(town, first);
    expect(await show(town, first)).toMatchObject({ closeReason: 'merged', failures: 0 });
    expect(await town.service.money.listQuota()).toEqual([]);
    expect(await town.service.money.costs({})).toMatchObject({ waste: [{ cause: 'quota' }] });
  });

  it('is that of the account, whatever runtime and rig draw on it; another account goes on', async () => {
    const work = (account: string) => ({ caps: { ...NO_CAPS, account } });
    const town = await openTown({ api: { ...ai, ...work('team') }, web: work('team'), app: work('other') });
    const first = await sling(town, 'one');
    town.runner.limited(attemptOf(town, first), town.nowMs + 25 * MINUTE);
    town.runner.exit(attemptOf(town, first), { exitCode: 1, lastLine: 'rate limit' });
    await town.settle();
    const same = await sling(town, 'two', { rig: trusted.rig('web') });
    const other = await sling(town, 'three', { rig: trusted.rig('app') });
    expect([isRunning(town, same), isRunning(town, other)]).toEqual([false, true]);
    expect((await town.service.why(same)).sentence).toContain('quota of account team');
    expect(await town.service.money.listQuota()).toMatchObject([{ account: 'team', rigs: ['api', 'web'], parked: 1 }]);
    await town.advance(26 * MINUTE);
    expect([isRunning(town, first), isRunning(town, same)]).toEqual([true, true]);
  });

  it('holds no slot while it is closed; what it parked goes first when it opens (T36)', async () => {
    const town = await openTown({ api: { ...ai, polecatsMax: 1 } });
    const first = await sling(town, 'one');
    town.runner.limited(attemptOf(town, first), town.nowMs + 25 * MINUTE);
    town.runner.exit(attemptOf(town, first), { exitCode: 1, lastLine: 'rate limit' });
    await town.settle();
    const other = await sling(town, 'another model', { model: 'another' });
    expect(isRunning(town, other)).toBe(true);
    const later = await sling(town, 'later');
    await finish(town, other);
    expect(town.runner.running()).toEqual([]);
    await town.advance(26 * MINUTE);
    expect([isRunning(town, first), isRunning(town, later)]).toEqual([true, false]);
    expect((await show(town, first)).attemptList.map(({ outcome }) => outcome)).toEqual(['quota', null]);
  });

  it('in a burst pauses all that draw on it and starts them again one after the other (T35)', async () => {
    const town = await openTown({ api: ai, web: ai });
    const beads = [];
    for (const rig of ['api', 'api', 'api', 'web']) beads.push(await sling(town, 'work', { rig: trusted.rig(rig) }));
    for (const process of town.runner.running()) {
      town.runner.limited(process.request.attempt, town.nowMs + MINUTE);
      town.runner.exit(process.request.attempt, { exitCode: 1, lastLine: 'too many requests' });
    }
    await town.settle();
    expect(town.runner.running()).toEqual([]);
    const later = await sling(town, 'later', { rig: trusted.rig('web') });
    expect(isRunning(town, later)).toBe(false);
    await town.advance(MINUTE);
    const counts: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      counts.push(town.runner.running().filter((process) => process.request.rig === 'api').length);
      await town.advance(QUOTA_STAGGER_MS);
    }
    expect(counts).toEqual([1, 2, 3, 3]);
    expect(isRunning(town, later)).toBe(true);
    for (const id of beads) expect(await show(town, id)).toMatchObject({ failures: 0 });
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('without a known end is tried again with growing waits, is told once after half an hour, and clears itself', async () => {
    const town = await openTown({ api: ai });
    const id = await sling(town, 'one');
    const starts: number[] = [];
    for (let tries = 0; tries < 7; tries += 1) {
      while (!isRunning(town, id)) await town.advance(10_000);
      starts.push(town.nowMs);
      town.runner.limited(attemptOf(town, id), null);
      town.runner.exit(attemptOf(town, id), { exitCode: 1, lastLine: 'rate limit' });
      await town.settle();
    }
    const waits = starts.slice(1).map((atMs, index) => Math.round((atMs - (starts[index] ?? 0)) / MINUTE));
    expect(waits).toEqual([1, 2, 4, 8, 16, 30]);
    expect(await show(town, id)).toMatchObject({ failures: 0, hold: 'parked' });
    expect(await town.service.listEscalations(false)).toMatchObject([
      { category: 'quota', repeats: 0, status: 'open' },
    ]);
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(isRunning(town, id)).toBe(true);
    await town.advance(6 * MINUTE);
    expect(await town.service.listEscalations(true)).toEqual([]);
  });
});

describe('caps', () => {
  it('of the town hold over all rigs', async () => {
    const town = await openTown({ api: {}, web: {} });
    await town.service.configure([], [polecats(3)]);
    for (const rig of ['api', 'api', 'web', 'web', 'web']) await sling(town, 'work', { rig: trusted.rig(rig) });
    expect(town.runner.running()).toHaveLength(3);
    const [first] = town.runner.running();
    await finish(town, trusted.bead(first?.request.bead ?? ''));
    expect(town.runner.running()).toHaveLength(3);
    expect(await town.service.listEscalations(true)).toEqual([]);
    await town.service.configure([], []);
    await town.settle();
    expect(town.runner.running()).toHaveLength(4);
  });

  it('by runtime and by account hold, and others go on', async () => {
    const caps = { ...NO_CAPS, perRuntimeMax: { script: 1 }, perAccountMax: 2 };
    const town = await openTown({ api: { ...ai, caps } });
    for (const runtime of ['script', 'script', 'command', 'command', 'command']) await sling(town, 'work', { runtime });
    expect(town.runner.running().map((process) => process.request.runtime)).toEqual(['script', 'command', 'command']);
  });

  it('by merge requests that wait for a person holds new work, but not rework', async () => {
    const town = await openTown({ api: { caps: { ...NO_CAPS, reviewsWaitingMax: 0 } } });
    town.runner.judge = (job) =>
      isGateOfWork(job)
        ? {
            result: 'gates',
            green: false,
            runs: [{ name: 't', exitCode: 1, timedOut: false, durationMs: 1, tail: 'x' }],
          }
        : defaultResult(job);
    const first = await sling(town, 'one');
    await finish(town, first);
    const rework = (await show(town, first)).reworkBeads[0];
    await finish(town, trusted.bead(rework ?? ''), 101);
    const second = await sling(town, 'two');
    expect(isRunning(town, second)).toBe(false);
    expect((await town.service.why(second)).sentence).toContain('reviews_waiting_max');
  });
});
