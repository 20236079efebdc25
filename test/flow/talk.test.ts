import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/core/commands.ts';
import { MAILBOX_UNREAD_MAX, MAIL_DIGEST_BYTES_MAX } from '../../src/core/limits.ts';
import { parseAgentId, parseAttemptId, trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { MailDraft } from '../../src/core/model/mail.ts';
import type { Capability } from '../../src/core/queries.ts';
import { utf8Length } from '../../src/core/text.ts';
import { sha } from '../support/fake-runner.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const human: Caller = { actor: 'human/test', origin: 'human' };
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

class Talk {
  readonly virtual = new VirtualTown();

  static async with(...rigs: string[]): Promise<Talk> {
    const talk = new Talk();
    await talk.virtual.service.start(rigs.map((name) => rigConfig(name, { wallClockMs: 30 * DAY })));
    await talk.virtual.settle();
    return talk;
  }

  get town() {
    return this.virtual.service.talk;
  }

  /** Slings a bead; answers what its agent shows on every call. */
  async agentOn(rig: string, title = 'one'): Promise<Capability> {
    const input = { title, body: '', priority: 'medium', dependsOn: [], runtime: null, model: null } as const;
    const bead = await this.virtual.service.createBead(
      { ...input, rig: trusted.rig(rig), targetBranch: null, sling: true, pinnedAgent: null, parentId: null },
      human,
    );
    await this.virtual.settle();
    return this.capability(bead.id);
  }

  async capability(bead: BeadId): Promise<Capability> {
    const live = (await this.virtual.service.getBead(bead)).attemptList.at(-1);
    if (live === undefined) throw new Error('no attempt');
    const { id, agentId, epoch } = live;
    const rig = trusted.rig(agentId.split('/')[0] ?? '');
    return { town: 't', rig, agent: agentId, bead, attempt: id, epoch, verbs: [], expiresAtMs: 0 };
  }

  async agent(id: string) {
    return (await this.virtual.service.listAgents()).find((row) => row.id === id);
  }

  /** Whether its runner was told not to take up the former session. */
  fresh(attempt: string): boolean {
    return this.virtual.runner.processes.get(attempt)?.request.fresh === true;
  }

  prompt(attempt: string): string {
    return this.virtual.runner.processes.get(attempt)?.request.prompt ?? '';
  }
}

const draft = (to: string, over: Partial<MailDraft> = {}): MailDraft => ({
  to,
  kind: 'note',
  subject: 'Hello',
  body: 'There.',
  replyTo: null,
  ...over,
});

describe('mail to an agent', () => {
  it('is delivered once per session, again to a new session until it is read, and stays', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    const { id } = await talk.town.sendMail(draft(nux.agent, { subject: 'Mind the gap' }), human);
    expect(await talk.town.checkMail(nux)).toContain('Mind the gap');
    expect(await talk.town.checkMail(nux)).toBeNull();
    talk.virtual.runner.exit(nux.attempt, { cause: 'runner_lost', exitCode: null });
    await talk.virtual.advance(MINUTE);
    const next = await talk.capability(nux.bead);
    expect(next.attempt).not.toBe(nux.attempt);
    expect(talk.prompt(next.attempt)).toContain('Mind the gap');
    expect(await talk.town.checkMail(next)).toBeNull();
    const read = await talk.town.readOwnMail(next, trusted.mail(id ?? ''));
    expect(read).toMatchObject({ body: 'There.', from: 'human/' });
    expect(await talk.town.readOwnMail(next, read.id)).toEqual(read);
    expect((await talk.town.prime(next)).prompt).not.toContain('Mind the gap');
    expect(await talk.town.ownMail(next, false)).toMatchObject([{ id, readAtMs: talk.virtual.nowMs }]);
  });

  it('is one mail however often it is sent', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    const keyed = { ...human, idempotencyKey: 'k1' };
    const [first, again] = [
      await talk.town.sendMail(draft(nux.agent), keyed),
      await talk.town.sendMail(draft(nux.agent), keyed),
    ];
    expect(again.id).toBe(first.id);
    await talk.town.sendOwnMail(nux, draft('human/', { subject: 'Look' }));
    await talk.town.sendOwnMail(nux, draft('human/', { subject: 'Look' }));
    await talk.virtual.settle();
    const people = await talk.town.mailbox({ address: null, unreadOnly: true, limit: 10 });
    expect(people.map((mail) => [mail.from, mail.subject])).toEqual([[nux.agent, 'Look']]);
  });

  it('reaches an agent of another rig by the town', async () => {
    const talk = await Talk.with('api', 'web');
    const nux = await talk.agentOn('api');
    const other = await talk.agentOn('web');
    const sent = await talk.town.sendOwnMail(nux, draft(other.agent, { subject: 'The API has changed' }));
    expect(sent.state).toBe('sent');
    await talk.virtual.settle();
    expect(await talk.town.ownMail(other, true)).toMatchObject([{ from: nux.agent, subject: 'The API has changed' }]);
  });

  it('that nobody reads goes back to its sender, once', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    talk.virtual.runner.done(nux.attempt, sha(100));
    talk.virtual.runner.exit(nux.attempt);
    await talk.virtual.settle();
    await talk.town.sendMail(draft(nux.agent, { subject: 'Are you there' }), human);
    await talk.virtual.advance(7 * DAY);
    const people = await talk.town.mailbox({ address: null, unreadOnly: true, limit: 10 });
    expect(people).toMatchObject([{ from: 'daemon/', to: 'human/', subject: 'Returned: Are you there' }]);
    await talk.virtual.advance(7 * DAY);
    expect(await talk.town.mailbox({ address: null, unreadOnly: true, limit: 10 })).toEqual([]);
    expect(talk.virtual.nextAlarmMs()).toBeNull();
  });

  it('to nobody is an error for the sender and seen by a person (T30)', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    for (const to of ['api/polecats/ghost', 'moon/witness', 'api/crew/ada'])
      await expect(talk.town.sendOwnMail(nux, draft(to))).rejects.toMatchObject({ code: 'unknown_recipient' });
    await expect(talk.town.sendOwnMail(nux, draft('--upload-pack'))).rejects.toMatchObject({ code: 'bad_address' });
    const { attention } = await talk.virtual.service.status();
    expect(attention).toMatchObject([{ severity: 'low', kind: 'escalation', title: nux.agent }]);
    await talk.town.sendOwnMail(nux, draft('human/'));
    expect(await talk.virtual.service.listEscalations(true)).toEqual([]);
    expect(await talk.virtual.service.listEscalations(false)).toMatchObject([{ resolution: 'its cause is gone' }]);
  });

  it('to nobody is forgotten when its sender has ended', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    await expect(talk.town.sendOwnMail(nux, draft('api/crew/ada'))).rejects.toMatchObject({
      code: 'unknown_recipient',
    });
    expect(await talk.virtual.service.listEscalations(true)).toHaveLength(1);
    await talk.virtual.service.beadCommand({ type: 'close', bead: nux.bead, reason: 'cancelled', note: '' }, human);
    await talk.virtual.settle();
    for (const { request } of talk.virtual.runner.running()) talk.virtual.runner.exit(request.attempt);
    await talk.virtual.settle();
    await talk.virtual.advance(60_000);
    expect(await talk.virtual.service.listEscalations(true)).toEqual([]);
  });

  it('to a full mailbox is refused, and a person hears of it', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    for (let n = 0; n < MAILBOX_UNREAD_MAX; n += 1)
      await talk.town.sendMail(draft(nux.agent, { subject: `n${String(n)}` }), human);
    await expect(talk.town.sendMail(draft(nux.agent), human)).rejects.toMatchObject({ code: 'mailbox_full' });
    await talk.virtual.settle();
    expect((await talk.virtual.service.status()).attention).toMatchObject([{ kind: 'escalation', title: nux.agent }]);
    const digest = (await talk.town.checkMail(nux)) ?? '';
    expect(utf8Length(digest)).toBeLessThanOrEqual(MAIL_DIGEST_BYTES_MAX);
    expect(digest).toContain('more: gt mail inbox');
  });

  it('of another rig to a full mailbox comes back', async () => {
    const talk = await Talk.with('api', 'web');
    const nux = await talk.agentOn('api');
    const other = await talk.agentOn('web');
    for (let n = 0; n < MAILBOX_UNREAD_MAX; n += 1)
      await talk.town.sendMail(draft(other.agent, { subject: `n${String(n)}` }), human);
    await talk.town.sendOwnMail(nux, draft(other.agent, { subject: 'One more' }));
    await talk.virtual.settle();
    expect(await talk.town.ownMail(nux, true)).toMatchObject([{ from: 'daemon/', subject: 'Returned: One more' }]);
  });

  it('survives a crash of the brain between the rigs', async () => {
    const talk = await Talk.with('api', 'web');
    const nux = await talk.agentOn('api');
    const other = await talk.agentOn('web');
    await talk.town.sendOwnMail(nux, draft(other.agent, { subject: 'On its way' }));
    talk.virtual.crash();
    await talk.virtual.service.start([]);
    await talk.virtual.settle();
    expect(await talk.town.ownMail(other, true)).toMatchObject([{ subject: 'On its way' }]);
  });

  it('to witnesses and the mayor is read by people, because no reader stands behind them', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    for (const to of ['mayor/', 'api/witness', 'api/refinery'])
      await talk.town.sendOwnMail(nux, draft(to, { kind: 'help', subject: to }));
    await talk.virtual.settle();
    const people = await talk.town.mailbox({ address: null, unreadOnly: true, limit: 10 });
    expect(people.map((mail) => mail.to).toSorted()).toEqual(['api/refinery', 'api/witness', 'mayor/']);
    const [mail] = people;
    if (mail === undefined) throw new Error('no mail');
    expect(await talk.town.readMail(mail.id)).toMatchObject({ readAtMs: talk.virtual.nowMs });
    expect((await talk.virtual.service.status()).attention).toHaveLength(2);
  });
});

