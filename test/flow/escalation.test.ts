import { beforeEach, describe, expect, it } from 'vitest';
import { MERGE_STEP_DEADLINE_MS, NOTIFY_BACKOFF_MS, RE_ESCALATE_AFTER_MS } from '../../src/core/limits.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { EscalationSummary } from '../../src/core/queries.ts';
import { defaultResult, sha } from '../support/fake-runner.ts';
import { human, sling as slingInto } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

let town: VirtualTown;
beforeEach(async () => {
  town = new VirtualTown();
  await town.service.start([rigConfig('api')]);
  await town.settle();
});

const sling = (): Promise<BeadId> => slingInto(town, 'one');

/** The same failure twice: the bead asks a person (medium). */
async function failTwiceAlike(): Promise<void> {
  for (let tries = 0; tries < 2; tries += 1) {
    town.runner.exit(town.runner.running()[0]?.request.attempt ?? '', { exitCode: 1, lastLine: 'boom' });
    await town.settle();
    await town.advance(31_000);
  }
}

async function only(): Promise<EscalationSummary> {
  const items = await town.service.listEscalations(false);
  const [item] = items;
  if (item === undefined || items.length !== 1) throw new Error(`${String(items.length)} escalations`);
  return item;
}
const told = (): string[] => town.notified.map((one) => `${one.route} ${one.notification.severity}`);

describe('an escalation that nobody acknowledges', () => {
  it('is mailed to the mayor, rises to webhook, e-mail and desktop, and stops rising after three times', async () => {
    await sling();
    await failTwiceAlike();
    expect(await only()).toMatchObject({ severity: 'medium', routes: [{ route: 'mayor', state: 'sent' }] });
    expect(told()).toEqual([]);

    await town.advance(RE_ESCALATE_AFTER_MS);
    expect(await only()).toMatchObject({ severity: 'high', reEscalations: 1 });
    expect(told()).toEqual(['webhook high', 'email high']);

    await town.advance(2 * RE_ESCALATE_AFTER_MS);
    await town.advance(3 * RE_ESCALATE_AFTER_MS);
    expect(await only()).toMatchObject({ severity: 'critical', reEscalations: 3, nextEscalationAtMs: null });
    await town.advance(30 * RE_ESCALATE_AFTER_MS);
    expect(told()).toEqual([
      'webhook high',
      'email high',
      'webhook critical',
      'email critical',
      'desktop critical',
      'webhook critical',
      'email critical',
      'desktop critical',
    ]);
    expect(new Set(town.notified.map((one) => one.notification.key)).size).toBe(8);
  });

  it('rises no more once a person acknowledged it, and stays open', async () => {
    await sling();
    await failTwiceAlike();
    const { id } = await only();
    const after = await town.service.commandEscalation(id, { type: 'ack' }, human);
    expect(after).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'human/test' });
    await town.advance(20 * RE_ESCALATE_AFTER_MS);
    expect(await only()).toMatchObject({ severity: 'medium', reEscalations: 0 });
    expect(told()).toEqual([]);
  });

  it('rises at its time also when the town was away then', async () => {
    await sling();
    await failTwiceAlike();
    town.crash();
    town.nowMs += RE_ESCALATE_AFTER_MS;
    await town.service.start([]);
    await town.settle();
    expect(await only()).toMatchObject({ severity: 'high', reEscalations: 1 });
    expect(told()).toEqual(['webhook high', 'email high']);
  });
});

describe('a route', () => {
  const rise = async (): Promise<void> => {
    await sling();
    await failTwiceAlike();
    await town.advance(RE_ESCALATE_AFTER_MS);
  };
  const route = async (name: string) => (await only()).routes.find((one) => one.route === name);

  it('that fails is tried again with growing waits, and shows it; the other is not held up', async () => {
    town.notifyOutcome = (name) =>
      name === 'webhook' ? { state: 'retry', error: 'the webhook answered 500' } : { state: 'sent' };
    await rise();
    expect(await route('email')).toMatchObject({ state: 'sent' });
    expect(await route('webhook')).toMatchObject({ state: 'pending', error: 'the webhook answered 500' });
    town.notifyOutcome = () => ({ state: 'sent' });
    await town.advance(NOTIFY_BACKOFF_MS[1] ?? 0);
    expect(await route('webhook')).toMatchObject({ state: 'sent', error: null });
    expect(
      new Set(town.notified.filter((one) => one.route === 'webhook').map((one) => one.notification.key)).size,
    ).toBe(1);
  });

  it('that fails for long is given up, with the reason', async () => {
    town.notifyOutcome = () => ({ state: 'retry', error: 'no answer' });
    await rise();
    await town.advance(NOTIFY_BACKOFF_MS.reduce((sum, wait) => sum + wait, 0));
    expect(await route('webhook')).toMatchObject({ state: 'failed', error: 'no answer (given up after 7 tries)' });
    expect(town.notified.filter((one) => one.route === 'webhook')).toHaveLength(NOTIFY_BACKOFF_MS.length + 1);
  });

  it('that is not set up says so', async () => {
    town.notifyOutcome = () => ({ state: 'off', error: '[escalation.webhook] is not set up' });
    await rise();
    expect(await route('webhook')).toMatchObject({ state: 'off', error: '[escalation.webhook] is not set up' });
  });

  it('tells nobody what was resolved before it could be sent', async () => {
    town.notifyOutcome = () => ({ state: 'retry', error: 'no answer' });
    await rise();
    const before = town.notified.length;
    await town.service.commandEscalation((await only()).id, { type: 'resolve', note: 'seen to' }, human);
    await town.advance(NOTIFY_BACKOFF_MS.reduce((sum, wait) => sum + wait, 0));
    expect(town.notified).toHaveLength(before);
    expect(await route('webhook')).toMatchObject({ state: 'skipped' });
  });
});

