import { rigFindings, type RigAttentionView, type RigFindings } from '../../core/attention.ts';
import type { BeadCommand, Caller, CreateBead, RigCommand, RigConfig } from '../../core/commands.ts';
import type { NudgeMode } from '../../core/actions.ts';
import { notFound } from '../../core/errors.ts';
import { refuseStale, versionTag } from '../../core/etag.ts';
import type { Fact, Verdict } from '../../core/facts.ts';
import { checkRig, type Violation } from '../../core/invariants.ts';
import { MAILBOX_UNREAD_MAX } from '../../core/limits.ts';
import { mailDigest } from '../../core/mail-digest.ts';
import { trusted, type AgentId, type AttemptId, type BeadId, type MailId } from '../../core/model/ids.ts';
import type { RigHealth } from '../../core/model/health.ts';
import type { LifecycleRequest } from '../../core/model/lifecycle.ts';
import type { Mail, NewMail } from '../../core/model/mail.ts';
import type { Molecule } from '../../core/model/molecule.ts';
import type { Nudge } from '../../core/model/nudge.ts';
import type { CostFilter, CostGroup } from '../../core/money.ts';
import type { AttemptFilter, AttemptPlace } from '../../core/model/attempt-filter.ts';
import type { BeadSummary, HookView, RestItem, RigSummary } from '../../core/queries.ts';
import { fingerprint } from '../../core/text.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { newestAttempts } from '../../store/attempt-queries.ts';
import { costGroups, mergedCount } from '../../store/cost-queries.ts';
import { readRigHealth } from '../../store/health-store.ts';
import { readInvariantFacts } from '../../store/invariant-facts.ts';
import { KernelStore, type NewEvent, type OutboxRow } from '../../store/kernel-store.ts';
import { RigQueries } from '../../store/rig-queries.ts';
import type { SqlRigView } from '../../store/rig-view.ts';
import { Actor } from '../kernel/actor.ts';
import type { Envelope, Receipt } from '../kernel/envelope.ts';
import type { EffectOutcome } from '../kernel/program.ts';
import { LiveTape, type Tape } from '../kernel/tape.ts';
import { RigCommands } from './rig-commands.ts';
import { RigContext } from './rig-context.ts';
import { agentPrompt } from './agent-prompt.ts';
import { followUp, nudgeNeighbour, type FollowUp } from './own-work.ts';
import { advance, type StepReport } from './rig-molecules.ts';
import { RigProgram } from './rig-program.ts';
import { RigTalk, type Problem } from './rig-talk.ts';
import { rigVerdict } from './rig-verdict.ts';

export interface RigActorOptions {
  readonly address: string;
  readonly town: string;
  readonly ports: HostPorts;
  readonly sql: Sql;
  readonly createdAtMs: number;
  readonly deliver: (row: OutboxRow) => Promise<EffectOutcome>;
  /** For a replay; without it the actor's own chance is recorded. */
  readonly tape?: Tape;
}

/** One rig: its actor, and what may be asked of it. */
export class RigActor {
  readonly actor: Actor;
  readonly queries: RigQueries;
  readonly kernel: KernelStore;
  readonly address: string;
  readonly #rig: RigContext;
  readonly #program: RigProgram;
  readonly #commands: RigCommands;
  readonly #talk: RigTalk;
  readonly #createdAtMs: number;