describe('mail to a group', () => {
  it('is one mail for each of its agents and none for its sender, however often it is sent', async () => {
    const talk = await Talk.with('api', 'web');
    const nux = await talk.agentOn('api');
    const other = await talk.agentOn('api', 'two');
    const far = await talk.agentOn('web');
    const said = await talk.town.sendOwnMail(nux, draft('all'));
    expect(said.answer).toBe('Sent to 2.');
    await talk.town.sendOwnMail(nux, draft('all'));
    await talk.virtual.settle();
    expect(await talk.town.ownMail(other, true)).toMatchObject([{ subject: 'Hello', from: nux.agent }]);
    expect(await talk.town.ownMail(far, true)).toHaveLength(1);
    expect(await talk.town.ownMail(nux, true)).toEqual([]);
    await talk.town.sendMail(draft('api/polecats', { subject: 'All of you' }), { ...human, idempotencyKey: 'k' });
    await talk.town.sendMail(draft('api/polecats', { subject: 'All of you' }), { ...human, idempotencyKey: 'k' });
    await talk.virtual.settle();
    expect(await talk.town.ownMail(nux, true)).toHaveLength(1);
    expect(await talk.town.ownMail(far, true)).toHaveLength(1);
  });

  it('that nobody of it can take is refused; one full mailbox keeps it from nobody else', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    for (let n = 0; n < MAILBOX_UNREAD_MAX; n += 1)
      await talk.town.sendMail(draft(nux.agent, { subject: `m${String(n)}` }), human);
    await expect(talk.town.sendMail(draft('api/polecats'), human)).rejects.toMatchObject({ code: 'mailbox_full' });
    const other = await talk.agentOn('api', 'two');
    expect((await talk.town.sendMail(draft('api/polecats'), human)).answer).toBe(`Sent to 1. Not to ${nux.agent}.`);
    expect(await talk.town.ownMail(other, true)).toHaveLength(1);
  });

  it('without members, or of a rig that is not there, is refused', async () => {
    const talk = await Talk.with('api');
    await expect(talk.town.sendMail(draft('api/polecats'), human)).rejects.toMatchObject({ code: 'empty_group' });
    await expect(talk.town.sendMail(draft('api/crew'), human)).rejects.toMatchObject({ code: 'empty_group' });
    await expect(talk.town.sendMail(draft('web/polecats'), human)).rejects.toMatchObject({ code: 'unknown_recipient' });
    const nux = await talk.agentOn('api');
    await expect(talk.town.sendOwnMail(nux, draft('api/polecats'))).rejects.toMatchObject({ code: 'empty_group' });
  });
});

