/** The mayor on virtual time: real actors and databases, a fake runner; the test is the mayor's process. */
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/core/commands.ts';
import { MAYOR_TRIES_MAX, RETRY_BACKOFF_MS, START_DEADLINE_MS, TAKEOVER_AFTER_MS } from '../../src/core/limits.ts';
import { trusted } from '../../src/core/model/ids.ts';
import type { MayorConfig, MayorMessage } from '../../src/core/model/mayor.ts';
import { MAYOR_VERBS, type MayorCapability } from '../../src/core/queries.ts';
import type { FakeProcess } from '../support/fake-runner.ts';
import { human, newBead } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const CONFIG: MayorConfig = {
  runtime: 'command',
  model: null,
  command: 'mayor',
  wallClockMs: 1_800_000,
  ownerEmail: 'owner@example.org',
};

async function townWithMayor(): Promise<VirtualTown> {
  const town = new VirtualTown();
  await town.service.start([rigConfig('api')]);
  await town.service.configureMayor(CONFIG);
  await town.settle();
  return town;
}

const processes = (town: VirtualTown): readonly FakeProcess[] =>
  [...town.runner.processes.values()].filter((process) => process.request.agent === 'mayor/');
const running = (town: VirtualTown): readonly FakeProcess[] =>
  processes(town).filter((process) => process.state === 'running');

function session(town: VirtualTown, index = -1): MayorCapability {
  const request = processes(town).at(index)?.request;
  if (request === undefined) throw new Error('no session of the mayor');
  return {
    role: 'mayor',
    town: 'town-test',
    attempt: trusted.attempt(request.attempt),
    epoch: request.epoch,
    sitting: request.round,
    verbs: MAYOR_VERBS,
    expiresAtMs: town.nowMs + 1,
  };
}

const say = async (town: VirtualTown, text: string): Promise<MayorMessage> => {
  const message = await town.service.mayor.message(text, human);
  await town.settle();
  return message;
};
const reply = (town: VirtualTown, text: string, to: number | null = null): Promise<MayorMessage> =>
  town.service.mayor.reply(session(town), { to, text });
async function end(town: VirtualTown, how: Parameters<VirtualTown['runner']['exit']>[1] = {}): Promise<void> {
  for (const process of running(town)) town.runner.exit(process.request.attempt, how);
  await town.settle();
}
const states = async (town: VirtualTown): Promise<readonly string[]> =>
  (await town.service.mayor.messages(null, 100)).map((message) => message.state);
const openEscalations = async (town: VirtualTown): Promise<readonly string[]> =>
  (await town.service.listEscalations(true)).map((item) => `${item.causeKey} ${item.severity}`);

