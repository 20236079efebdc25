import { conflict, notFound, precondition, TownError } from '../../core/errors.ts';
import { MAILBOX_UNREAD_MAX } from '../../core/limits.ts';
import type { NudgeMode, RigAction } from '../../core/actions.ts';
import { trusted, type AgentId, type AttemptId, type BeadId, type MailId } from '../../core/model/ids.ts';
import type { LifecycleRequest } from '../../core/model/lifecycle.ts';
import type { Mail, NewMail } from '../../core/model/mail.ts';
import type { Nudge } from '../../core/model/nudge.ts';
import { attemptEntity, beadRef, MAILBOX } from '../../core/refs.ts';
import { endingActions } from '../../core/rules/end-attempt.ts';
import { must } from '../../core/assert.ts';
import type { AttemptFacts } from '../../core/view.ts';
import type { Turn } from '../kernel/turn.ts';
import { RigActions } from './rig-actions.ts';
import type { RigContext } from './rig-context.ts';
import { RigPost } from './rig-post.ts';
import { startWaiting, stopWaiting } from './rig-waiting.ts';

/** An agent that asks for a fresh session this often on one bead is going in circles; then a person decides. */
const SELF_CYCLES_MAX = 20;

/** What an agent wants a person to know. */
export interface Problem {
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  readonly message: string;
}

/** What people and agents of this rig say to each other: mail, nudges, questions, escalations, lifecycle requests. */
export class RigTalk {
  readonly #rig: RigContext;
  readonly #post: RigPost;
  readonly #actions: RigActions;

  constructor(rig: RigContext) {
    this.#rig = rig;
    this.#post = new RigPost(rig);
    this.#actions = new RigActions(rig);
  }

  /** A person's mail answers what the agent waits for. Null: it left for another actor. */
  sendMail(turn: Turn, mail: NewMail, isPerson: boolean): Mail | null {
    const stored = this.#post.send(turn, mail, 'limited');
    if (stored === null || !isPerson) return stored;
    const attempt = this.#liveOf(stored.to);
    if (attempt !== null) stopWaiting(this.#rig, turn, attempt, mail.from);
    return stored;
  }

  #liveOf(agent: string): AttemptFacts | null {
    const attempt = this.#rig.view.unresolvedAttempt(trusted.agent(agent));
    return attempt === null || attempt.endedAtMs !== null ? null : attempt;
  }

  /** Unread mail for a session; it counts as delivered to it. `new`: only what this session has not been shown. */
  deliver(turn: Turn, agent: AgentId, attempt: AttemptId, which: 'all' | 'new'): readonly Mail[] {
    const { mail } = this.#rig.view;
    const mails =
      which === 'all' ? mail.unread(agent, MAILBOX_UNREAD_MAX) : mail.undelivered(agent, attempt, MAILBOX_UNREAD_MAX);
    mail.markDelivered(mails, attempt, turn.nowMs);
    return mails;
  }

  /** Errors: `mail_not_found`. */
  readMail(turn: Turn, reader: AgentId, id: MailId): Mail {
    const { mail } = this.#rig.view;
    if (mail.get(id)?.to !== reader) throw notFound('mail', id);
    mail.markRead(id, turn.nowMs);
    turn.dirty(MAILBOX);
    return must(mail.get(id), 'a mail that was read exists');
  }

  /** Errors: `no_session`. The same words to the same session are the same nudge while it lives. */
  nudge(
    turn: Turn,
    agent: AgentId,
    words: { readonly text: string; readonly mode: NudgeMode; readonly from: string },
  ): Nudge {
    const attempt = this.#session(agent);
    const known = this.#rig.nudges.same(attempt.id, words.text, turn.nowMs);
    if (known !== null) return known;
    const key = this.#rig.mintNudge(turn.nowMs);
    this.#decide(turn, attempt, `nudge by ${words.from}`, [{ type: 'send_nudge', attempt: attempt.id, key, ...words }]);
    return must(this.#rig.nudges.byKey(key), 'a nudge that was just made exists');
  }

  #session(agent: AgentId): AttemptFacts {
    if (this.#rig.view.agent(agent) === null) throw notFound('agent', agent);
    const attempt = this.#liveOf(agent);
    if (attempt !== null) return attempt;
    throw precondition(
      'no_session',
      `${agent} has no live session.`,
      `Write it a mail: gt mail send ${agent} "<subject>"; it finds it when it starts.`,
    );
  }

  #decide(turn: Turn, attempt: AttemptFacts, reason: string, actions: readonly RigAction[]): void {
    const decision = { rule: 'command', entity: attemptEntity(attempt.id), reason, actions };
    if (!turn.decide(decision, this.#actions.apply))
      throw conflict('superseded', `The attempt ${attempt.id} changed in this moment.`, 'Try again.');
  }

  /** The agent asks and is not expected to be active until a person writes to it. Answers when it asked. */
  ask(turn: Turn, attempt: AttemptId, question: string): number {
    const row = this.#live(attempt);
    startWaiting(this.#rig, turn, row, question);
    return row.question?.text === question ? row.question.atMs : turn.nowMs;
  }

  #live(attempt: AttemptId): AttemptFacts {
    const row = this.#rig.view.attempt(attempt);
    if (row !== null && row.endedAtMs === null) return row;
    throw conflict('superseded', `The attempt ${attempt} has ended.`, 'Stop working: what you committed is kept.');
  }

  /** One escalation is open per bead; it ends with the bead, or when a person resolves it. */
  escalate(turn: Turn, attempt: AttemptId, problem: Problem): void {
    const row = this.#live(attempt);
    this.#decide(turn, row, `escalated by ${row.agentId}`, [
      {
        type: 'raise_escalation',
        causeKey: `bead:${row.beadId}`,
        severity: problem.severity,
        category: 'agent',
        subject: beadRef(row.beadId),
        message: `${row.agentId}: ${problem.message}`,
      },
    ]);
  }