describe('mail to the crew', () => {
  it('is read by people at an address of its own; a name that the settings lack is nobody (T30)', async () => {
    const talk = new Talk();
    await talk.virtual.service.start([rigConfig('api', { crew: ['ada', 'ben'] })]);
    const nux = await talk.agentOn('api');
    await talk.town.sendOwnMail(nux, draft('api/crew/ada'));
    await talk.town.sendOwnMail(nux, draft('api/crew', { subject: 'Both' }));
    await talk.virtual.settle();
    const inbox = async (address: string | null) =>
      (await talk.town.mailbox({ address, unreadOnly: true, limit: 10 })).map((mail) => mail.subject).toSorted();
    expect(await inbox('api/crew/ada')).toEqual(['Both', 'Hello']);
    expect(await inbox('api/crew/ben')).toEqual(['Both']);
    expect(await inbox(null)).toEqual(['Both', 'Both', 'Hello']);
    await expect(talk.town.sendOwnMail(nux, draft('api/crew/eve'))).rejects.toMatchObject({
      code: 'unknown_recipient',
    });
    await talk.virtual.settle();
    expect(await talk.virtual.service.listEscalations(true)).toHaveLength(1);
  });

  it('that nobody reads goes back to its sender', async () => {
    const talk = new Talk();
    await talk.virtual.service.start([rigConfig('api', { crew: ['ada'] })]);
    await talk.town.sendMail(draft('api/crew/ada'), human);
    await talk.virtual.advance(7 * DAY);
    const people = await talk.town.mailbox({ address: null, unreadOnly: true, limit: 10 });
    expect(people).toMatchObject([{ from: 'daemon/', to: 'human/', subject: 'Returned: Hello' }]);
    const [mail] = await talk.town.mailbox({ address: 'api/crew/ada', unreadOnly: false, limit: 10 });
    expect(mail).toMatchObject({ endReason: 'returned', readAtMs: null });
  });
});

