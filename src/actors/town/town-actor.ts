import type { Caller, ConvoyPlan, CreateConvoy, RigConfig, UpdateConvoy } from '../../core/commands.ts';
import type { Health } from '../../core/model/health.ts';
import type { BeadId, ConvoyId, EscalationId } from '../../core/model/ids.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import type { Mail, NewMail } from '../../core/model/mail.ts';
import type { Runner, RunnerHello, RunnerTrouble } from '../../core/model/runner.ts';
import { must } from '../../core/assert.ts';
import { escalationTag, refuseStale, runnerTag, versionTag } from '../../core/etag.ts';
import type { Meant } from '../../ports/runner-gateway.ts';
import type { Turn } from '../kernel/turn.ts';
import { KernelStore, type OutboxRow } from '../../store/kernel-store.ts';
import type { RunnerStore } from '../../store/runner-store.ts';
import type { SqlTownView } from '../../store/town-view.ts';
import { Actor } from '../kernel/actor.ts';
import type { EffectOutcome } from '../kernel/program.ts';
import { LiveTape, type Tape } from '../kernel/tape.ts';
import type { Budget } from '../../core/budget.ts';
import { configureBudgets, removeBudget, setBudget } from './budget-commands.ts';
import { ConvoyCommands } from './convoy-commands.ts';
import { revertConvoy } from './convoy-revert.ts';
import { EscalationCommands } from './escalation-commands.ts';
import type { RigName } from '../../core/model/ids.ts';
import { putRig, removeRig } from './put-rig.ts';
import { TOWN_ADDRESS, TownContext, UNKNOWN_RECIPIENT } from './town-context.ts';
import type { TownPost } from './town-post.ts';
import { TownProgram } from './town-program.ts';
import type { AskRig } from './watchdog.ts';

/** The town: its actor, and what may be asked of it. */
export class TownActor {
  readonly actor: Actor;
  readonly program: TownProgram;
  readonly kernel: KernelStore;
  readonly #town: TownContext;
  readonly #convoys: ConvoyCommands;
  readonly #escalations: EscalationCommands;

  constructor(options: {
    readonly ports: HostPorts;
    readonly sql: Sql;
    readonly deliver: (row: OutboxRow) => Promise<EffectOutcome>;
    readonly askRig: AskRig;
    /** For a replay; without it the actor's own chance is recorded. */
    readonly tape?: Tape;
  }) {
    const tape = options.tape ?? new LiveTape(options.ports.random);
    const ports = { ...options.ports, random: tape };
    this.#town = new TownContext(options.sql, ports, options.askRig);
    this.program = new TownProgram(this.#town, options.deliver);
    this.kernel = new KernelStore(options.sql);
    this.#convoys = new ConvoyCommands(this.#town);
    this.#escalations = new EscalationCommands(this.#town);
    this.actor = new Actor({ address: TOWN_ADDRESS, ports, sql: options.sql, program: this.program, tape });
  }

  get view(): SqlTownView {
    return this.#town.view;
  }

  get post(): TownPost {
    return this.#town.post;
  }

  get sql(): Sql {
    return this.#town.sql;
  }

  /** Keeps a mail that people read. Null when they have too many. */
  keepMail(mail: NewMail): Promise<Mail | null> {
    return this.actor.ask((turn) => {
      this.#town.post.take(turn, mail);
      return this.#town.post.store.byKey(mail.key);
    });
  }

  async readMail(id: Mail['id']): Promise<Mail> {
    return must(await this.actor.ask((turn) => this.#town.post.read(turn, id)), 'a mail that was read exists');
  }

  /** Somebody wrote to nobody: a person hears of it, once per sender while it is open. */
  reportUnknownRecipient(sender: string, recipient: string): Promise<void> {
    return this.actor.ask((turn) => {
      this.#town.post.tell(turn, {
        rig: sender.split('/')[0] ?? '',
        causeKey: `${UNKNOWN_RECIPIENT}${sender}`,
        severity: 'low',
        subject: `agent:${sender}`,
        message: `${sender} wrote to ${recipient}, where nobody is; nothing was sent.`,
      });
    });
  }

  /** The sender has found somebody after all: what it got wrong before is over. */
  async recipientFound(sender: string): Promise<void> {
    if (this.view.openCauses(`${UNKNOWN_RECIPIENT}${sender}`).includes(`${UNKNOWN_RECIPIENT}${sender}`))
      await this.actor.ask((turn) => {
        this.#town.resolve(turn, `${UNKNOWN_RECIPIENT}${sender}`);
      });
  }

  get runnerStore(): RunnerStore {
    return this.#town.runners.store;
  }

  addRunner(runner: { readonly id: string; readonly url: string | null; readonly serial: string }): Promise<void> {
    return this.actor.ask((turn) => {
      this.#town.runners.add(turn, runner);
    });
  }

  removeRunner(id: string, how: { readonly lost: boolean; readonly busy: number } & Meant): Promise<void> {
    return this.actor.ask((turn) => {
      this.#refuseStaleRunner(id, how);
      this.#town.runners.remove(turn, id, how);
    });
  }

  rotateRunner(id: string, serial: string, meant: Meant): Promise<void> {
    return this.actor.ask((turn) => {
      this.#refuseStaleRunner(id, meant);
      this.#town.runners.rotate(turn, id, serial);
    });
  }

  runnerRotated(id: string): Promise<void> {
    return this.actor.ask((turn) => {
      this.#town.runners.rotated(turn, id);
    });
  }

  #refuseStaleRunner(id: string, meant: Meant): void {
    const runner = this.runnerStore.get(id);
    if (runner !== null) refuseStale(meant, id, runnerTag(runner));
  }