describe('a decision', () => {
  it('offers what can be done now, and retry runs the bead again and resolves the escalation', async () => {
    const id = await sling();
    await failTwiceAlike();
    const item = await only();
    expect(item.options.map((option) => `${option.key} ${option.name}`)).toEqual(['A retry', 'B cancel', 'C release']);
    const after = await town.service.commandEscalation(item.id, { type: 'decide', option: 'a' }, human);
    expect(after).toMatchObject({ status: 'resolved', decision: 'retry', resolvedBy: 'human/test', options: [] });
    await town.settle();
    expect(await town.service.getBead(id)).toMatchObject({ status: 'in_progress', failures: 0 });
    expect(await only()).toMatchObject({ decision: 'retry', resolution: 'decided: retry' });
  });

  it.each([
    ['cancel', { status: 'closed', closeReason: 'cancelled' }],
    ['release', { hold: null, failures: 2 }],
  ])('%s does what it says', async (option, expected) => {
    const id = await sling();
    await failTwiceAlike();
    await town.service.commandEscalation((await only()).id, { type: 'decide', option }, human);
    await town.settle();
    expect(await town.service.getBead(id)).toMatchObject(expected);
    expect((await only()).status).toBe('resolved');
  });

  it('is not applied twice, nor after the end, nor if there is no such option', async () => {
    await sling();
    await failTwiceAlike();
    const { id } = await only();
    const decide = (option: string) => town.service.commandEscalation(id, { type: 'decide', option }, human);
    await expect(decide('explode')).rejects.toMatchObject({ code: 'no_such_option' });
    await decide('retry');
    await town.settle();
    expect(await decide('retry')).toMatchObject({ decision: 'retry' });
    await expect(decide('cancel')).rejects.toMatchObject({ code: 'escalation_resolved' });
  });

  it('under the key of an answer to another question is an answer of its own', async () => {
    const first = await sling();
    await failTwiceAlike();
    const second = await sling();
    await failTwiceAlike();
    const open = await town.service.listEscalations(true);
    const decide = (bead: string, option: string) => {
      const item = open.find(({ causeKey }) => causeKey === `bead:${bead}`);
      if (item === undefined) throw new Error(`no question about ${bead}`);
      const caller = { ...human, idempotencyKey: 'one key for all' };
      return town.service.commandEscalation(item.id, { type: 'decide', option }, caller);
    };
    expect(await decide(first, 'release')).toMatchObject({ decision: 'release' });
    expect(await decide(second, 'cancel')).toMatchObject({ decision: 'cancel' });
    expect(await town.service.getBead(second)).toMatchObject({ status: 'closed', closeReason: 'cancelled' });
  });

  it('an escalation that is not there is not found', async () => {
    await expect(
      town.service.commandEscalation(trusted.escalation('hq-esc-00000000'), { type: 'ack' }, human),
    ).rejects.toMatchObject({ code: 'escalation_not_found' });
  });
});

it('a cause that clears resolves its escalation, which never rises again (T33)', async () => {
  const id = await sling();
  await failTwiceAlike();
  await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: '' }, human);
  await town.settle();
  expect(await only()).toMatchObject({ status: 'resolved', resolution: 'its cause is gone' });
  await town.advance(20 * RE_ESCALATE_AFTER_MS);
  expect(await only()).toMatchObject({ reEscalations: 0 });
  expect(told()).toEqual([]);
});

describe('an escalation that a person resolved by hand', () => {
  it('is a new one when the same is overdue again', async () => {
    town.runner.judge = (job) => (job.kind === 'merge' ? null : defaultResult(job));
    await sling();
    const { attempt = '' } = town.runner.running()[0]?.request ?? {};
    town.runner.done(attempt, sha(100));
    town.runner.exit(attempt);
    await town.settle();
    const open = async () => town.service.listEscalations(true);
    await town.advance(MERGE_STEP_DEADLINE_MS + 1_000);
    const first = await only();
    expect(first.message).toContain('past its deadline');
    await town.service.commandEscalation(first.id, { type: 'resolve', note: 'the host was restarted' }, human);
    await town.settle();
    expect(await open()).toEqual([]);
    await town.advance(2 * MERGE_STEP_DEADLINE_MS);
    expect(await open()).toMatchObject([{ causeKey: first.causeKey, repeats: 0 }]);
  });
});