describe('a nudge', () => {
  it('goes into a session that takes words, once for the same words', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    talk.virtual.runner.takesWords = true;
    const words = { agent: nux.agent, text: 'Mind the tests', mode: 'immediate' } as const;
    expect(await talk.town.nudge(words, human)).toMatchObject({ state: 'delivered' });
    await talk.town.nudge(words, human);
    expect(talk.virtual.runner.words).toMatchObject([{ text: 'Mind the tests', attempt: nux.attempt }]);
  });

  it.each(['immediate', 'queue'] as const)('(%s) waits with the mail where none are taken', async (mode) => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    expect(await talk.town.nudge({ agent: 'nux', text: 'Hurry', mode }, human)).toMatchObject({ state: 'queued' });
    expect(await talk.town.checkMail(nux)).toContain('Hurry');
    expect(talk.virtual.runner.calls.filter((call) => call.startsWith('message'))).toHaveLength(
      mode === 'queue' ? 0 : 1,
    );
  });

  it('that the runner does not take in time is for no later session', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    talk.virtual.runner.silent = true;
    const asked = talk.town.nudge({ agent: nux.agent, text: 'Hurry', mode: 'immediate' }, human);
    await talk.virtual.settle();
    await talk.virtual.advance(4_000);
    expect(await asked).toMatchObject({ state: 'pending' });
    await talk.virtual.advance(10 * MINUTE);
    talk.virtual.runner.takesWords = true;
    talk.virtual.runner.silent = false;
    await talk.virtual.advance(MINUTE);
    expect(talk.virtual.runner.words).toEqual([]);
    const next = await talk.capability(nux.bead);
    expect(await talk.town.ownMail(next, false)).toEqual([]);
  });

  it('needs a session', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    talk.virtual.runner.done(nux.attempt, sha(100));
    talk.virtual.runner.exit(nux.attempt);
    await talk.virtual.settle();
    await expect(talk.town.nudge({ agent: 'nux', text: 'Hurry', mode: 'queue' }, human)).rejects.toMatchObject({
      code: 'no_session',
    });
  });
});

