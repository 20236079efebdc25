import type { RigToTown } from '../../core/messages.ts';
import type { BeadCommand, Caller, CreateBead, RigCommand, RigConfig, SlingBead } from '../../core/commands.ts';
import { must, unreachable } from '../../core/assert.ts';
import { conflict, notFound, precondition, usage } from '../../core/errors.ts';
import { refuseStale, versionTag } from '../../core/etag.ts';
import { BLOCKERS_MAX, CHECKPOINT_BYTES_MAX } from '../../core/limits.ts';
import { isTerminal, sourceOf, type Bead } from '../../core/model/bead.ts';
import { prefixOf, type AgentId, type BeadId } from '../../core/model/ids.ts';
import { parsePolecat } from '../../core/model/polecat.ts';
import { engineOf } from '../../core/quota.ts';
import { breakerCause } from '../../core/rules/dispatch-breaker.ts';
import { checkRuntime } from '../../core/runtimes.ts';
import { beadRef, SCHEDULE } from '../../core/refs.ts';
import { utf8Length } from '../../core/text.ts';
import type { ReviewFacts } from '../../core/view.ts';
import { mayHaveLanded } from '../../core/model/review.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { moneyWriter } from './rig-budgets.ts';
import { cancelLater } from './cancel-later.ts';
import type { RigContext } from './rig-context.ts';
import { reopen } from './reopen.ts';
import { attachFormula } from './rig-molecules.ts';
import { reassign } from './reassign.ts';
import { approve, landingIsOfConvoy, requestChanges, unsling, update } from './review-commands.ts';
import { followStrategy, tryClaimNow, tryStepNow } from './try-now.ts';
import { tryPullNow } from './pull-steps.ts';
import { drain } from './drain.ts';
import { trainCommand, tryRedNow } from './train-commands.ts';
import { addLocalBlocker } from './local-blocker.ts';

type CloseCommand = Extract<BeadCommand, { readonly type: 'close' }>;

/** Error `in_review`: there are changes, and nothing has begun that git has to decide. */
function refuseChanges(bead: Bead, review: ReviewFacts | null): void {
  if (bead.status === 'in_review' && (review === null || !mayHaveLanded(review)))
    throw precondition(
      'in_review',
      `${bead.id} has changes in review.`,
      `Cancel it with "gt bead close ${bead.id}", or let it merge.`,
    );
}

/** What people and agents ask of a rig: validate, change in one transaction, answer with the bead's id. */
export class RigCommands {
  readonly #rig: RigContext;

  constructor(rig: RigContext) {
    this.#rig = rig;
  }

