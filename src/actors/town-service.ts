import type {
  BeadCommand,
  Caller,
  ConvoyChange,
  CreateBead,
  CreateConvoy,
  EscalationCommand,
  RigCommand,
  RigConfig,
  RigDrain,
} from '../core/commands.ts';
import { conflict, notFound, TownError } from '../core/errors.ts';
import type { Budget } from '../core/budget.ts';
import type { Fact, Verdict } from '../core/facts.ts';
import type { AttentionItem } from '../core/attention-item.ts';
import type { Convoy, ConvoyBead } from '../core/model/convoy.ts';
import type { Health } from '../core/model/health.ts';
import { LOCAL_RUNNER } from '../core/model/runner.ts';
import {
  prefixOf,
  trusted,
  type AttemptId,
  type BeadId,
  type ConvoyId,
  type EscalationId,
  type RigName,
} from '../core/model/ids.ts';
import type {
  AgentSummary,
  BeadDetail,
  BeadFilter,
  BeadSummary,
  Capability,
  ConvoyDetail,
  EscalationSummary,
  FeedPage,
  HookView,
  Page,
  QueueEntry,
  RigRemoval,
  RigSummary,
  TownStatus,
  Why,
} from '../core/queries.ts';
import { byCreation } from '../core/queries.ts';
import { whyConvoy, type LandingFacts } from '../core/why-convoy.ts';
import { whyAtRunner } from '../core/why-others.ts';
import type { HostPorts } from '../ports/host.ts';
import type { MoneyGateway } from '../ports/money-gateway.ts';
import { MAYOR, type MayorConfig } from '../core/model/mayor.ts';
import type { MayorGateway } from '../ports/mayor-gateway.ts';
import type { RunnerGateway } from '../ports/runner-gateway.ts';
import type { StreamGateway } from '../ports/stream-gateway.ts';
import type { TalkGateway } from '../ports/talk-gateway.ts';
import type { TownGateway } from '../ports/town-gateway.ts';
import { changeConvoy } from './convoy-changes.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { findAgent } from './find-agent.ts';
import { readFeed, readFeedTail, townStream } from './feed.ts';
import { commandEscalation, escalationSummary } from './escalation-service.ts';
import { removeRig } from './remove-rig.ts';
import { refuseRig } from './town/put-rig.ts';
import { readAttention } from './town-attention.ts';
import { readTownStatus } from './town-status.ts';
import { readWhy } from './town-why.ts';
import { LocalActors } from './local-actors.ts';
import type { TownActors } from './town-actors.ts';
import { TownMoney } from './town-money.ts';
import { mayStart, mustBeLive } from './live-attempt.ts';
import { receiversOf } from './mail-groups.ts';
import { MayorService } from './mayor-service.ts';
import { CONVOY_CREATE_WAIT_MS } from '../core/limits.ts';
import { recordFacts } from './runner-facts.ts';
import { townRunners } from './town-runners.ts';
import { TownTalk } from './town-talk.ts';
import { askAll, type AskedRig } from './asked.ts';

const PENDING: Verdict = { verdict: 'pending', message: 'The claim is recorded; its verdict is not there yet.' };

export interface TownServiceOptions {
  readonly id: string;
  readonly name: string;
  readonly ports: HostPorts;
  /** Opens databases for reading only: no alarms, no effects, every command refused. */
  readonly readOnly?: boolean;
  /** Where the actors are, if not all in this process. */
  readonly actors?: TownActors;
}

/**
 * The town of one process: its actors, found by name, behind the interface that the HTTP application and `gt` use.
 * Holds no state of its own; everything is in the actors' databases.
 */
export class TownService implements TownGateway {
  readonly id: string;
  readonly name: string;
  readonly #ports: HostPorts;
  readonly #actors: TownActors;
  readonly #readOnly: boolean;
  readonly talk: TalkGateway;
  readonly money: MoneyGateway;
  readonly mayor: MayorGateway;
  readonly runners: RunnerGateway;
  readonly stream: StreamGateway;