describe('an agent that waits for a person', () => {
  it('is not stalled, is seen, and goes on with the answer', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    const first = await talk.town.wait(nux, { question: 'Which database?' }, 0);
    expect(first.state).toBe('waiting');
    await talk.virtual.advance(200 * MINUTE);
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'waiting' });
    expect((await talk.virtual.service.status()).attention).toMatchObject([
      { subject: nux.agent, sentence: `${nux.agent} waits for a person: Which database?` },
    ]);
    expect((await talk.virtual.service.why(nux.bead)).sentence).toContain('Which database?');
    talk.virtual.runner.active(nux.attempt);
    await talk.virtual.settle();
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'waiting' });
    const waiting = talk.town.wait(nux, { askedAtMs: first.askedAtMs }, 60_000);
    await talk.town.sendMail(draft(nux.agent, { subject: 'SQLite', body: '' }), human);
    expect(await waiting).toMatchObject({ state: 'answered', answers: [{ subject: 'SQLite' }] });
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'working' });
    expect((await talk.virtual.service.status()).attention).toEqual([]);
    await talk.virtual.advance(16 * MINUTE);
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'stalled' });
  });

  it('of a program that asks waits in the inbox, and goes on with the answer', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    const question = 'May it? Bash: rm x';
    talk.virtual.runner.active(nux.attempt, { eventType: 'waiting', statusMessage: question });
    await talk.virtual.settle();
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'waiting' });
    expect(JSON.stringify(await talk.virtual.service.status())).toContain(question);
    talk.virtual.runner.active(nux.attempt, { eventType: 'answered' });
    await talk.virtual.settle();
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'working' });
    expect(JSON.stringify(await talk.virtual.service.status())).not.toContain(question);
  });

  it('stays waiting when contact to its runner is lost and found', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    talk.virtual.runner.active(nux.attempt, { eventType: 'waiting', statusMessage: 'May I delete the table?' });
    await talk.virtual.settle();
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'waiting' });
    talk.virtual.runner.silent = true;
    await talk.virtual.advance(2 * MINUTE);
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'unknown' });
    talk.virtual.runner.silent = false;
    await talk.virtual.advance(MINUTE);
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'waiting' });
  });
});

describe('an escalation by an agent', () => {
  it('is one per bead, and ends with the bead', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    await talk.town.escalate(nux, { severity: 'high', message: 'The build is broken' });
    await talk.town.escalate(nux, { severity: 'high', message: 'Still broken' });
    await talk.virtual.settle();
    const open = await talk.virtual.service.listEscalations(true);
    expect(open).toMatchObject([{ severity: 'high', subject: `bead:${nux.bead}`, repeats: 1 }]);
    talk.virtual.runner.done(nux.attempt, sha(100));
    talk.virtual.runner.exit(nux.attempt);
    await talk.virtual.settle();
    expect(await talk.virtual.service.listEscalations(true)).toEqual([]);
  });
});

describe('the acknowledgement of an agent', () => {
  it('is for escalations of its own bead only, once, and is no resolution', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    const other = await talk.agentOn('api', 'two');
    await talk.town.escalate(nux, { severity: 'medium', message: 'no key' });
    await talk.virtual.settle();
    const [item] = await talk.town.ownEscalations(nux);
    if (item === undefined) throw new Error('no escalation');
    expect(await talk.town.ownEscalations(other)).toEqual([]);
    await expect(talk.town.acknowledge(other, item.id)).rejects.toMatchObject({ code: 'not_your_escalation' });
    expect(await talk.virtual.service.listEscalations(true)).toMatchObject([{ status: 'open' }]);
    await talk.town.acknowledge(nux, item.id);
    expect(await talk.town.acknowledge(nux, item.id)).toMatchObject({
      status: 'acknowledged',
      acknowledgedBy: nux.agent,
      resolvedAtMs: null,
    });
    await talk.virtual.advance(13 * 60 * MINUTE);
    const [later] = (await talk.virtual.service.listEscalations(false)).filter((row) => row.id === item.id);
    expect(later).toMatchObject({ severity: 'medium', reEscalations: 0 });
    await expect(talk.town.acknowledge(nux, item.id)).rejects.toMatchObject({ code: 'superseded' });
  });
});