describe('a conversation with the mayor', () => {
  it('starts a process for a message, gives it the text, keeps the answer, and rests', async () => {
    const town = await townWithMayor();
    expect(town.nextAlarmMs()).toBeNull();
    await say(town, 'What is stuck?');
    expect(running(town)).toHaveLength(1);
    expect(running(town)[0]?.request).toMatchObject({ agent: 'mayor/', repo: null, env: { GT_COMMAND: 'mayor' } });
    expect(running(town)[0]?.request.prompt).toContain('What is stuck?');
    expect(await town.service.mayor.summary()).toMatchObject({ status: 'working', openMessages: 1 });
    await reply(town, 'Nothing.');
    await end(town);
    expect(await town.service.mayor.getMessage(1, 0)).toMatchObject({ state: 'answered', reply: 'Nothing.' });
    expect(await town.service.mayor.summary()).toMatchObject({ status: 'waiting', waitingMessages: 0, failures: 0 });
    const calls = town.runner.calls.length;
    await town.advance(24 * 3_600_000);
    expect(processes(town)).toHaveLength(1);
    expect(town.runner.calls).toHaveLength(calls);
    expect((await town.service.listBeads({ limit: 10, includeMergeRequests: true })).items).toEqual([]);
  });

  it('gives what came meanwhile to the next process, together and in order', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    await say(town, 'two');
    await say(town, 'three');
    expect(running(town)).toHaveLength(1);
    await reply(town, 'first');
    await end(town);
    const prompt = running(town)[0]?.request.prompt ?? '';
    expect(prompt).not.toContain('one\n');
    expect(prompt.indexOf('Message 2')).toBeLessThan(prompt.indexOf('Message 3'));
    await expect(reply(town, 'which?')).rejects.toMatchObject({ code: 'which_message' });
    await reply(town, 'second', 2);
    await reply(town, 'third');
    await end(town);
    expect((await town.service.mayor.messages(null, 10)).map((row) => row.reply)).toEqual(['first', 'second', 'third']);
  });

  it('takes an answer once: the same words are the same answer, others are refused', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    await reply(town, 'yes');
    await reply(town, 'yes');
    await reply(town, 'yes', 1);
    await expect(reply(town, 'no', 1)).rejects.toMatchObject({ code: 'already_answered' });
    await expect(reply(town, 'more')).rejects.toMatchObject({ code: 'nothing_to_answer' });
    await expect(reply(town, 'what', 99)).rejects.toMatchObject({ code: 'message_not_found' });
    expect(await town.service.mayor.getMessage(1, 0)).toMatchObject({ reply: 'yes' });
  });

  it('takes a message once per key', async () => {
    const town = await townWithMayor();
    const caller = { ...human, idempotencyKey: 'k' };
    await Promise.all([town.service.mayor.message('one', caller), town.service.mayor.message('one', caller)]);
    await town.service.mayor.message('one', caller);
    expect(await states(town)).toHaveLength(1);
  });

  it('is answered while somebody waits for it', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    const waiting = town.service.mayor.getMessage(1, 60_000);
    await reply(town, 'there');
    expect(await waiting).toMatchObject({ reply: 'there' });
  });
});

describe('a mayor that does not answer', () => {
  it('is tried three times with growing waits, then the message is given up and a person hears of it', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    for (let tries = 1; tries <= MAYOR_TRIES_MAX; tries += 1) {
      expect(processes(town)).toHaveLength(tries);
      await end(town);
      await town.advance((RETRY_BACKOFF_MS[tries - 1] ?? 0) - 1);
      expect(running(town)).toEqual([]);
      await town.advance(1);
    }
    expect(await states(town)).toEqual(['unanswered']);
    expect(await openEscalations(town)).toEqual(['mayor:unanswered medium']);
    await town.advance(3_600_000);
    expect(processes(town)).toHaveLength(MAYOR_TRIES_MAX);
    // People read it: the mayor can't be asked to mend itself.
    expect(await town.service.talk.mailbox({ address: null, unreadOnly: true, limit: 10 })).toHaveLength(1);
  });

  it('tells the successor what happened, and shows it the same messages', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    await say(town, 'two');
    await end(town, { exitCode: 3, lastLine: 'no key' });
    await town.advance(RETRY_BACKOFF_MS[0] ?? 0);
    const prompt = running(town)[0]?.request.prompt ?? '';
    expect(prompt).toContain('exited, exit code 3: no key');
    expect(prompt).toContain('Message 1');
    expect(prompt).not.toContain('Message 2');
  });

  it('opens its breaker after five failures in a row, is told once, and closes it by an answer', async () => {
    const town = await townWithMayor();
    for (let tries = 0; tries < 5; tries += 1) {
      await say(town, `message ${String(tries)}`);
      await end(town, { exitCode: 1 });
      if (tries < 4) await town.advance(RETRY_BACKOFF_MS[tries] ?? 0);
    }
    expect(await town.service.mayor.summary()).toMatchObject({ failures: 5, isBreakerOpen: true });
    expect(await openEscalations(town)).toContain('mayor:breaker high');
    const before = processes(town).length;
    await town.advance(9 * 60_000);
    expect(processes(town)).toHaveLength(before);
    await town.advance(60_000);
    expect(running(town)).toHaveLength(1);
    for (const row of await town.service.mayor.messages(null, 100))
      if (row.state === 'shown') await reply(town, 'here I am', row.seq);
    await end(town);
    expect(await town.service.mayor.summary()).toMatchObject({ failures: 0, isBreakerOpen: false });
    expect(await openEscalations(town)).not.toContain('mayor:breaker high');
  });

  it('loses nothing to a machine that fails: such a process is not charged to the message', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    for (let deaths = 0; deaths < 6; deaths += 1) {
      await end(town, { cause: 'runner_lost', exitCode: null });
      await town.advance(10 * 60_000);
    }
    expect(await states(town)).toEqual(['shown']);
    await reply(town, 'at last');
    await end(town);
    expect(await states(town)).toEqual(['answered']);
  });
});

