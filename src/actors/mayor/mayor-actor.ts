import type { Caller } from '../../core/commands.ts';
import { must } from '../../core/assert.ts';
import { conflict, notFound, precondition } from '../../core/errors.ts';
import type { Fact } from '../../core/facts.ts';
import { MAILBOX_UNREAD_MAX, MAYOR_WAITING_MAX } from '../../core/limits.ts';
import type { AttemptId, MailId } from '../../core/model/ids.ts';
import type { LifecycleAction } from '../../core/model/lifecycle.ts';
import type { Mail, NewMail } from '../../core/model/mail.ts';
import {
  MAYOR,
  MAYOR_ADDRESS,
  type MayorAttempt,
  type MayorConfig,
  type MayorMessage,
} from '../../core/model/mayor.ts';
import type { CostFilter, CostGroup } from '../../core/money.ts';
import { MAYOR_REF } from '../../core/refs.ts';
import type { Violation } from '../../core/invariants.ts';
import { checkMayor } from '../../core/mayor-invariants.ts';
import { MAYOR_BREAKER_CAUSE } from '../../core/rules/mayor.ts';
import type { MayorCapability, MayorSummary } from '../../core/queries.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { KernelStore, type OutboxRow } from '../../store/kernel-store.ts';
import { readMayorFacts } from '../../store/mayor-facts.ts';
import { mayorCosts } from '../../store/mayor-usage.ts';
import { Actor } from '../kernel/actor.ts';
import type { Envelope, Receipt } from '../kernel/envelope.ts';
import type { EffectOutcome } from '../kernel/program.ts';
import { LiveTape, type Tape } from '../kernel/tape.ts';
import type { Turn } from '../kernel/turn.ts';
import { MayorContext } from './mayor-context.ts';
import { mayorFactEvent } from './mayor-events.ts';
import { mayorSummary } from './mayor-summary.ts';
import { MayorPost } from './mayor-post.ts';
import { MayorProgram } from './mayor-program.ts';

/** Sessions for the same messages after which a handoff is refused: a mayor that never answers goes in circles. */
const SITTING_SESSIONS_MAX = 20;

/** The mayor: its actor, and what may be asked of it. Its processes come and go; the conversation is here. */
export class MayorActor {
  readonly address: string = MAYOR_ADDRESS;
  readonly actor: Actor;
  readonly kernel: KernelStore;
  readonly sql: Sql;
  readonly #mayor: MayorContext;
  readonly #program: MayorProgram;
  readonly #post: MayorPost;

