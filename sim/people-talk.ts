import type { TownService } from '../src/actors/town-service.ts';
import type { Caller } from '../src/core/commands.ts';
import { LIFECYCLE_ACTIONS } from '../src/core/model/lifecycle.ts';
import type { AgentSummary, EscalationSummary } from '../src/core/queries.ts';
import type { Sim } from './context.ts';
import { PeopleAndMayor } from './people-mayor.ts';
import { pauseTrain } from './people-trains.ts';
import type { PersonKind, PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

/** How long people take to see a question of an agent. */
const ANSWER_MIN_MS = 3_000;
const ANSWER_MAX_MS = 4 * 60_000;
const CARE_OF = [
  'human/',
  'mayor/',
  'api/polecats/nux',
  'web/polecats/nux',
  'web/polecats/slit',
  'api/polecats/nobody',
  'api/crew/ada',
  'web/crew',
];

/** What people say and order of the town's other parts, rather than of beads and convoys. */
export const TALK_KINDS: ReadonlySet<PersonKind> = new Set([
  'mail',
  'read_mail',
  'nudge',
  'lifecycle',
  'escalation',
  'mayor_message',
  'mayor_rest',
  'mayor_cycle',
  'pause_train',
]);

/** Asks the town until it answers; see `People`. */
export type Ask = <T>(label: string, work: (town: TownService) => Promise<T>, then: (value: T) => void) => void;

/** What people say: mail, nudges, wishes about sessions, answers to questions and to escalations. */
export class PeopleTalk {
  readonly #sim: Sim;
  readonly #ask: Ask;
  readonly #mayor: PeopleAndMayor;
  #questions = 0;

  constructor(sim: Sim, ask: Ask) {
    this.#sim = sim;
    this.#ask = ask;
    this.#mayor = new PeopleAndMayor(sim, ask);
    sim.asked.hear = (agent) => {
      this.#answerSoon(agent);
    };
  }

  #answerSoon(agent: string): void {
    this.#questions += 1;
    const id = `answer${String(this.#questions)}`;
    const delayMs = this.#sim.chance(id).between(ANSWER_MIN_MS, ANSWER_MAX_MS);
    this.#sim.time.after(delayMs, `people see the question of ${agent}`, () => {
      this.#mail(`${id} to ${agent}`, agent, { actor: 'human/sim', origin: 'human', idempotencyKey: id });
    });
  }

  act(step: PersonStep, chance: Prng, caller: Caller): void {
    switch (step.kind) {
      case 'mail':
        this.#mail(step.id, chance.pick(CARE_OF) ?? '', caller);
        return;
      case 'read_mail':
        this.#read(step);
        return;
      case 'nudge':
        this.#nudge(step, chance, caller);
        return;
      case 'lifecycle':
        this.#lifecycle(step, chance, caller);
        return;
      case 'mayor_message':
      case 'mayor_rest':
      case 'mayor_cycle':
        this.#mayor.act(step, chance, caller);
        return;
      case 'pause_train':
        pauseTrain({ sim: this.#sim, ask: this.#ask, chance }, step, caller);
        return;
      default:
        this.#decide(step, chance, caller);
    }
  }

  #mail(id: string, to: string, caller: Caller): void {
    const subject = `word of a person ${id}`;
    this.#ask(
      `mail ${id}`,
      (town) => town.talk.sendMail({ to, kind: 'note', subject, body: 'so be it', replyTo: null }, caller),
      (sent) => {
        this.#sim.ledger.mails.set(subject, sent.to);
      },
    );
  }

  #read(step: PersonStep): void {
    this.#ask(
      `read ${step.id}`,
      async (town) => {
        const box = await town.talk.mailbox({ address: null, unreadOnly: true, limit: 20 });
        const [mail] = box;
        return mail === undefined ? null : town.talk.readMail(mail.id);
      },
      () => undefined,
    );
  }

  /** One of the agents that work, if any does; the same one when the call is repeated at once. */
  async #someone(town: TownService, at: number): Promise<AgentSummary | null> {
    const busy = (await town.listAgents()).filter((agent) => agent.attemptId !== null);
    return busy[at % Math.max(1, busy.length)] ?? null;
  }

  #nudge(step: PersonStep, chance: Prng, caller: Caller): void {
    const at = chance.int(64);
    const mode = chance.pick(['immediate', 'wait-idle', 'queue'] as const) ?? 'immediate';
    this.#ask(
      `nudge ${step.id}`,
      async (town) => {
        const agent = await this.#someone(town, at);
        return agent === null ? null : town.talk.nudge({ agent: agent.id, text: `hurry, ${step.id}`, mode }, caller);
      },
      () => undefined,
    );
  }

  #lifecycle(step: PersonStep, chance: Prng, caller: Caller): void {
    const at = chance.int(64);
    const action = chance.pick(LIFECYCLE_ACTIONS) ?? 'cycle';
    this.#ask(
      `${action} ${step.id}`,
      async (town) => {
        const agent = await this.#someone(town, at);
        if (agent === null || agent.attemptId === null) return null;
        this.#sim.ledger.explain(agent.attemptId, `a person asked for ${action}`);
        const request = { agent: agent.id, action, requestedBy: caller.actor, timestamp: step.id, note: '' };
        return town.talk.lifecycle(request, caller);
      },
      () => undefined,
    );
  }

  #decide(step: PersonStep, chance: Prng, caller: Caller): void {
    const at = chance.int(64);
    const how = chance.pick(['ack', 'resolve', 'decide', 'decide'] as const);
    const letter = chance.int(3);
    // Who asks again asks about the same.
    let seen: EscalationSummary | null = null;
    this.#ask(
      `escalation ${step.id}`,
      async (town) => {
        const open = await town.listEscalations(true);
        const item: EscalationSummary | null = seen ?? open[at % Math.max(1, open.length)] ?? null;
        if (item === null) return null;
        seen = item;
        if (how === 'ack') return town.commandEscalation(item.id, { type: 'ack' }, caller);
        const option = item.options[letter % Math.max(1, item.options.length)];
        if (how !== 'decide' || option === undefined) {
          this.#sim.ledger.dismissed.add(item.causeKey);
          return town.commandEscalation(item.id, { type: 'resolve', note: 'seen' }, caller);
        }
        this.#expect(item, option.name);
        return town.commandEscalation(item.id, { type: 'decide', option: option.name }, caller);
      },
      () => undefined,
    );
  }

  /** What the decision may cause: counted before it is sent, because its answer may be lost. */
  #expect(item: EscalationSummary, option: string): void {
    const bead = item.causeKey.startsWith('bead:') ? item.causeKey.slice('bead:'.length) : null;
    const { retries } = this.#sim.ledger;
    if (bead !== null && option === 'retry') retries.set(bead, (retries.get(bead) ?? 0) + 1);
  }
}