describe('the mayor and crashes', () => {
  it('loses and doubles no message when the brain dies between any two moments', async () => {
    for (let at = 0; at < 6; at += 1) {
      const town = await townWithMayor();
      const crash = async (moment: number): Promise<void> => {
        if (moment !== at) return;
        town.crash();
        await town.service.start([rigConfig('api')]);
        await town.settle();
      };
      await town.service.mayor.message('one', human);
      await crash(0);
      await town.settle();
      await crash(1);
      await town.service.mayor.message('two', human);
      await crash(2);
      await reply(town, 'first');
      await crash(3);
      for (const process of running(town)) town.runner.exit(process.request.attempt);
      await crash(4);
      await town.settle();
      await crash(5);
      await reply(town, 'second');
      await end(town);
      expect((await town.service.mayor.messages(null, 10)).map((row) => row.reply)).toEqual(['first', 'second']);
      expect(processes(town)).toHaveLength(2);
      town.crash();
    }
  });

  it('starts no second process while the first may live, and takes over at the deadline', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    const stale = session(town);
    town.runner.silent = true;
    await town.advance(START_DEADLINE_MS + TAKEOVER_AFTER_MS - 60_000);
    expect(processes(town)).toHaveLength(1);
    await town.advance(3 * 60_000);
    town.runner.silent = false;
    await town.advance(60_000);
    expect(processes(town).filter((process) => process.state === 'running')).toHaveLength(1);
    expect(processes(town)).toHaveLength(2);
    await expect(town.service.mayor.reply(stale, { to: null, text: 'late' })).rejects.toMatchObject({
      code: 'superseded',
    });
    await reply(town, 'by the new one');
    expect(await town.service.mayor.getMessage(1, 0)).toMatchObject({ reply: 'by the new one' });
  });

  it('asks at once when another runner answers, and goes on with the same messages', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    town.runner.processes.clear();
    town.runner.instanceId = trusted.runner('runner-2');
    await town.service.runnerChanged('runner-2');
    await town.settle();
    await town.advance(RETRY_BACKOFF_MS[0] ?? 0);
    await reply(town, 'again');
    await end(town);
    expect(await states(town)).toEqual(['answered']);
  });
});