  constructor(options: TownServiceOptions) {
    this.id = options.id;
    this.name = options.name;
    this.#ports = options.ports;
    this.#readOnly = options.readOnly ?? false;
    this.#actors = options.actors ?? new LocalActors(options, options.ports, this.#readOnly);
    const writable = this.#writable;
    this.stream = townStream(this.#actors);
    this.runners = townRunners(this.#actors, writable, (id) => options.ports.runners?.changed?.(id));
    this.money = new TownMoney({ actors: this.#actors, now: this.#now, writable });
    this.mayor = new MayorService({
      mayor: this.#actors.mayor,
      writable,
      mustKnow: (to) => talk.mustKnow(to, MAYOR),
      receivers: (to) => receiversOf(this.#actors, to, MAYOR),
    });
    const talk = new TownTalk({
      actors: this.#actors,
      ports: options.ports,
      writable,
      mayor: this.mayor,
      checkCapability: (capability) => this.checkCapability(capability),
      hook: (capability) => this.hook(capability),
      findAgent: (name) => this.findAgent(name),
    });
    this.talk = talk;
  }

  /** Opens the town and every rig it knows, takes up what a crash left undone, then applies the settings. */
  async start(rigs: readonly RigConfig[], budgets: readonly Budget[] = []): Promise<void> {
    await this.#actors.open();
    if (!this.#readOnly) await this.configure(rigs, budgets);
  }

  stop(): void {
    this.#actors.close();
  }

  /** Re-arms alarms that were lost; costs nothing when none were. */
  rearm(): void {
    this.#actors.wakeAll();
  }

  /** Whether `configure` would take these rigs; nothing changes. Errors: those of `refuseRig`. */
  mustTake(rigs: readonly RigConfig[]): void {
    for (const config of rigs) refuseRig(this.#actors.town.program.view, config);
  }

  /** Applies the settings of the town's file. Rigs that are not in it keep running with their last settings. */
  async configure(rigs: readonly RigConfig[], budgets: readonly Budget[] = []): Promise<void> {
    for (const config of rigs) await this.#actors.configureRig(config);
    await this.#actors.town.configureBudgets(budgets);
  }

  /** Null: this town has none. Its conversation is kept all the same. */
  configureMayor(config: MayorConfig | null): Promise<void> {
    return this.#actors.configureMayor(config);
  }

  /** The runner beside the daemon has this instance now; whatever ran under another one is asked about at once. */
  async runnerChanged(instance: string): Promise<void> {
    await this.runners.seen(LOCAL_RUNNER, { instance, capacity: null, labels: [], versions: {} });
    await this.#actors.mayor?.runnerChanged(instance);
    await askAll(this.#actors.rigs(), (rig) => rig.runnerChanged(instance));
  }

  async addRig(config: RigConfig): Promise<RigSummary> {
    this.#writable();
    await this.#actors.configureRig(config);
    return this.#rig(config.name).summary();
  }

  removeRig(name: RigName, drain: RigDrain, caller: Caller): Promise<RigRemoval> {
    this.#writable();
    return removeRig(this.#actors, this.#rig(name), { drain, caller });
  }

  async rigCommand(name: RigName, command: RigCommand, caller: Caller): Promise<RigSummary> {
    this.#writable();
    return this.#rig(name).rigCommand(command, caller);
  }

  listRigs(): Promise<readonly RigSummary[]> {
    return askAll(this.#actors.rigs(), (rig) => rig.summary());
  }

  readonly #writable = (): void => {
    if (this.#readOnly)
      throw new TownError('unreachable', 'daemon_down', {
        message: 'The daemon is not running, so nothing can be changed.',
        next: 'Start it with "gt up".',
      });
  };

  #rig(name: string): AskedRig {
    const rig = this.#actors.rig(name);
    if (rig === null) throw notFound('rig', name);
    return rig;
  }

  #rigOf(bead: BeadId): AskedRig {
    const rig = this.#actors.rigByPrefix(prefixOf(bead));
    if (rig === null) throw notFound('bead', bead);
    return rig;
  }

  async createBead(input: CreateBead, caller: Caller): Promise<BeadSummary> {
    this.#writable();
    for (const id of input.dependsOn)
      if ((await this.#rigOf(id).tryBeadSummary(id)) === null) throw notFound('bead', id);
    const rig = this.#rig(input.rig);
    return rig.beadSummary(await rig.createBead(input, caller));
  }

  async beadCommand(command: BeadCommand, caller: Caller): Promise<BeadSummary> {
    this.#writable();
    const rig = this.#rigOf(command.type === 'sling' ? command.sling.bead : command.bead);
    return rig.beadSummary(await rig.beadCommand(command, caller));
  }

  readonly #now = (): number => this.#ports.clock.now();

  async listBeads(filter: BeadFilter): Promise<Page<BeadSummary>> {
    const rigs = filter.rig === undefined ? this.#actors.rigs() : [this.#rig(filter.rig)];
    const after = filter.after === undefined ? null : decodeCursor<{ createdAtMs: number; id: string }>(filter.after);
    const page = { ...filter, limit: filter.limit + 1 };
    const all = (await askAll(rigs, (rig) => rig.queries.list(page, after, this.#now()))).flat();
    const sorted = all.toSorted(byCreation);
    const items = (filter.isNewestFirst === true ? sorted.toReversed() : sorted).slice(0, filter.limit);
    const last = items.at(-1);
    const next =
      all.length > items.length && last !== undefined
        ? encodeCursor({ createdAtMs: last.createdAtMs, id: last.id })
        : null;
    return { items, next };
  }

  async getBead(id: BeadId): Promise<BeadDetail> {
    const detail = await this.#rigOf(id).queries.detail(id, this.#now());
    if (detail === null) throw notFound('bead', id);
    return { ...detail, why: whyAtRunner(detail.why, detail.attemptList, this.#actors.runnerTrouble?.() ?? null) };
  }

  async createConvoy(input: CreateConvoy, caller: Caller): Promise<ConvoyDetail> {
    this.#writable();
    const id = trusted.convoy(await this.#actors.town.createConvoy(input, caller));
    await this.#actors.town.actor.until(
      () => (this.#actors.town.program.view.convoy(id)?.status === 'creating' ? null : true),
      CONVOY_CREATE_WAIT_MS,
    );
    const detail = await this.getConvoy(id);
    if (detail.status === 'failed')
      throw conflict(
        'convoy_refused',
        `The convoy was not created: ${detail.reason ?? 'a rig refused its beads'}.`,
        'Correct the plan and create it again.',
      );
    return detail;
  }

  async startConvoy(id: ConvoyId, caller: Caller): Promise<ConvoyDetail> {
    this.#writable();
    await this.#actors.town.startConvoy(id, caller);
    return this.getConvoy(id);
  }

  async changeConvoy(id: ConvoyId, change: ConvoyChange, caller: Caller): Promise<ConvoyDetail> {
    this.#writable();
    await changeConvoy(this.#actors.town, id, change, caller);
    return this.getConvoy(id);
  }

  listConvoys(limit: number, after?: string): Promise<Page<Convoy>> {
    const items = this.#actors.town.program.view.convoys(limit + 1, after === undefined ? null : decodeCursor(after));
    const page = items.slice(0, limit);
    const last = page.at(-1);
    return Promise.resolve({
      items: page,
      next:
        items.length > limit && last !== undefined
          ? encodeCursor({ createdAtMs: last.createdAtMs, id: last.id })
          : null,
    });
  }

  async getConvoy(id: ConvoyId): Promise<ConvoyDetail> {
    const { view } = this.#actors.town.program;
    const convoy = view.convoy(id);
    if (convoy === null) throw notFound('convoy', id);
    const rows = view.convoyBeads(id);
    const beads = await Promise.all(
      rows.map(async (row) => ({
        ...row,
        bead: row.beadId === null ? null : ((await this.#actors.rig(row.rig)?.tryBeadSummary(row.beadId)) ?? null),
      })),
    );
    const landings = view.convoyLandings(id);
    const reverts = view.convoyReverts(id);
    const standing = beads.flatMap(({ bead }) => (bead?.phase === 'needs_human' ? [bead.id] : []));
    const why = await this.#whyConvoy(convoy, rows, { landings, reverts, standing });
    return { ...convoy, beads, landings, reverts, why };
  }

  /** What its landing waits for now, from the rig that lands. */
  async #whyConvoy(convoy: Convoy, rows: readonly ConvoyBead[], known: Omit<LandingFacts, 'now'>): Promise<Why> {
    const now = known.landings.find((landing) => landing.state === 'ordered');
    const bead = now?.beadId ?? null;
    const detail =
      now === undefined || bead === null ? null : await this.#rig(now.rig).queries.detail(bead, this.#now());
    return whyConvoy(convoy, rows, { ...known, now: detail?.why ?? null });
  }

  async listAgents(rig?: RigName): Promise<readonly AgentSummary[]> {
    const rigs = rig === undefined ? this.#actors.rigs() : [this.#rig(rig)];
    return (await askAll(rigs, (actor) => actor.queries.agents())).flat();
  }

  async findAgent(name: string): Promise<AgentSummary> {
    return findAgent(this.#actors, await this.listAgents(), name);
  }

  async listQueue(rig?: RigName): Promise<readonly QueueEntry[]> {
    const rigs = rig === undefined ? this.#actors.rigs() : [this.#rig(rig)];
    return (await askAll(rigs, (actor) => actor.queries.queue(this.#now()))).flat();
  }

  listEscalations(openOnly: boolean): Promise<readonly EscalationSummary[]> {
    const items = this.#actors.town.view.escalations(openOnly);
    return Promise.all(items.map((item) => escalationSummary(this.#actors, item)));
  }

  commandEscalation(id: EscalationId, command: EscalationCommand, caller: Caller): Promise<EscalationSummary> {
    this.#writable();
    return commandEscalation(this.#actors, id, command, caller);
  }

  health(): Promise<readonly Health[]> {
    return Promise.resolve(this.#actors.town.health());
  }

  status(): Promise<TownStatus> {
    return readTownStatus(this, this.#actors, this.#ports, this.#now());
  }

  feed(cursor: string | null, limit: number): Promise<FeedPage> {
    return readFeed(this.#actors, cursor, limit);
  }

  feedTail(sinceMs: number, limit: number): Promise<FeedPage> {
    return readFeedTail(this.#actors, sinceMs, limit);
  }

  attention(): Promise<readonly AttentionItem[]> {
    return readAttention(this.#actors);
  }

  why(id: string): Promise<Why> {
    return readWhy(this, this.#actors, id, this.#now());
  }

  checkCapability(capability: Capability): Promise<void> {
    return mustBeLive(this.#actors, capability);
  }

  async hook(capability: Capability): Promise<HookView> {
    await this.checkCapability(capability);
    const hook = await this.#rig(capability.rig).hook(capability.attempt);
    if (hook === null) throw notFound('attempt', capability.attempt);
    return hook;
  }

  async checkpoint(capability: Capability, json: string): Promise<void> {
    this.#writable();
    await this.checkCapability(capability);
    await this.#rig(capability.rig).checkpoint(capability.agent, json);
  }

  recordFacts(facts: readonly Fact[], runner: string = LOCAL_RUNNER): Promise<readonly string[]> {
    return recordFacts(this.#actors, facts, { runner, log: this.#ports.log });
  }

  confirmStart(start: Parameters<TownGateway['confirmStart']>[0]): Promise<boolean> {
    return mayStart(this.#actors, start);
  }

  async verdict(rig: RigName, attempt: AttemptId, epoch: number, waitMs: number): Promise<Verdict> {
    return (await this.#rig(rig).verdict(attempt, epoch, waitMs)) ?? PENDING;
  }
}
