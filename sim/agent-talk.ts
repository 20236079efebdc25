import type { TownService } from '../src/actors/town-service.ts';
import { TownError } from '../src/core/errors.ts';
import type { StartAgent } from '../src/core/facts.ts';
import { trusted } from '../src/core/model/ids.ts';
import type { Capability } from '../src/core/queries.ts';
import { AgentSteps } from './agent-steps.ts';
import type { BrainDoor } from './brain-door.ts';
import type { Sim } from './context.ts';
import { Violation } from './ledger.ts';
import type { Prng } from './prng.ts';
import type { Answer } from './wire.ts';

const CALL_MS = 15_000;
/** An agent that got no answer says the same again so often. */
const TRIES_MAX = 3;
const AGAIN_MS = 5_000;
/** One call of `gt wait` waits so long, then the agent calls again, so often at most. */
const WAIT_MS = 5_000;
const WAIT_AGAIN_MS = 20_000;
const WAITS_MAX = 15;

/** What agents say in passing. */
const WORDS = { mail: 6, check: 5, read: 3, escalate: 2, checkpoint: 2, prime: 2, handoff: 1, cycle: 1, shutdown: 1 };
type Word = keyof typeof WORDS;

interface Parts {
  readonly sim: Sim;
  readonly door: BrainDoor;
  readonly request: StartAgent;
  readonly chance: Prng;
  /** Later, if the agent still lives then. */
  readonly later: (delayMs: number, what: string, work: () => void) => void;
}

/** What one agent says to the town while it works: mail, questions to people, problems, wishes for a fresh session. */
export class AgentTalk {
  readonly #parts: Parts;
  readonly #capability: Capability;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { rig, agent, bead, attempt, epoch } = parts.request;
    this.#capability = {
      town: 'town-sim',
      rig: trusted.rig(rig),
      agent: trusted.agent(agent),
      bead: trusted.bead(bead),
      attempt: trusted.attempt(attempt),
      epoch,
      verbs: [],
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    };
  }

  /** Something in passing; true when the session is over with it. */
  chat(): boolean {
    const word = this.#parts.chance.weighted(WORDS);
    this.#repeat(word, this.#call(word), 1);
    const isOver = word === 'handoff' || word === 'cycle' || word === 'shutdown';
    if (isOver) this.#parts.sim.ledger.explain(this.#parts.request.attempt, `its agent asked for ${word}`);
    return isOver;
  }

  /** A review agent asks for changes; its session is over when that is heard, or after some tries. */
  wish(then: () => void, tries = 1): void {
    const { request } = this.#parts;
    const bead = trusted.bead(request.bead);
    const command = { type: 'request_changes', bead, comment: `${request.attempt} wishes` } as const;
    const caller = { actor: request.agent, origin: 'agent', idempotencyKey: `wish ${request.attempt}` } as const;
    this.#send(
      'wish',
      (town) => town.beadCommand(command, caller),
      (answer) => {
        if (answer.ok || answer.error instanceof TownError || tries >= TRIES_MAX) then();
        else
          this.#parts.later(AGAIN_MS, 'asks for changes again', () => {
            this.wish(then, tries + 1);
          });
      },
    );
  }

  #call(word: Word): (town: TownService) => Promise<unknown> {
    const { attempt, rig } = this.#parts.request;
    const capability = this.#capability;
    switch (word) {
      case 'mail':
        return this.#mail();
      case 'check':
        return (town) => town.talk.checkMail(capability);
      case 'read':
        return async (town) => {
          const [mail] = await town.talk.ownMail(capability, true);
          return mail === undefined ? null : town.talk.readOwnMail(capability, mail.id);
        };
      case 'escalate':
        return (town) => town.talk.escalate(capability, { severity: 'medium', message: `${attempt} is stuck` });
      case 'checkpoint':
        return (town) => town.checkpoint(capability, JSON.stringify({ step: attempt, rig }));
      case 'prime':
        return (town) => town.talk.prime(capability);
      case 'handoff':
        return (town) => town.talk.handoff(capability, { subject: `note of ${attempt}`, body: 'go on there' });
      default:
        return (town) =>
          town.talk.sendOwnMail(capability, {
            to: 'daemon/',
            kind: 'lifecycle',
            subject: word,
            body: '',
            replyTo: null,
          });
    }
  }

  #mail(): (town: TownService) => Promise<unknown> {
    const { sim, chance, request } = this.#parts;
    const subject = `word of ${request.attempt} ${String(sim.time.nowMs)}`;
    const to =
      chance.pick([
        'human/',
        'mayor/',
        `${request.rig}/witness`,
        'api/polecats/nux',
        'web/polecats/nux',
        'api/crew/ada',
        'web/crew/x',
      ]) ?? '';
    return async (town) => {
      const sent = await town.talk.sendOwnMail(this.#capability, {
        to,
        kind: 'note',
        subject,
        body: 'b',
        replyTo: null,
      });
      return () => sim.ledger.mails.set(subject, sent.to);
    };
  }

  #repeat(word: string, work: (town: TownService) => Promise<unknown>, tries: number): void {
    this.#send(word, work, (answer) => {
      if (answer.ok) {
        if (typeof answer.value === 'function') answer.value();
      } else if (!(answer.error instanceof TownError) && tries < TRIES_MAX)
        this.#parts.later(AGAIN_MS, `says ${word} again`, () => {
          this.#repeat(word, work, tries + 1);
        });
    });
  }

  #send<T>(word: string, work: (town: TownService) => Promise<T>, done: (answer: Answer<T>) => void): void {
    this.#parts.sim.wire.call<T>({
      label: `${word} of ${this.#parts.request.attempt}`,
      to: 'brain',
      timeoutMs: CALL_MS,
      apply: () => this.#parts.door.service(work),
      done: (answer) => {
        if (!answer.ok) this.#mustBeKnown(word, answer.error);
        done(answer);
      },
    });
  }

  /** A refusal has a code; anything else is a fault of the program. */
  #mustBeKnown(word: string, error: unknown): void {
    if (error instanceof TownError || (error instanceof Error && error.name === 'NoAnswer')) return;
    throw new Violation('API', `${word} of ${this.#parts.request.attempt}: ${String(error)}`);
  }

  /** Takes the steps of its formula that are open. */
  steps(goOn: () => void): void {
    const { sim, chance, later } = this.#parts;
    const send = this.#send.bind(this);
    new AgentSteps({ sim, capability: this.#capability, chance, later, send }).take(goOn);
  }

  /** Asks people and goes on when they answered, or when it has waited long enough. */
  ask(goOn: () => void): void {
    this.#parts.sim.asked.hear(this.#parts.request.agent);
    this.#wait(null, 1, goOn);
  }

  #wait(askedAtMs: number | null, tries: number, goOn: () => void): void {
    const question =
      askedAtMs === null ? { question: `which way, asks ${this.#parts.request.attempt}` } : { askedAtMs };
    this.#send(
      'question',
      (town) => town.talk.wait(this.#capability, question, WAIT_MS),
      (answer) => {
        if (answer.ok && answer.value.state === 'answered') this.#parts.later(1, 'has its answer', goOn);
        else if (!answer.ok && answer.error instanceof TownError && answer.error.code === 'superseded') return;
        else if (tries >= WAITS_MAX) this.#parts.later(1, 'waits no longer', goOn);
        else
          this.#parts.later(WAIT_AGAIN_MS, 'waits for people', () => {
            this.#wait(answer.ok ? answer.value.askedAtMs : askedAtMs, tries + 1, goOn);
          });
      },
    );
  }
}