  drainRunner(id: string, on: boolean, meant: Meant & { readonly graceMs?: number | null }): Promise<void> {
    return this.actor.ask((turn) => {
      this.#refuseStaleRunner(id, meant);
      this.#town.runners.drain(turn, id, { on, graceMs: meant.graceMs ?? null });
    });
  }

  runnerSeen(id: string, hello: RunnerHello): Promise<Runner | null> {
    return this.actor.ask((turn) => this.#town.runners.seen(turn, id, hello));
  }

  runnerTroubled(id: string, trouble: RunnerTrouble, text: string | null): Promise<void> {
    return this.actor.ask((turn) => {
      this.#town.runners.troubled(turn, id, { trouble, text });
    });
  }

  runnerKeptFor(id: string): string | null {
    return this.#town.runners.keptFor(id);
  }

  runnerAway(id: string, state: 'suspect' | 'down', reason: string): Promise<void> {
    return this.actor.ask((turn) => {
      this.#town.runners.away(turn, id, state, reason);
    });
  }

  health(): readonly Health[] {
    return this.#town.watchdog.store.all();
  }

  putRig(config: RigConfig): Promise<void> {
    return this.actor.ask((turn) => {
      putRig(this.#town, turn, config);
    });
  }

  /** False while a message to it is on its way; then nothing was changed. */
  removeRig(name: RigName): Promise<boolean> {
    return this.actor.ask((turn) => removeRig(this.#town, turn, name));
  }

  createConvoy(input: CreateConvoy, caller: Caller): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => this.#convoys.create(turn, input, caller));
  }

  #changeConvoy(id: ConvoyId, caller: Caller, change: (turn: Turn) => string): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => {
      const convoy = this.view.convoy(id);
      if (convoy !== null) refuseStale(caller, id, versionTag(convoy));
      return change(turn);
    });
  }

  startConvoy(id: ConvoyId, caller: Caller): Promise<string> {
    return this.#changeConvoy(id, caller, (turn) => this.#convoys.start(turn, id, caller));
  }

  /** Answers the number of the addition. */
  addToConvoy(id: ConvoyId, plan: ConvoyPlan, caller: Caller): Promise<string> {
    return this.#changeConvoy(id, caller, (turn) => this.#convoys.add(turn, id, plan, caller));
  }

  removeFromConvoy(id: ConvoyId, beads: readonly BeadId[], caller: Caller): Promise<string> {
    return this.#changeConvoy(id, caller, (turn) => this.#convoys.remove(turn, id, beads, caller));
  }

  updateConvoy(id: ConvoyId, change: UpdateConvoy, caller: Caller): Promise<string> {
    return this.#changeConvoy(id, caller, (turn) => this.#convoys.update(turn, id, change, caller));
  }

  closeConvoy(id: ConvoyId, note: string, caller: Caller): Promise<string> {
    return this.#changeConvoy(id, caller, (turn) => this.#convoys.close(turn, id, note, caller));
  }

  revertConvoy(id: ConvoyId, caller: Caller): Promise<string> {
    return this.#changeConvoy(id, caller, (turn) => revertConvoy(this.#town, turn, id, caller));
  }

  acknowledge(id: EscalationId, caller: Caller): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => this.#escalations.acknowledge(turn, id, caller));
  }

  resolve(id: EscalationId, note: string, caller: Caller): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => this.#escalations.resolve(turn, id, note, caller));
  }

  /** What an answer under the caller's key was settled to mean before; null when it was not. */
  choice(id: EscalationId, caller: Caller): string | null {
    return caller.idempotencyKey === undefined ? null : this.kernel.answer(`choice:${id}:${caller.idempotencyKey}`);
  }

  /**
   * Settles what an answer means; a repeat of the caller's key means the same whatever holds by then. For this escalation
   * only: taken for another one, it would end a question without doing anything.
   */
  chosen(id: EscalationId, option: string, caller: Caller): Promise<string> {
    const { idempotencyKey: key } = caller;
    return this.actor.command(key === undefined ? undefined : `choice:${id}:${key}`, () => {
      const item = this.view.escalation(id);
      refuseStale(caller, id, item === null ? null : escalationTag(item));
      return option;
    });
  }

  setBudget(budget: Omit<Budget, 'id'>, caller: Caller): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => setBudget(this.#town, turn, budget, caller));
  }

  removeBudget(id: string, caller: Caller): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => removeBudget(this.#town, turn, id, caller));
  }

  configureBudgets(budgets: readonly Budget[]): Promise<void> {
    return this.actor.ask((turn) => {
      configureBudgets(this.#town, turn, budgets);
    });
  }

  /** Records an answer that was applied. */
  decided(id: EscalationId, option: string, caller: Caller): Promise<string> {
    return this.actor.ask((turn) => this.#escalations.decided(turn, id, option, caller));
  }
}