describe('people and the mayor', () => {
  it('stop it: its process ends, messages wait uncharged; start goes on with them', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    expect(await town.service.mayor.stop(human)).toBeDefined();
    await town.settle();
    expect(running(town)).toEqual([]);
    await say(town, 'two');
    await town.advance(3_600_000);
    expect(await town.service.mayor.summary()).toMatchObject({
      status: 'stopped',
      waitingMessages: 1,
      openMessages: 1,
    });
    expect(processes(town)).toHaveLength(1);
    await town.service.mayor.start(human);
    await town.settle();
    expect(running(town)).toHaveLength(1);
    await reply(town, 'first', 1);
    await end(town);
    await reply(town, 'second', 2);
  });

  it.each([
    ['cycle', true],
    ['restart', false],
  ] as const)('%s it by mail to daemon/: a fresh process, once, with checkpoint: %s', async (action, keeps) => {
    const town = await townWithMayor();
    await say(town, 'one');
    await town.service.mayor.checkpoint(session(town), '{"plan":7}');
    const draft = {
      to: 'daemon/',
      kind: 'lifecycle',
      subject: action,
      body: JSON.stringify({ from: 'mayor/', action, timestamp: 't1' }),
      replyTo: null,
    } as const;
    expect(await town.service.talk.sendMail(draft, human)).toMatchObject({ state: 'executed' });
    await town.service.talk.sendMail(draft, human);
    await town.settle();
    expect(processes(town)).toHaveLength(2);
    expect(running(town)[0]?.request.prompt.includes('{"plan":7}')).toBe(keeps);
    expect(running(town)[0]?.request.prompt).toContain('Message 1');
  });

  it('shutdown by request: as stop', async () => {
    const town = await townWithMayor();
    const request = {
      agent: 'mayor/',
      action: 'shutdown',
      requestedBy: 'human/test',
      timestamp: null,
      note: '',
    } as const;
    await town.service.talk.lifecycle(request, human);
    expect(await town.service.mayor.summary()).toMatchObject({ status: 'stopped' });
    await expect(town.service.talk.lifecycle({ ...request, action: 'cycle' }, human)).rejects.toMatchObject({
      code: 'no_session',
    });
  });

  it('have a whole town without one: messages are refused, its mail is read by people', async () => {
    const town = new VirtualTown();
    await town.service.start([rigConfig('api')]);
    await expect(town.service.mayor.message('one', human)).rejects.toMatchObject({ code: 'no_mayor' });
    await expect(town.service.mayor.start(human)).rejects.toMatchObject({ code: 'no_mayor' });
    const mail = { to: 'mayor/', kind: 'note', subject: 'hello', body: '', replyTo: null } as const;
    await town.service.talk.sendMail(mail, human);
    await town.settle();
    expect(await town.service.talk.mailbox({ address: null, unreadOnly: true, limit: 10 })).toHaveLength(1);
    expect(town.runner.calls.filter((call) => call.startsWith('start'))).toEqual([]);
  });
});