  /** Leaves a note to the next session of the same agent and ends this one, in one transaction. */
  handoff(turn: Turn, attempt: AttemptId, note: { readonly subject: string; readonly body: string }): string {
    const row = this.#live(attempt);
    this.#post.send(
      turn,
      {
        key: `handoff:${attempt}`,
        from: row.agentId,
        to: row.agentId,
        kind: 'handoff',
        subject: note.subject,
        body: note.body,
        replyTo: null,
      },
      'unlimited',
    );
    return this.lifecycle(turn, {
      agent: row.agentId,
      action: 'cycle',
      requestedBy: row.agentId,
      timestamp: null,
      note: note.subject,
    });
  }

  /**
   * Ends the agent's present session; its work is rescued by the runner as at every end, and nothing is charged.
   * Errors: `agent_not_found`, `no_session`, `claim_pending`.
   */
  lifecycle(turn: Turn, request: LifecycleRequest): string {
    const attempt = this.#session(request.agent);
    if (attempt.claim !== null)
      throw precondition(
        'claim_pending',
        `${request.agent} has said done; its work is being checked.`,
        'Wait for the verdict: its session ends with it.',
      );
    const bySelf = request.requestedBy === request.agent;
    const reason = `${request.action} asked for by ${request.requestedBy}${request.note === '' ? '' : `: ${request.note}`}`;
    const isCircle = bySelf && this.#selfCycles(attempt) >= SELF_CYCLES_MAX;
    const hold = holdOf(request, isCircle);
    this.#decide(turn, attempt, reason, [
      ...endingActions(this.#rig.view, attempt, { outcome: 'evicted', reason, signature: null }, turn.nowMs),
      ...(hold === null ? [] : holdActions(attempt.beadId, hold)),
    ]);
    if (request.action === 'restart') this.#rig.writer(turn).updateAgent(request.agent, { checkpoint: null });
    if (hold !== null) return `The session of ${request.agent} ends; ${attempt.beadId} waits: ${hold.reason}`;
    return `The session of ${request.agent} ends; a fresh one goes on with ${attempt.beadId}.`;
  }

  #selfCycles(attempt: AttemptFacts): number {
    const marker = `asked for by ${attempt.agentId}`;
    return this.#rig.view
      .attemptsOf(attempt.beadId)
      .filter((row) => row.outcome === 'evicted' && row.reason?.includes(marker) === true).length;
  }

  /** A problem with somebody's mailbox, for a person to see. */
  reportMailbox(turn: Turn, agent: string): void {
    turn.send('town', this.#rig.address, {
      type: 'escalation_raised',
      causeKey: `mailbox:${agent}`,
      severity: 'low',
      category: 'mail',
      subject: `agent:${agent}`,
      text: `${agent} has ${String(MAILBOX_UNREAD_MAX)} unread mails; new ones go back to their senders.`,
    });
  }
}

interface Hold {
  readonly hold: 'held' | 'needs_human';
  readonly reason: string;
}

/** A person who held it knows; a bead that needs a person says so, or it would wait in silence. */
function holdActions(bead: BeadId, hold: Hold): readonly RigAction[] {
  const held: RigAction = { type: 'hold_bead', bead, ...hold };
  if (hold.hold === 'held') return [held];
  const message = `${bead} waits: ${hold.reason}. Let it go on with "gt bead retry ${bead}", or close it.`;
  return [
    held,
    {
      type: 'raise_escalation',
      causeKey: `bead:${bead}`,
      severity: 'medium',
      category: 'bead',
      subject: beadRef(bead),
      message,
    },
  ];
}

function holdOf(request: LifecycleRequest, isCircle: boolean): Hold | null {
  if (isCircle)
    return {
      hold: 'needs_human',
      reason: `${request.agent} asked for a fresh session ${String(SELF_CYCLES_MAX)} times`,
    };
  if (request.action !== 'shutdown') return null;
  return request.requestedBy === request.agent
    ? {
        hold: 'needs_human',
        reason: `${request.agent} shut itself down${request.note === '' ? '' : `: ${request.note}`}`,
      }
    : { hold: 'held', reason: `its agent was shut down by ${request.requestedBy}` };
}

/** True for the error after which a person must hear of a full mailbox. */
export const isMailboxFull = (error: unknown): boolean => error instanceof TownError && error.code === 'mailbox_full';
