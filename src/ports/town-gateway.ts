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
import type { AttemptId, BeadId, ConvoyId, EscalationId, RigName } from '../core/model/ids.ts';
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
import type { MAYOR_SCOPE } from '../core/model/mayor.ts';
import type { Health } from '../core/model/health.ts';
import type { AttentionItem } from '../core/attention-item.ts';
import type { Convoy } from '../core/model/convoy.ts';
import type { Fact, Verdict } from '../core/facts.ts';
import type { MoneyGateway } from './money-gateway.ts';
import type { MayorGateway } from './mayor-gateway.ts';
import type { RunnerGateway } from './runner-gateway.ts';
import type { StreamGateway } from './stream-gateway.ts';
import type { TalkGateway } from './talk-gateway.ts';

/**
 * The town as its HTTP application sees it: commands validate and change state in one durable commit, facts are
 * recorded and decided later, queries read committed state. One implementation per host; all of it throws `TownError`.
 */
export interface TownGateway {
  readonly id: string;
  readonly name: string;
  /** Mail, nudges, questions, escalations of agents, lifecycle requests. */
  readonly talk: TalkGateway;
  /** Budgets, costs, quota. */
  readonly money: MoneyGateway;
  readonly mayor: MayorGateway;
  /** The registry of runners. */
  readonly runners: RunnerGateway;
  /** The journals as the live stream reads them. */
  readonly stream: StreamGateway;

  /** Registers a rig, or updates its settings when `config` differs. Errors: `rig_exists`, `prefix_taken`, `prefix_reused`. */
  addRig(config: RigConfig, caller: Caller): Promise<RigSummary>;
  /** Asked with `go_on` until it says `removed`. Errors: `rig_has_work` (without `drain`), `rig_not_parked`, `drain_ended`. */
  removeRig(name: RigName, drain: RigDrain, caller: Caller): Promise<RigRemoval>;
  /** Errors: `unknown_target`, `train_not_paused`. */
  rigCommand(name: RigName, command: RigCommand, caller: Caller): Promise<RigSummary>;
  listRigs(): Promise<readonly RigSummary[]>;

  createBead(input: CreateBead, caller: Caller): Promise<BeadSummary>;
  beadCommand(command: BeadCommand, caller: Caller): Promise<BeadSummary>;
  listBeads(filter: BeadFilter): Promise<Page<BeadSummary>>;
  getBead(id: BeadId): Promise<BeadDetail>;

  /** Waits up to `CONVOY_CREATE_WAIT_MS` for the rigs' acknowledgements, so that the answer names its beads. */
  createConvoy(input: CreateConvoy, caller: Caller): Promise<ConvoyDetail>;
  startConvoy(id: ConvoyId, caller: Caller): Promise<ConvoyDetail>;
  /** Errors: `convoy_ended`, `convoy_creating`, `convoy_landing`, `beads_refused`, those of a plan. */
  changeConvoy(id: ConvoyId, change: ConvoyChange, caller: Caller): Promise<ConvoyDetail>;
  listConvoys(limit: number, after?: string): Promise<Page<Convoy>>;
  getConvoy(id: ConvoyId): Promise<ConvoyDetail>;

  listAgents(rig?: RigName): Promise<readonly AgentSummary[]>;
  /** Accepts an identity, a bare name that is unique in the town, or an attempt id. */
  findAgent(name: string): Promise<AgentSummary>;
  listQueue(rig?: RigName): Promise<readonly QueueEntry[]>;
  listEscalations(openOnly: boolean): Promise<readonly EscalationSummary[]>;
  /** Errors: `escalation_not_found`, `escalation_resolved`, `no_such_option`, those of the option that is applied. */
  commandEscalation(id: EscalationId, command: EscalationCommand, caller: Caller): Promise<EscalationSummary>;
  /** What the watchdog knows; cheap. */
  health(): Promise<readonly Health[]>;
  status(): Promise<TownStatus>;
  /** What needs a person, worst first. */
  attention(): Promise<readonly AttentionItem[]>;
  /** Journal of all actors, oldest first within each. */
  feed(cursor: string | null, limit: number): Promise<FeedPage>;
  /** The newest entries since a moment, oldest of them first; the cursor goes on behind them. */
  feedTail(sinceMs: number, limit: number): Promise<FeedPage>;
  /** Of a bead, merge request, convoy, escalation, mail, rig, `runner`, agent, attempt, or (`_`) the whole town. */
  why(id: string): Promise<Why>;

  /** Throws `superseded` (conflict) when the attempt is not the live one of its bead and epoch. */
  checkCapability(capability: Capability): Promise<void>;
  hook(capability: Capability): Promise<HookView>;
  checkpoint(capability: Capability, json: string): Promise<void>;

  /**
   * Records facts of a runner durably; answers the keys that are safe to forget. What a runner says of an attempt that
   * another one has changes nothing.
   */
  recordFacts(facts: readonly Fact[], runner?: string): Promise<readonly string[]>;
  /** `rig` is `MAYOR_SCOPE` for a session of the mayor. */
  confirmStart(start: {
    readonly rig: RigName | typeof MAYOR_SCOPE;
    readonly attempt: AttemptId;
    readonly epoch: number;
    readonly runner: string;
  }): Promise<boolean>;
  verdict(rig: RigName, attempt: AttemptId, epoch: number, waitMs: number): Promise<Verdict>;
}