describe('mail to the mayor', () => {
  const mail = { to: 'mayor/', kind: 'note', subject: 'hello', body: 'from me', replyTo: null } as const;

  it('wakes it once, is in its prompt, and is not shown to people', async () => {
    const town = await townWithMayor();
    await town.service.talk.sendMail(mail, human);
    await town.settle();
    expect(running(town)[0]?.request.prompt).toContain('from me');
    await end(town);
    await town.advance(3_600_000);
    expect(processes(town)).toHaveLength(1);
    expect(await town.service.talk.mailbox({ address: null, unreadOnly: true, limit: 10 })).toEqual([]);
    const [kept] = await town.service.talk.mailbox({ address: 'mayor/', unreadOnly: true, limit: 10 });
    expect(kept).toMatchObject({ subject: 'hello', from: 'human/' });
    await town.advance(8 * 24 * 3_600_000);
    expect(await town.service.talk.mailbox({ address: null, unreadOnly: true, limit: 10 })).toMatchObject([
      { subject: 'Returned: hello' },
    ]);
  });

  it('of a medium escalation wakes it, and it may acknowledge that; its own are for people', async () => {
    const town = await townWithMayor();
    const bead = await town.service.createBead(newBead('one'), human);
    for (let tries = 0; tries < 2; tries += 1) {
      await town.settle();
      const attempt = (await town.service.getBead(bead.id)).attemptList.find((row) => row.endedAtMs === null);
      if (attempt !== undefined) town.runner.exit(attempt.id, { exitCode: 1, lastLine: 'the same' });
      await town.advance(60_000);
    }
    expect(running(town)[0]?.request.prompt).toContain(`bead:${bead.id}`);
    const [escalation] = await town.service.listEscalations(true);
    if (escalation === undefined) throw new Error('nothing is escalated');
    const mayor: Caller = { actor: 'mayor/', origin: 'agent' };
    await town.service.commandEscalation(escalation.id, { type: 'ack' }, mayor);
    expect(await town.service.listEscalations(true)).toMatchObject([{ acknowledgedBy: 'mayor/' }]);
    await end(town);
    await say(town, 'one');
    await town.service.mayor.escalate(session(town), { severity: 'medium', message: 'I need a key' });
    await end(town, { exitCode: 0 });
    expect(await town.service.talk.mailbox({ address: null, unreadOnly: true, limit: 10 })).toMatchObject([
      { to: 'mayor/', from: 'daemon/' },
    ]);
  });

  it('from the mayor goes out once, however often it is said in one sitting', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    const words = { to: 'human/', kind: 'note', subject: 'news', body: 'all fine', replyTo: null } as const;
    await town.service.mayor.sendOwnMail(session(town), words);
    await end(town, { exitCode: 1 });
    await town.advance(RETRY_BACKOFF_MS[0] ?? 0);
    await town.service.mayor.sendOwnMail(session(town), words);
    await town.settle();
    expect(await town.service.talk.mailbox({ address: null, unreadOnly: true, limit: 10 })).toMatchObject([
      { from: 'mayor/', subject: 'news' },
    ]);
    await expect(town.service.mayor.sendOwnMail(session(town), { ...words, to: 'mayor/' })).rejects.toMatchObject({
      code: 'own_mailbox',
    });
    await expect(
      town.service.mayor.sendOwnMail(session(town), { ...words, to: 'api/polecats/nobody' }),
    ).rejects.toMatchObject({ code: 'unknown_recipient' });
  });

  it('handed over to itself goes on with the same messages, boundedly', async () => {
    const town = await townWithMayor();
    await say(town, 'one');
    await town.service.mayor.handoff(session(town), { subject: 'half way', body: 'look at bead 7' });
    await town.settle();
    expect(running(town)[0]?.request.prompt).toContain('look at bead 7');
    await reply(town, 'done');
    await expect(town.service.mayor.handoff(session(town), { subject: 'again', body: '' })).rejects.toMatchObject({
      code: 'nothing_left',
    });
  });
});

describe('what the mayor costs', () => {
  it('is told with the costs of the town, apart from its rigs; late and repeated reports count once', async () => {
    const town = await townWithMayor();
    await say(town, 'What is stuck?');
    const attempt = session(town).attempt;
    const used = { tokensIn: 1_000, tokensOut: 200, microUsd: 250_000, model: 'some-model' };
    town.runner.use(attempt, used);
    await town.settle();
    await reply(town, 'Nothing.');
    await end(town);
    // The same total again, and one that came after its end.
    town.runner.use(attempt, { ...used, microUsd: 0, tokensIn: 0, tokensOut: 0 });
    await town.settle();
    const { total, rigs, engines, waste } = await town.service.money.costs({});
    expect(total).toMatchObject({ attempts: 1, microUsd: 250_000, tokensIn: 1_000, unknownCost: 0 });
    expect(rigs).toMatchObject([{ rig: 'mayor/' }]);
    expect(engines).toMatchObject([{ runtime: 'command', model: 'some-model' }]);
    expect(waste).toEqual([]);
    expect((await town.service.money.costs({ by: 'agent' })).groups).toMatchObject([{ key: 'mayor/' }]);
    expect((await town.service.money.costs({ rig: trusted.rig('api') })).total.attempts).toBe(0);
    expect((await town.service.money.costs({ sinceMs: town.nowMs + 1 })).total.attempts).toBe(0);
  });

  it('is unknown where a session did not say, and wasted where it gave no answer', async () => {
    const town = await townWithMayor();
    await say(town, 'What is stuck?');
    await end(town, { exitCode: 1 });
    const { total, waste } = await town.service.money.costs({});
    expect(total).toMatchObject({ microUsd: null, unknownCost: 1 });
    expect(waste[0]?.cause).toMatch(/^mayor: /);
  });
});