  constructor(options: {
    readonly ports: HostPorts;
    readonly sql: Sql;
    readonly town: { readonly id: string; readonly name: string };
    readonly deliver: (row: OutboxRow) => Promise<EffectOutcome>;
    /** For a replay; without it the actor's own chance is recorded. */
    readonly tape?: Tape;
  }) {
    const tape = options.tape ?? new LiveTape(options.ports.random);
    const ports = { ...options.ports, random: tape };
    this.sql = options.sql;
    this.#mayor = new MayorContext({ ...options, ports });
    this.#program = new MayorProgram(this.#mayor, options.deliver);
    this.#post = new MayorPost(this.#mayor);
    this.kernel = new KernelStore(options.sql);
    this.actor = new Actor({ address: MAYOR_ADDRESS, ports, sql: options.sql, program: this.#program, tape });
  }

  configure(config: MayorConfig | null): Promise<void> {
    return this.actor.ask((turn) => {
      this.#program.configure(turn, config);
    });
  }

  get isConfigured(): boolean {
    return this.#mayor.config() !== null;
  }

  runnerChanged(instance: string): Promise<void> {
    return this.actor.ask((turn) => {
      this.#program.runnerChanged(turn, instance);
    });
  }

  summary(): MayorSummary {
    return mayorSummary(this.#mayor);
  }

  costs(filter: CostFilter): readonly CostGroup[] {
    const { runtime = 'command', model = null } = this.#mayor.config() ?? {};
    return mayorCosts(this.sql, filter, { runtime, model });
  }

  /** Answers the message's number. Errors: `no_mayor`, `mayor_busy`. */
  async message(text: string, caller: Caller): Promise<number> {
    return Number(
      await this.actor.command(caller.idempotencyKey, (turn) => {
        this.#mustBeConfigured();
        const { store } = this.#mayor;
        if (store.waiting(MAYOR_WAITING_MAX).length >= MAYOR_WAITING_MAX)
          throw precondition(
            'mayor_busy',
            `${String(MAYOR_WAITING_MAX)} messages to the mayor wait already; it takes no more.`,
            'Nothing was sent. See why it does not answer with "gt mayor status".',
          );
        const seq = store.addMessage(caller.actor, text, turn.nowMs);
        turn.dirty(MAYOR_REF);
        turn.journal({
          entity: MAYOR_REF,
          action: 'message',
          rule: 'command',
          reason: `message ${String(seq)} from ${caller.actor}`,
        });
        return String(seq);
      }),
    );
  }

  #mustBeConfigured(): void {
    if (!this.isConfigured)
      throw precondition(
        'no_mayor',
        'This town has no mayor.',
        'Add a section [mayor] with command = "…" to gastown.toml, then "gt daemon reload".',
      );
  }

  getMessage(seq: number): MayorMessage {
    const message = this.#mayor.store.message(seq);
    if (message === null) throw notFound('message', String(seq));
    return message;
  }

  /** Once it is answered or given up; as it is after `waitMs`. */
  async settled(seq: number, waitMs: number): Promise<MayorMessage> {
    if (waitMs === 0) return this.getMessage(seq);
    const settled = await this.actor.until(() => {
      const message = this.getMessage(seq);
      return message.settledAtMs === null ? null : message;
    }, waitMs);
    return settled ?? this.getMessage(seq);
  }

  receive(envelope: Envelope): Promise<Receipt> {
    return this.actor.receive(envelope);
  }

  violations(): readonly Violation[] {
    return checkMayor(readMayorFacts(this.sql));
  }

  messages(after: number | null, limit: number): readonly MayorMessage[] {
    const { store } = this.#mayor;
    return after === null ? store.latestMessages(limit) : store.messagesAfter(after, limit);
  }

  /** Lets it run; what failed before counts no more. Errors: `no_mayor`. */
  start(caller: Caller): Promise<void> {
    return this.actor.ask((turn) => {
      this.#mustBeConfigured();
      const { store } = this.#mayor;
      const { isEscalated } = this.#mayor.facts();
      store.setWish('running');
      store.forgiveFailures();
      if (isEscalated) this.#mayor.tellTown(turn, { type: 'escalation_resolved', causeKey: MAYOR_BREAKER_CAUSE });
      this.#wished(turn, caller.actor, 'start');
    });
  }

  /** Ends its process; what it was given waits for the next start. */
  stop(caller: Caller): Promise<void> {
    return this.actor.ask((turn) => {
      this.#mayor.store.setWish('stopped');
      this.#wished(turn, caller.actor, 'stop');
    });
  }

  #wished(turn: Turn, by: string, action: string): void {
    turn.dirty(MAYOR_REF);
    turn.journal({ entity: MAYOR_REF, action, rule: 'command', reason: `by ${by}` });
  }

  /**
   * `cycle`: a fresh process goes on with the same messages. `restart`: without the checkpoint. `shutdown`: as `stop`.
   * Executed once per key. Errors: `no_mayor`, `no_session`.
   */
  lifecycle(
    request: { readonly action: LifecycleAction; readonly requestedBy: string; readonly note: string },
    key: string | undefined,
  ): Promise<string> {
    return this.actor.command(key === undefined ? undefined : `lifecycle:${key}`, (turn) => {
      this.#mustBeConfigured();
      if (request.action === 'shutdown') {
        this.#mayor.store.setWish('stopped');
        this.#wished(turn, request.requestedBy, 'shutdown');
        return 'The mayor stops; its messages and mail wait for "gt mayor start".';
      }
      const attempt = this.#mayor.store.unresolved();
      if (attempt === null || attempt.endedAtMs !== null)
        throw precondition('no_session', 'The mayor has no session now.', 'Nothing needs to be ended.');
      if (request.action === 'restart') this.#mayor.store.saveCheckpoint(null);
      this.#program.evict(turn, attempt, `${request.action} asked for by ${request.requestedBy}`);
      return 'The session of the mayor ends; a fresh one goes on with its messages.';
    });
  }

  keepMail(mail: NewMail): Promise<Mail | null> {
    return this.actor.ask((turn) => {
      this.#post.take(turn, mail);
      return this.#mayor.store.mail.byKey(mail.key);
    });
  }

  get mail(): MayorContext['store']['mail'] {
    return this.#mayor.store.mail;
  }

  recordFacts(facts: readonly Fact[]): Promise<void> {
    return this.actor.record(facts.map(mayorFactEvent));
  }

  confirmStart(id: AttemptId, epoch: number): boolean {
    const attempt = this.#mayor.store.attempt(id);
    return attempt !== null && attempt.epoch === epoch && attempt.endedAtMs === null && !attempt.processGone;
  }

  /** Null for an attempt that this mayor does not know. */
  readonly runnerOf = (id: AttemptId): string | null => this.#mayor.store.attempt(id)?.runner ?? null;

  /** Where a process of it is not proven gone. */
  runnerInUse(): string | null {
    const attempt = this.#mayor.store.unresolved();
    return attempt?.processGone === false ? attempt.runner : null;
  }

  /** Errors: `superseded`. */
  check(capability: MayorCapability): void {
    if (this.confirmStart(capability.attempt, capability.epoch)) return;
    throw conflict(
      'superseded',
      `The session ${capability.attempt} (epoch ${String(capability.epoch)}) of the mayor is over.`,
      'Stop working: a fresh session has what is not answered.',
    );
  }

  #live(capability: MayorCapability): MayorAttempt {
    this.check(capability);
    return must(this.#mayor.store.attempt(capability.attempt), 'a checked session exists');
  }

  /**
   * Records an answer, once. Without a number it is for the only open message. The same words again are the same answer.
   * Errors: `superseded`, `nothing_to_answer`, `which_message`, `already_answered`.
   */
  reply(
    capability: MayorCapability,
    reply: { readonly to: number | null; readonly text: string },
  ): Promise<MayorMessage> {
    return this.actor.ask((turn) => {
      const attempt = this.#live(capability);
      const { store } = this.#mayor;
      const messages = store.messagesOf(attempt.sitting);
      const message = chosen(messages, reply);
      if (message.state === 'shown') {
        store.answer(message.seq, reply.text, { attempt: attempt.id, nowMs: turn.nowMs });
        turn.dirty(MAYOR_REF);
        turn.journal({
          entity: MAYOR_REF,
          action: 'reply',
          rule: 'command',
          reason: `message ${String(message.seq)} answered`,
        });
      } else if (message.reply !== reply.text)
        throw conflict(
          'already_answered',
          `Message ${String(message.seq)} was answered before; the first answer stands.`,
          'Go on with the next message, or end.',
        );
      return this.getMessage(message.seq);
    });
  }

  prime(capability: MayorCapability): Promise<string> {
    return this.actor.ask((turn) => {
      const attempt = this.#live(capability);
      const { mail } = this.#mayor.store;
      mail.markDelivered(mail.unread(MAYOR, MAILBOX_UNREAD_MAX), attempt.id, turn.nowMs);
      return this.#program.effects.prompt(attempt);
    });
  }

  checkpoint(capability: MayorCapability, json: string): Promise<void> {
    return this.actor.ask(() => {
      this.#live(capability);
      this.#mayor.store.saveCheckpoint(json);
    });
  }

  /** Mail that this session has not been shown. */
  newMail(capability: MayorCapability): Promise<readonly Mail[]> {
    return this.actor.ask((turn) => {
      const attempt = this.#live(capability);
      const { mail } = this.#mayor.store;
      const mails = mail.undelivered(MAYOR, attempt.id, MAILBOX_UNREAD_MAX);
      mail.markDelivered(mails, attempt.id, turn.nowMs);
      return mails;
    });
  }

  /** Errors: `mail_not_found`. */
  readMail(capability: MayorCapability, id: MailId): Promise<Mail> {
    return this.actor.ask((turn) => {
      this.#live(capability);
      const mail = this.#post.read(turn, id);
      if (mail === null) throw notFound('mail', id);
      return mail;
    });
  }

  /** Hands a mail to the town, which brings it to its receiver; a repeat of its key is one mail there. */
  sendMail(capability: MayorCapability, mail: NewMail): Promise<void> {
    return this.actor.ask((turn) => {
      this.#live(capability);
      this.#mayor.tellTown(turn, { type: 'mail_sent', mail });
    });
  }

  escalate(
    capability: MayorCapability,
    problem: { readonly severity: 'low' | 'medium' | 'high' | 'critical'; readonly message: string },
  ): Promise<void> {
    return this.actor.ask((turn) => {
      const attempt = this.#live(capability);
      this.#mayor.tellTown(turn, {
        type: 'escalation_raised',
        causeKey: `mayor:sitting-${String(attempt.sitting)}`,
        severity: problem.severity,
        category: 'mayor',
        subject: `agent:${MAYOR}`,
        text: `${MAYOR}: ${problem.message}`,
      });
    });
  }

  /**
   * Ends this session with a note to the next one at the same messages. Errors: `nothing_left`, `too_many_handoffs`.
   */
  handoff(capability: MayorCapability, note: { readonly subject: string; readonly body: string }): Promise<string> {
    return this.actor.command(`handoff:${capability.attempt}`, (turn) => {
      const attempt = this.#live(capability);
      const { store } = this.#mayor;
      if (!store.messagesOf(attempt.sitting).some((message) => message.state === 'shown'))
        throw precondition(
          'nothing_left',
          'Every message of this session is answered, so there is nothing to hand over.',
          "Save what you must remember with gt checkpoint '<json>', and end.",
        );
      if (store.endedOf(attempt.sitting).length >= SITTING_SESSIONS_MAX)
        throw precondition(
          'too_many_handoffs',
          `These messages had ${String(SITTING_SESSIONS_MAX)} sessions already.`,
          'Answer them with what you have.',
        );
      const key = `handoff:${attempt.id}`;
      this.#post.take(turn, { key, from: MAYOR, to: MAYOR, kind: 'handoff', ...note, replyTo: null });
      this.#program.evict(turn, attempt, `handoff: ${note.subject}`);
      return 'This session ends; a fresh one goes on with your note.';
    });
  }
}

function chosen(
  messages: readonly MayorMessage[],
  reply: { readonly to: number | null; readonly text: string },
): MayorMessage {
  const open = messages.filter((message) => message.state === 'shown');
  if (reply.to !== null) {
    const named = messages.find((message) => message.seq === reply.to);
    if (named === undefined) throw notFound('message', String(reply.to));
    return named;
  }
  const [first, second] = open;
  if (first === undefined) {
    const repeated = messages.find((message) => message.reply === reply.text);
    if (repeated !== undefined) return repeated;
    throw precondition(
      'nothing_to_answer',
      'No message of this session waits for an answer.',
      'End your session; write to people with gt mail send human/ "<subject>".',
    );
  }
  if (second !== undefined)
    throw precondition(
      'which_message',
      `${String(open.length)} messages wait for an answer: ${open.map((message) => String(message.seq)).join(', ')}.`,
      'Say which one with --to <number>.',
    );
  return first;
}