  createBead(turn: Turn, input: CreateBead, caller: Caller): BeadId {
    const writer = this.#rig.writer(turn);
    const config = this.#rig.view.config();
    if (input.dependsOn.length > BLOCKERS_MAX)
      throw usage(
        'too_many_blockers',
        `A bead waits for at most ${String(BLOCKERS_MAX)} others.`,
        'Chain them, or use a convoy.',
        'depends_on',
      );
    const local = input.dependsOn.filter((id) => prefixOf(id) === config.prefix);
    const missing = local.find((id) => !writer.beadExists(id));
    if (missing !== undefined) throw notFound('bead', missing);
    checkRuntime(input.runtime, config);
    const pinnedAgent = input.pinnedAgent === null ? null : parsePolecat(config.name, input.pinnedAgent);
    const id = this.#rig.mintBead(writer);
    writer.insertBead({
      id,
      type: 'issue',
      kind: 'task',
      title: input.title,
      body: input.body,
      origin: caller.origin,
      priority: input.priority,
      hold: input.sling ? null : 'staged',
      holdReason: input.sling ? null : 'recorded, not slung yet',
      parentId: input.parentId,
      branchOf: null,
      convoyId: null,
      convoyPosition: null,
      targetBranch: input.targetBranch ?? config.targetBranch,
      runtime: input.runtime,
      model: input.model,
      pinnedAgent,
      createdBy: caller.actor,
    });
    turn.journal({
      entity: beadRef(id),
      action: 'create_bead',
      rule: 'command',
      reason: `by ${caller.actor}`,
      to: 'open',
    });
    if (input.formula) this.#rig.view.molecules.attach(id, input.formula, turn.nowMs);
    for (const blocker of input.dependsOn) {
      if (prefixOf(blocker) === config.prefix) addLocalBlocker(this.#rig, turn, writer, { bead: id, blocker });
      else {
        writer.blockers.add(id, blocker, 'remote', 'open');
        turn.send<RigToTown>('town', this.#rig.address, { type: 'remote_blocker', blocker, bead: id });
      }
    }
    return id;
  }

  beadCommand(turn: Turn, command: BeadCommand, caller: Caller): BeadId {
    const id = command.type === 'sling' ? command.sling.bead : command.bead;
    const bead = this.#rig.bead(turn, id);
    if (bead === null) throw notFound('bead', id);
    refuseStale(caller, id, versionTag(bead));
    // Its row stays ended; a successor goes on, and its id is the answer.
    if (command.type === 'reopen') return reopen(this.#rig, turn, bead, caller);
    this.#apply(turn, bead, command, caller);
    turn.journal({
      entity: beadRef(id),
      action: `command_${command.type}`,
      rule: 'command',
      reason: `by ${caller.actor}`,
    });
    return id;
  }

  #apply(turn: Turn, bead: Bead, command: Exclude<BeadCommand, { readonly type: 'reopen' }>, caller: Caller): void {
    const writer = this.#rig.writer(turn);
    switch (command.type) {
      case 'sling':
        this.#sling(turn, writer, bead, command.sling);
        return;
      case 'close':
        this.#close(turn, writer, bead, { ...command, by: caller.actor });
        return;
      case 'hold':
        this.#hold(writer, bead, command.note);
        return;
      case 'release':
        this.#release(turn, writer, bead);
        return;
      case 'retry':
        this.#retry(turn, writer, bead);
        return;
      case 'unsling':
        unsling(this.#rig, turn, bead);
        return;
      case 'attach_formula':
        attachFormula(this.#rig, turn, bead, command.formula);
        return;
      case 'reassign':
        reassign(this.#rig, turn, bead, { agent: command.agent, by: caller.actor });
        return;
      case 'update':
        update(this.#rig, turn, bead, command.changes);
        return;
      case 'request_changes':
        requestChanges(this.#rig, turn, bead, { command, caller });
        return;
      case 'approve':
        approve(this.#rig, turn, bead, { by: caller.actor, comment: command.comment });
        return;
      default:
        unreachable(command, 'command');
    }
  }

  /** Slinging a bead that runs already changes nothing: the answer is its state. Errors: `bead_started`, when it asks for more. */
  #sling(turn: Turn, writer: RigWriter, bead: Bead, sling: SlingBead): void {
    if (bead.type !== 'issue')
      throw usage(
        'not_a_task',
        `${bead.id} is a merge request; the train takes care of it.`,
        `Look at it with "gt mq".`,
        'bead',
      );
    if (isTerminal(bead.status))
      throw conflict(
        'bead_ended',
        `${bead.id} has ended (${bead.closeReason ?? bead.status}).`,
        'Create a new bead for more work.',
      );
    const config = this.#rig.view.config();
    const pinned = sling.pinnedAgent === null ? bead.pinnedAgent : parsePolecat(config.name, sling.pinnedAgent);
    if (bead.status !== 'open') {
      refuseOther(bead, { runtime: sling.runtime, model: sling.model, pinned }, config);
      return;
    }
    if (bead.convoyId !== null && bead.hold === 'staged') {
      throw precondition(
        'convoy_not_started',
        `${bead.id} belongs to the convoy ${bead.convoyId}, which has not started.`,
        `Start all of it with "gt convoy start ${bead.convoyId}".`,
      );
    }
    checkRuntime(sling.runtime ?? bead.runtime, config);
    writer.updateBead(bead.id, {
      ...(bead.hold === 'staged' ? { hold: null, hold_reason: null } : {}),
      runtime: sling.runtime ?? bead.runtime,
      model: sling.model ?? bead.model,
      pinned_agent: pinned,
    });
    turn.dirty(beadRef(bead.id));
  }

  /** What may have landed already waits for that to be known; anything else ends in this transaction. */
  #close(turn: Turn, writer: RigWriter, bead: Bead, command: CloseCommand & { readonly by: string }): void {
    if (bead.kind === 'landing') throw landingIsOfConvoy(bead);
    if (bead.type !== 'issue' || bead.branchOf !== null) {
      throw usage(
        'not_a_task',
        `${bead.id} belongs to ${bead.branchOf ?? bead.parentId ?? 'another bead'}.`,
        'Close that bead instead.',
        'bead',
      );
    }
    if (isTerminal(bead.status))
      throw conflict(
        'bead_ended',
        `${bead.id} has ended already (${bead.closeReason ?? bead.status}).`,
        'Nothing needs to be done.',
      );
    const review = this.#rig.view.reviewOf(bead.id);
    if (command.reason === 'no_change') refuseChanges(bead, review);
    const evidence = { note: command.note, by: command.by };
    if (review !== null && cancelLater(this.#rig, turn, writer, { bead, review, evidence })) return;
    writer.transitionBead(bead, 'closed', { closeReason: command.reason, evidence });
  }

  #hold(writer: RigWriter, bead: Bead, note: string): void {
    if (isTerminal(bead.status))
      throw conflict(
        'bead_ended',
        `${bead.id} has ended (${bead.closeReason ?? bead.status}).`,
        'Nothing needs to be held.',
      );
    if (bead.status !== 'open')
      throw precondition(
        'not_open',
        `${bead.id} is ${bead.status === 'in_progress' ? 'running' : 'in review'}; only waiting beads can be held.`,
        `"gt bead close ${bead.id}" ends it; what was done is kept.`,
      );
    if (bead.hold === 'staged')
      throw precondition(
        'not_slung',
        `${bead.id} does not run: it was not slung or started yet.`,
        'Leave it as it is.',
      );
    writer.updateBead(bead.id, { hold: 'held', hold_reason: note });
  }

  #release(turn: Turn, writer: RigWriter, bead: Bead): void {
    if (isTerminal(bead.status))
      throw conflict(
        'bead_ended',
        `${bead.id} has ended (${bead.closeReason ?? bead.status}).`,
        'Create a new bead for more work.',
      );
    if (bead.hold === null)
      throw precondition('not_held', `${bead.id} is not held.`, `See what it waits for with "gt why ${bead.id}".`);
    if (bead.hold === 'staged' && bead.convoyId !== null) {
      throw precondition(
        'convoy_not_started',
        `${bead.id} waits for its convoy ${bead.convoyId}.`,
        `Start all of it with "gt convoy start ${bead.convoyId}".`,
      );
    }
    writer.updateBead(bead.id, { hold: null, hold_reason: null });
    // One that was held because its rework came to nothing would wait for a rework that nobody does.
    const review = bead.type === 'merge_request' ? this.#rig.view.review(bead.id) : null;
    if (review !== null) this.#requeue(turn, writer, review);
  }

  /** A person's answer to "try again?": the count starts over, the bead and its merge request go back in line. */
  #retry(turn: Turn, writer: RigWriter, bead: Bead): void {
    if (isTerminal(bead.status))
      throw conflict(
        'bead_ended',
        `${bead.id} has ended (${bead.closeReason ?? bead.status}); an end is final.`,
        `"gt bead reopen ${bead.id}" makes a new bead with the same text.`,
      );
    writer.updateBead(bead.id, {
      failures: 0,
      start_failures: 0,
      last_signature: null,
      not_before: 0,
      hold: bead.hold === 'staged' ? 'staged' : null,
      hold_reason: bead.hold === 'staged' ? bead.holdReason : null,
    });
    const review =
      bead.type === 'merge_request' ? this.#rig.view.review(bead.id) : this.#rig.view.reviewOf(sourceOf(bead));
    for (const id of new Set([bead.id, sourceOf(bead), review?.beadId ?? bead.id])) {
      if (this.#rig.view.bead(id)?.escalated !== true) continue;
      writer.markEscalated(id, false);
      turn.send<RigToTown>('town', this.#rig.address, { type: 'escalation_resolved', causeKey: `bead:${id}` });
    }
    this.#closeBreakers(turn, writer);
    moneyWriter(this.#rig, turn).openQuota(engineOf(bead, this.#rig.view.config()).quotaScope, turn.nowMs);
    tryClaimNow(this.#rig, turn, bead);
    if (review === null) return;
    this.#requeue(turn, writer, review);
    tryRedNow(this.#rig, turn, review.targetBranch);
  }

  /** Retry: a person says that what was broken is mended; every breaker of the rig closes, also without a bead to try. */
  rigCommand(turn: Turn, command: RigCommand, caller: Caller): void {
    if (command.type === 'drain') {
      drain(this.#rig, turn, caller);
      return;
    }
    if (command.type !== 'retry') {
      trainCommand(this.#rig, turn, command, caller);
      return;
    }
    this.#closeBreakers(turn, this.#rig.writer(turn));
    turn.dirty(SCHEDULE);
    turn.journal({ entity: SCHEDULE, action: 'retry_rig', rule: 'command', reason: `by ${caller.actor}` });
  }

  /** A person says "now": the wait of every breaker is over as well, and they count anew. */
  #closeBreakers(turn: Turn, writer: RigWriter): void {
    for (const { scope, escalated } of this.#rig.view.breakers()) {
      if (!writer.resetBreaker(scope) || !escalated) continue;
      turn.send<RigToTown>('town', this.#rig.address, {
        type: 'escalation_resolved',
        causeKey: breakerCause(this.#rig.view, scope),
      });
    }
  }

  #requeue(turn: Turn, writer: RigWriter, review: ReviewFacts): void {
    const mergeRequest = must(this.#rig.view.bead(review.beadId), 'a merge request has its bead');
    if (isTerminal(mergeRequest.status)) return;
    if (mergeRequest.hold !== null) writer.updateBead(mergeRequest.id, { hold: null, hold_reason: null });
    tryPullNow(this.#rig, turn, writer, review);
    tryStepNow(this.#rig, turn, writer, review);
    followStrategy(this.#rig, writer, review);
    if (review.step !== 'reworking' || this.#rig.view.openReworks(review.beadId).length > 0) return;
    for (const blocker of this.#rig.view.blockers(review.beadId)) {
      if (blocker.state === 'failed') writer.blockers.forgive(review.beadId, blocker.blockerRef);
    }
    writer.stepReview(review.beadId, {
      from: 'reworking',
      to: 'queued',
      stepKey: null,
      columns: { rounds: 0, races: 0, gate_signature: null, gate_kills: 0, held_reason: null, queued_at: turn.nowMs },
    });
  }

  checkpoint(turn: Turn, agent: AgentId, json: string): void {
    const bytes = utf8Length(json);
    if (bytes > CHECKPOINT_BYTES_MAX)
      throw usage(
        'checkpoint_too_large',
        `The checkpoint has ${String(bytes)} bytes; ${String(CHECKPOINT_BYTES_MAX)} are the most.`,
        'Keep notes in files of the branch, and only where you are in the checkpoint.',
        'checkpoint',
      );
    this.#rig.writer(turn).updateAgent(agent, { checkpoint: json });
  }
}

/** What a bead is started with is chosen before it starts; a choice that comes later would be lost without a word. */
function refuseOther(
  bead: Bead,
  asked: { readonly runtime: string | null; readonly model: string | null; readonly pinned: string | null },
  config: RigConfig,
): void {
  const has = engineOf(bead, config);
  const isSame =
    (asked.runtime ?? has.runtime) === has.runtime &&
    (asked.model ?? has.model) === has.model &&
    asked.pinned === bead.pinnedAgent;
  if (isSame) return;
  const isRunning = bead.status === 'in_progress';
  throw conflict(
    'bead_started',
    `${bead.id} is ${isRunning ? 'running' : 'in review'}; its runtime, model and agent are chosen before it starts. Nothing was changed.`,
    isRunning ? `To another agent: "gt bead reassign ${bead.id} <agent>".` : `See where it is: "gt why ${bead.id}".`,
  );
}