  constructor(options: RigActorOptions) {
    this.address = options.address;
    this.#createdAtMs = options.createdAtMs;
    const tape = options.tape ?? new LiveTape(options.ports.random);
    this.#rig = new RigContext({ ...options, ports: { ...options.ports, random: tape } });
    this.#program = new RigProgram(this.#rig, options.deliver);
    this.#commands = new RigCommands(this.#rig);
    this.#talk = new RigTalk(this.#rig);
    this.kernel = new KernelStore(options.sql);
    this.queries = new RigQueries(options.sql, this.#rig.view);
    this.actor = new Actor({
      address: options.address,
      ports: options.ports,
      sql: options.sql,
      program: this.#program,
      tape,
    });
  }

  get sql(): Sql {
    return this.#rig.sql;
  }

  get name(): string {
    return this.address.slice('rig/'.length);
  }

  get view(): SqlRigView {
    return this.#rig.view;
  }

  configure(config: RigConfig): Promise<void> {
    return this.actor.ask((turn) => {
      this.#program.configure(turn, config);
    });
  }

  receive(envelope: Envelope): Promise<Receipt> {
    return this.actor.receive(envelope);
  }

  /** Answered inside a turn: proof that the loop turns; the turn itself does what is due. */
  health(): Promise<RigHealth> {
    return this.actor.ask((turn) => readRigHealth(this.sql, turn.nowMs));
  }

  runnerChanged(instance: string): Promise<void> {
    return this.actor.ask((turn) => {
      this.#program.runnerChanged(turn, instance);
    });
  }

  async createBead(input: CreateBead, caller: Caller): Promise<BeadId> {
    return trusted.bead(
      await this.actor.command(caller.idempotencyKey, (turn) => this.#commands.createBead(turn, input, caller)),
    );
  }

  async beadCommand(command: BeadCommand, caller: Caller): Promise<BeadId> {
    return trusted.bead(
      await this.actor.command(caller.idempotencyKey, (turn) => this.#commands.beadCommand(turn, command, caller)),
    );
  }

  async rigCommand(command: RigCommand, caller: Caller): Promise<RigSummary> {
    await this.actor.command(caller.idempotencyKey, (turn) => {
      refuseStale(caller, this.name, this.queries.rigTag());
      this.#commands.rigCommand(turn, command, caller);
      return command.type;
    });
    return this.summary();
  }

  /** What a drain of it waits for. */
  draining(): readonly RestItem[] {
    return this.queries.draining(this.#rig.ports.clock.now());
  }

  checkpoint(agent: AgentId, json: string): Promise<void> {
    return this.actor.ask((turn) => {
      this.#commands.checkpoint(turn, agent, json);
    });
  }

  /** Null: it left for another actor. */
  sendMail(isPerson: boolean, mail: NewMail): Promise<Mail | null> {
    return this.actor.ask((turn) => this.#talk.sendMail(turn, mail, isPerson));
  }

  readMail(reader: AgentId, id: MailId): Promise<Mail> {
    return this.actor.ask((turn) => this.#talk.readMail(turn, reader, id));
  }

  deliver(
    to: { readonly agent: AgentId; readonly attempt: AttemptId },
    which: 'all' | 'new',
  ): Promise<readonly Mail[]> {
    return this.actor.ask((turn) => this.#talk.deliver(turn, to.agent, to.attempt, which));
  }

  reportMailbox(agent: string): Promise<void> {
    return this.actor.ask((turn) => {
      this.#talk.reportMailbox(turn, agent);
    });
  }

  nudge(
    agent: AgentId,
    words: { readonly text: string; readonly mode: NudgeMode; readonly from: string },
  ): Promise<Nudge> {
    return this.actor.ask((turn) => this.#talk.nudge(turn, agent, words));
  }

  /** The same words within one session are the same follow-up: an agent repeats what it got no answer to. */
  async followUp(attempt: AttemptId, draft: FollowUp): Promise<BeadId> {
    const words = fingerprint(`${draft.title}\n${draft.body}`);
    return trusted.bead(
      await this.actor.command(`follow-up:${attempt}:${words}`, (turn) =>
        followUp(this.#rig, turn, this.#commands, { attempt, draft }),
      ),
    );
  }

  /** A word of one agent of this rig to another. */
  nudgeNeighbour(said: Parameters<typeof nudgeNeighbour>[3]): Promise<Nudge> {
    return this.actor.ask((turn) => nudgeNeighbour(this.#rig, turn, this.#talk, said));
  }

  /** Waits for the runner's word on a nudge, at most so long. Errors: `nudge_not_found`. */
  async nudged(key: string, waitMs: number): Promise<Nudge> {
    const { nudges } = this.#rig;
    await this.actor.until(() => (nudges.byKey(key)?.state === 'pending' ? null : true), waitMs);
    const nudge = nudges.byKey(key);
    if (nudge === null) throw notFound('nudge', key);
    return nudge;
  }

  ask(attempt: AttemptId, question: string): Promise<number> {
    return this.actor.ask((turn) => this.#talk.ask(turn, attempt, question));
  }

  /** Waits until nobody needs to answer the attempt's question any more, at most so long; false: it still waits. */
  async answered(id: AttemptId, waitMs: number): Promise<boolean> {
    const answered = await this.actor.until(() => {
      const attempt = this.view.attempt(id);
      return attempt === null || attempt.endedAtMs !== null || attempt.question === null ? true : null;
    }, waitMs);
    return answered !== null;
  }

  /** What became of the claim of an attempt; null when that is not decided within `waitMs`. */
  verdict(id: AttemptId, epoch: number, waitMs: number): Promise<Verdict | null> {
    return this.actor.until(() => rigVerdict(this.view.attempt(id), epoch), waitMs);
  }

  /** The same words within one session are the same escalation: an agent repeats what it got no answer to. */
  async escalate(attempt: AttemptId, problem: Problem): Promise<void> {
    const words = fingerprint(`${problem.severity}\n${problem.message}`);
    await this.actor.command(`escalate:${attempt}:${words}`, (turn) => {
      this.#talk.escalate(turn, attempt, problem);
      return 'escalated';
    });
  }

  advance(attempt: AttemptId, report: StepReport): Promise<Molecule> {
    return this.actor.ask((turn) => advance(this.#rig, turn, attempt, report));
  }

  handoff(attempt: AttemptId, note: { readonly subject: string; readonly body: string }): Promise<string> {
    return this.actor.command(`handoff:${attempt}`, (turn) => this.#talk.handoff(turn, attempt, note));
  }

  /** Executed once per key, or per timestamp of the request. */
  lifecycle(request: LifecycleRequest, caller: Pick<Caller, 'idempotencyKey' | 'ifMatch'>): Promise<string> {
    const { idempotencyKey: key } = caller;
    const once = request.timestamp === null ? key : `${request.agent}:${request.action}:${request.timestamp}`;
    return this.actor.command(once === undefined ? undefined : `lifecycle:${once}`, (turn) => {
      const agent = this.view.agent(request.agent);
      refuseStale(caller, request.agent, agent === null ? null : versionTag(agent));
      return this.#talk.lifecycle(turn, request);
    });
  }

  recordFacts(facts: readonly Fact[]): Promise<void> {
    return this.actor.record(facts.map(factEvent));
  }

  tryBeadSummary(id: BeadId): BeadSummary | null {
    return this.queries.find(id, this.#rig.ports.clock.now());
  }

  beadSummary(id: BeadId): BeadSummary {
    const summary = this.tryBeadSummary(id);
    if (summary === null) throw notFound('bead', id);
    return summary;
  }

  /** What needs a person here; `asked` are beads that something else of the town is about. */
  attention(asked: readonly BeadId[]): RigFindings {
    return rigFindings(attentionView(this), asked, this.#rig.ports.clock.now());
  }

  /** What an attempt is to do, with its prompt; null when there is no such attempt. */
  hook(attempt: AttemptId): HookView | null {
    const { view } = this;
    const hook = this.queries.hook(attempt, this.#rig.ports.clock.now());
    if (hook === null) return null;
    const mail = mailDigest(view.mail.unread(hook.agent, MAILBOX_UNREAD_MAX));
    return {
      ...hook,
      prompt: agentPrompt(this.#rig, { ...hook, runtime: view.attempt(attempt)?.runtime ?? '' }, mail),
    };
  }

  costs(filter: CostFilter): { readonly groups: readonly CostGroup[]; readonly merged: number } {
    return { groups: costGroups(this.sql, this.name, filter), merged: mergedCount(this.sql, filter) };
  }

  /** Its attempts, newest first. */
  attempts(filter: AttemptFilter, limit: number): readonly AttemptPlace[] {
    return newestAttempts(this.sql, trusted.rig(this.name), filter, limit);
  }

  violations(): readonly Violation[] {
    return checkRig(readInvariantFacts(this.sql), this.#rig.ports.clock.now());
  }

  summary(): RigSummary {
    return this.queries.rigSummary(this.#createdAtMs, this.#rig.ports.clock.now());
  }
}

/** Facts of one attempt, and of one job, keep their order; others need not wait for them. */
function factEvent(fact: Fact): NewEvent {
  const subject =
    fact.type === 'job_finished'
      ? `job:${fact.jobKey}`
      : `attempt:${fact.type === 'agent_exited' ? fact.exit.attempt : fact.attempt}`;
  return { key: fact.key, type: `fact.${fact.type}`, subject, payload: fact };
}

const attentionView = ({ view, queries }: RigActor): RigAttentionView => ({
  name: view.config().name,
  view,
  blockers: (bead) => view.blockers(bead),
  heldUp: () => queries.heldUp(),
  questions: () => queries.questions(),
  waiting: () => queries.waiting(),
  stoppedTrains: () => queries.stoppedTrains(),
});
