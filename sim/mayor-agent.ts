import type { TownService } from '../src/actors/town-service.ts';
import type { Caller } from '../src/core/commands.ts';
import { TownError } from '../src/core/errors.ts';
import { trusted } from '../src/core/model/ids.ts';
import { MAYOR } from '../src/core/model/mayor.ts';
import { MAYOR_VERBS, type MayorCapability } from '../src/core/queries.ts';
import type { BrainDoor } from './brain-door.ts';
import type { Sim } from './context.ts';
import { Violation } from './ledger.ts';
import type { AttemptRow, Ended, SimProcess } from './machine.ts';
import type { Prng } from './prng.ts';
import type { Answer } from './wire.ts';

/** What a session of the mayor is like. Only `good` and `lingers` answer everything and leave or rest. */
const TEMPERS = {
  good: 60,
  lingers: 6,
  says_nothing: 6,
  fails: 5,
  dies_in_the_middle: 12,
  hands_over: 5,
  loops: 2,
  stubborn: 2,
} as const;
type Temper = keyof typeof TEMPERS;

/** What it does beside answering. */
const ERRANDS = { sling: 5, convoy: 2, mail: 4, group: 1, read: 4, escalate: 1, ack: 4, checkpoint: 2, retry: 2 };
type Errand = keyof typeof ERRANDS;

const CALL_MS = 15_000;
const AGAIN_MS = 5_000;
/** A session that gets no answer says the same again so often, then it ends. */
const TRIES_MAX = 6;

interface Parts {
  readonly sim: Sim;
  readonly row: AttemptRow;
  readonly door: BrainDoor;
  readonly activity: () => void;
  readonly exited: (how: Ended) => void;
}