describe('a lifecycle request', () => {
  it('hands off: the next session of the same agent finds the note and the checkpoint', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    await talk.virtual.service.checkpoint(nux, '{"step":2}');
    const answer = await talk.town.handoff(nux, { subject: 'Tests are next', body: 'See notes.md' });
    expect(answer).toContain('a fresh one goes on');
    expect(await talk.town.handoff(nux, { subject: 'Tests are next', body: '' }).catch((error) => error.code)).toBe(
      'superseded',
    );
    await talk.virtual.settle();
    const next = await talk.capability(nux.bead);
    expect(next).toMatchObject({ agent: nux.agent, epoch: nux.epoch + 1 });
    expect(talk.fresh(next.attempt)).toBe(true);
    expect(talk.prompt(next.attempt)).toContain('Tests are next');
    expect(talk.prompt(next.attempt)).toContain('{"step":2}');
    const bead = await talk.virtual.service.getBead(nux.bead);
    expect(bead).toMatchObject({ failures: 0, attemptList: [{ outcome: 'evicted' }, { outcome: null }] });
  });

  it('by mail to daemon/ restarts without the checkpoint, once per timestamp', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    await talk.virtual.service.checkpoint(nux, '{"step":2}');
    const body = JSON.stringify({ from: nux.agent, action: 'restart', timestamp: 1_700_000_000 });
    const mail = draft('daemon/', { kind: 'lifecycle', subject: 'restart', body });
    const first = await talk.town.sendMail(mail, human);
    expect(first.state).toBe('executed');
    await talk.virtual.settle();
    expect(await talk.town.sendMail(mail, human)).toEqual(first);
    await talk.virtual.settle();
    const bead = await talk.virtual.service.getBead(nux.bead);
    expect(bead.attemptList).toHaveLength(2);
    expect(talk.prompt((await talk.capability(nux.bead)).attempt)).not.toContain('{"step":2}');
  });

  it('is what a fresh session is for: after any other end the former one may be taken up again', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    talk.virtual.runner.exit(nux.attempt, { cause: 'exited', exitCode: null, signal: 'SIGKILL', lastLine: '' });
    await talk.virtual.advance(5 * MINUTE);
    const next = await talk.capability(nux.bead);
    expect(next.epoch).toBe(nux.epoch + 1);
    expect(talk.fresh(next.attempt)).toBe(false);
  });

  it('shuts down: the bead waits for a person', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    await talk.town.lifecycle(
      { agent: nux.agent, action: 'shutdown', requestedBy: 'human/test', timestamp: null, note: '' },
      human,
    );
    await talk.virtual.advance(10 * MINUTE);
    expect(await talk.virtual.service.getBead(nux.bead)).toMatchObject({ status: 'open', hold: 'held', attempts: 1 });
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'idle' });
  });

  it('of its own ends with a question to a person', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    await talk.town.sendOwnMail(nux, draft('daemon/', { kind: 'lifecycle', subject: 'shutdown', body: '' }));
    await talk.virtual.advance(MINUTE);
    expect(await talk.virtual.service.getBead(nux.bead)).toMatchObject({ status: 'open', hold: 'needs_human' });
    expect(await talk.virtual.service.listEscalations(true)).toMatchObject([
      { causeKey: `bead:${nux.bead}`, severity: 'medium' },
    ]);
  });

  it('with an unknown identity or action, or for somebody else, is a clear error', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    const ask = (body: unknown) =>
      talk.town.sendMail(draft('daemon/', { kind: 'lifecycle', body: JSON.stringify(body) }), human);
    await expect(ask({ from: 'api/polecats/ghost', action: 'cycle' })).rejects.toMatchObject({
      code: 'agent_not_found',
    });
    await expect(ask({ from: nux.agent, action: 'explode' })).rejects.toMatchObject({
      code: 'unknown_lifecycle_action',
    });
    await expect(ask({ action: 'cycle' })).rejects.toMatchObject({ code: 'bad_lifecycle_request' });
    const other = JSON.stringify({ from: 'api/polecats/slit', action: 'cycle' });
    await expect(
      talk.town.sendOwnMail(nux, draft('daemon/', { kind: 'lifecycle', body: other })),
    ).rejects.toMatchObject({ code: 'foreign_identity' });
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'working' });
  });

  it('of a stale session changes nothing', async () => {
    const talk = await Talk.with('api');
    const nux = await talk.agentOn('api');
    await talk.town.handoff(nux, { subject: 'a', body: '' });
    await talk.virtual.settle();
    const old = { ...nux, agent: parseAgentId(nux.agent), attempt: parseAttemptId(nux.attempt) };
    for (const call of [
      () => talk.town.sendOwnMail(old, draft('daemon/', { kind: 'lifecycle', subject: 'shutdown', body: '' })),
      () => talk.town.wait(old, { question: 'Hm?' }, 0),
      () => talk.town.escalate(old, { severity: 'low', message: 'x' }),
      () => talk.town.checkMail(old),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'superseded' });
    expect(await talk.agent(nux.agent)).toMatchObject({ status: 'working' });
  });
});