/** One process of the mayor: runs errands with the verbs of its token, answers its messages in order, ends; or does not. */
export class MayorAgent implements SimProcess {
  readonly head = null;
  readonly hears = false;
  readonly #parts: Parts;
  readonly #chance: Prng;
  readonly #capability: MayorCapability;
  readonly #temper: Temper;
  /** Numbers of the messages that its prompt has. */
  readonly #open: number[];
  #alive = true;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { request } = parts.row;
    this.#chance = parts.sim.chance(`mayor ${request.attempt}`);
    this.#temper = parts.sim.storm() ? this.#chance.weighted(TEMPERS) : 'good';
    this.#open = [...request.prompt.matchAll(/^Message (\d+) from /gm)].map((match) => Number(match[1]));
    this.#capability = {
      role: 'mayor',
      town: 'town-sim',
      attempt: trusted.attempt(request.attempt),
      epoch: request.epoch,
      sitting: request.round,
      verbs: MAYOR_VERBS,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    };
  }

  begin(): void {
    this.#parts.sim.note(`mayor ${this.#name} is ${this.#temper} and has ${this.#open.join(',')}`);
    this.#parts.sim.mayor.shown(this.#capability.sitting, this.#open);
    if (this.#temper === 'loops') return;
    this.#later(this.#chance.between(500, 20_000), 'begins', () => {
      this.#parts.activity();
      this.#errands(this.#parts.sim.storm() ? this.#chance.int(3) : 0);
    });
  }

  get #name(): string {
    return this.#capability.attempt;
  }

  hear(): void {
    this.#parts.activity();
  }

  terminate(): void {
    if (this.#temper === 'stubborn' || this.#temper === 'loops') return;
    this.#later(this.#chance.between(1, 2_000), 'ends on request', () => {
      this.#exit(143);
    });
  }

  kill(): void {
    this.#exit(null);
  }

  #exit(exitCode: number | null): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#parts.exited({ exitCode, signal: exitCode === null ? 'SIGKILL' : null, lastLine: 'the mayor ends' });
  }

  #later(delayMs: number, what: string, work: () => void): void {
    this.#parts.sim.time.after(delayMs, `mayor ${this.#name} ${what}`, () => {
      if (this.#alive) work();
    });
  }

  #errands(left: number): void {
    if (left > 0) {
      const errand = this.#chance.weighted(ERRANDS);
      this.#say(errand, this.#errand(errand), () => {
        this.#errands(left - 1);
      });
      return;
    }
    switch (this.#temper) {
      case 'says_nothing':
        this.#exit(0);
        return;
      case 'fails':
        this.#exit(1);
        return;
      case 'hands_over':
        this.#say(
          'handoff',
          (town) => town.mayor.handoff(this.#capability, { subject: 'go on', body: 'there' }),
          () => {
            this.#later(60_000, 'is still there', () => {
              this.#exit(0);
            });
          },
        );
        return;
      default:
        this.#answer(0);
    }
  }

  /** Answers message after message; some die in the middle of it, between a call and its answer. */
  #answer(index: number): void {
    const seq = this.#open[index];
    if (seq === undefined) {
      if (this.#temper !== 'lingers' && this.#temper !== 'stubborn')
        this.#later(this.#chance.between(1, 3_000), 'leaves', () => {
          this.#exit(0);
        });
      return;
    }
    const text = `answer to ${String(seq)} by ${this.#name}`;
    if (this.#temper === 'dies_in_the_middle' && this.#chance.chance(0.5))
      this.#later(this.#chance.between(1, 30), 'dies', () => {
        this.#exit(137);
      });
    this.#say(
      `answer ${String(seq)}`,
      async (town) => {
        const { reply } = await town.mayor.reply(this.#capability, { to: seq, text });
        return () => {
          this.#parts.sim.mayor.replied(seq, reply ?? '', text);
        };
      },
      () => {
        this.#later(this.#chance.between(1, 2_000), 'goes on', () => {
          this.#answer(index + 1);
        });
      },
    );
  }

  #errand(errand: Errand): (town: TownService) => Promise<unknown> {
    const { sitting } = this.#capability;
    const { sim } = this.#parts;
    const own = this.#capability;
    switch (errand) {
      case 'sling':
      case 'convoy':
        return this.#work(errand);
      case 'mail':
      case 'group':
        return this.#mail(errand);
      case 'read':
        return async (town) => {
          await town.mayor.checkMail(own);
          const [mail] = await town.mayor.ownMail(own, true);
          return mail === undefined ? null : town.mayor.readOwnMail(own, mail.id);
        };
      case 'escalate':
        return (town) =>
          town.mayor.escalate(own, { severity: 'low', message: `sitting ${String(sitting)} is at a loss` });
      case 'ack':
        return async (town) => {
          const item = (await town.listEscalations(true)).find((open) => open.status === 'open');
          return item === undefined
            ? null
            : town.commandEscalation(item.id, { type: 'ack' }, this.#caller(`ack ${item.id}`));
        };
      case 'checkpoint':
        return (town) => town.mayor.checkpoint(own, JSON.stringify({ at: sim.time.nowMs }));
      default:
        return async (town) => {
          const { items } = await town.listBeads({ limit: 50, includeMergeRequests: false });
          const held = items.find((bead) => bead.hold === 'needs_human');
          if (held === undefined) return null;
          const { retries } = sim.ledger;
          retries.set(held.id, (retries.get(held.id) ?? 0) + 1);
          return town.beadCommand({ type: 'retry', bead: held.id }, this.#caller(`retry ${held.id}`));
        };
    }
  }

  /** The API makes it so: a key of the mayor is one key within its sitting, whichever session says it. */
  #caller(words: string): Caller {
    const key = `mayor:${String(this.#capability.sitting)}:${words.replaceAll(' ', '-')}`;
    return { actor: MAYOR, origin: 'agent', idempotencyKey: key };
  }

  #work(errand: 'sling' | 'convoy'): (town: TownService) => Promise<unknown> {
    const title = `${errand} of sitting ${String(this.#capability.sitting)}`;
    const caller = this.#caller(title);
    const { mayor, time } = this.#parts.sim;
    const common = { body: '', priority: 'medium', runtime: null, model: null } as const;
    // Noted each time that it is said: one that is said again after a day is a new order.
    if (errand === 'sling')
      return (town) => {
        mayor.ordered(title, time.wallMs);
        return town.createBead(
          {
            ...common,
            rig: trusted.rig('api'),
            title,
            dependsOn: [],
            targetBranch: null,
            sling: true,
            pinnedAgent: null,
            parentId: null,
          },
          caller,
        );
      };
    const task = (rig: string, dependsOn: readonly number[]) => ({
      ...common,
      rig: trusted.rig(rig),
      title: `${title} ${rig}`,
      dependsOn,
    });
    return (town) => {
      mayor.ordered(title, time.wallMs);
      return town.createConvoy(
        {
          title,
          tasks: [task('api', []), task('web', [0])],
          beads: [],
          mergeMode: 'review-and-merge',
          onFailure: 'skip',
          staged: false,
        },
        caller,
      );
    };
  }

  #mail(errand: 'mail' | 'group'): (town: TownService) => Promise<unknown> {
    const subject = `${errand} of sitting ${String(this.#capability.sitting)}`;
    const to = errand === 'mail' ? 'human/' : (this.#chance.pick(['all/', 'api/polecats']) ?? '');
    return async (town) => {
      const sent = await town.mayor.sendOwnMail(this.#capability, {
        to,
        kind: 'note',
        subject,
        body: 'b',
        replyTo: null,
      });
      return () => {
        if (errand === 'mail') this.#parts.sim.ledger.mails.set(subject, sent.to);
      };
    };
  }

  /** Says it again until there is an answer; a refusal is an answer. */
  #say(what: string, work: (town: TownService) => Promise<unknown>, then: () => void, tries = 1): void {
    this.#parts.sim.wire.call<unknown>({
      label: `${what} of the mayor ${this.#name}`,
      to: 'brain',
      timeoutMs: CALL_MS,
      apply: () => this.#parts.door.service(work),
      done: (answer) => {
        if (answer.ok && typeof answer.value === 'function') answer.value();
        if (this.#alive)
          this.#heard(what, answer, { again: () => this.#say(what, work, then, tries + 1), goOn: then, tries });
      },
    });
  }

  #heard(
    what: string,
    answer: Answer<unknown>,
    next: { readonly again: () => void; readonly goOn: () => void; readonly tries: number },
  ): void {
    if (answer.ok) {
      next.goOn();
      return;
    }
    const { error } = answer;
    if (error instanceof TownError && error.code === 'superseded') this.#exit(0);
    else if (error instanceof TownError && error.code === 'already_answered')
      throw new Violation('L18', `${this.#name}: ${error.message}`);
    else if (error instanceof TownError && error.kind !== 'busy') next.goOn();
    else if (!(error instanceof TownError) && !(error instanceof Error && error.name === 'NoAnswer'))
      throw new Violation('API', `${what} of the mayor ${this.#name}: ${String(error)}`);
    else if (next.tries >= TRIES_MAX) this.#exit(1);
    else this.#later(AGAIN_MS, `says ${what} again`, next.again);
  }
}
