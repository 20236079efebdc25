import type { ConvoyTaskMessage } from '../../core/messages.ts';
import type { Caller, ConvoyPlan, CreateConvoy, UpdateConvoy } from '../../core/commands.ts';
import { conflict, notFound, precondition, TownError } from '../../core/errors.ts';
import { convoyBeadRef, isConvoyEnded, type Convoy, type ConvoyBead } from '../../core/model/convoy.ts';
import { prefixOf, trusted, type BeadId, type ConvoyId } from '../../core/model/ids.ts';
import { convoyRef } from '../../core/refs.ts';
import type { ConvoyWriter } from '../../store/convoy-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { featureBranchName } from '../../core/model/feature.ts';
import { checkLandingOrder, checkPlan } from './convoy-plan.ts';
import type { TownContext } from './town-context.ts';

/** Where the beads of a plan go: the convoy, their batch, and their first position in it. */
interface Place {
  readonly convoy: ConvoyId;
  readonly batch: number;
  readonly first: number;
}

/** What people ask of convoys: validate, change in one transaction, answer. A convoy that has ended takes no change. */
export class ConvoyCommands {
  readonly #town: TownContext;

  constructor(town: TownContext) {
    this.#town = town;
  }

  /** Validates the whole plan first; a convoy exists completely or not at all, and no bead runs before it is started. */
  create(turn: Turn, input: CreateConvoy, caller: Caller): ConvoyId {
    checkPlan(this.#town.view, input, 0);
    const landingOrder = checkLandingOrder(input.mergeMode, input.landingOrder ?? [], this.#rigsOf(input));
    const id = trusted.convoy(this.#town.mint('cv'));
    this.#town.convoys(turn).insert({
      id,
      title: input.title,
      mergeMode: input.mergeMode,
      onFailure: input.onFailure,
      startWhenReady: !input.staged,
      featureBranch: input.mergeMode === 'review-then-land' ? featureBranchName(id) : null,
      landingOrder,
      createdBy: caller.actor,
    });
    const total = this.#place(turn, { convoy: id, batch: 0, first: 0 }, input, caller);
    this.#account(turn, id, { action: 'create_convoy', reason: `by ${caller.actor}, ${String(total)} beads` });
    return id;
  }

  start(turn: Turn, id: ConvoyId, caller: Caller): ConvoyId {
    const convoy = this.#live(id);
    if (convoy.status !== 'creating' && convoy.status !== 'staged') return id;
    this.#town.convoys(turn).startWhenReady(id);
    this.#account(turn, id, { action: 'start_convoy', reason: `by ${caller.actor}` });
    return id;
  }

  /** Answers the number of the addition; its rigs are asked, and take all of it or none. */
  add(turn: Turn, id: ConvoyId, plan: ConvoyPlan, caller: Caller): string {
    const convoy = this.#settled(id);
    const known = new Set(this.#town.view.convoyBeads(id).map((bead) => bead.beadId));
    const twice = plan.beads.find((bead) => known.has(bead));
    if (twice !== undefined)
      throw conflict('already_in_convoy', `${twice} is in the convoy ${id} already.`, 'Leave it out.');
    checkPlan(this.#town.view, plan, convoy.totalBeads);
    const writer = this.#town.convoys(turn);
    const first = writer.nextPosition(id);
    const batch = writer.insertAddition(id, first, plan.tasks.length + plan.beads.length, caller.actor);
    const total = this.#place(turn, { convoy: id, batch, first }, plan, caller);
    this.#account(turn, id, { action: 'add_to_convoy', reason: `by ${caller.actor}, ${String(total)} beads` });
    return String(batch);
  }

  /** Takes beads out. They go on by themselves; a bead that was merged stays part of the account. */
  remove(turn: Turn, id: ConvoyId, beads: readonly BeadId[], caller: Caller): ConvoyId {
    this.#settled(id);
    const rows = this.#town.view.convoyBeads(id);
    const leaving = [...new Set(beads)].map((bead) => this.#removable(id, bead, rows));
    if (leaving.length === rows.length)
      throw precondition(
        'convoy_would_be_empty',
        `${id} would have no bead left.`,
        `End it with "gt convoy close ${id}".`,
      );
    this.#town.convoys(turn).dropBeads(
      id,
      leaving.map((row) => row.position),
    );
    this.#tellNames(turn, id, rows);
    for (const rig of new Set(leaving.map((row) => row.rig)))
      this.#town.tell(turn, rig, {
        type: 'leave_convoy',
        convoy: id,
        positions: leaving.filter((row) => row.rig === rig).map((row) => row.position),
        cancel: false,
        reason: `taken out of the convoy by ${caller.actor}`,
      });
    this.#account(turn, id, {
      action: 'remove_from_convoy',
      reason: `by ${caller.actor}: ${leaving.map((row) => row.beadId ?? row.title).join(', ')}`,
    });
    return id;
  }

  /** Once a bead is out of the plan its place means nothing: who waits for it across rigs has to know its id before. */
  #tellNames(turn: Turn, id: ConvoyId, rows: readonly ConvoyBead[]): void {
    const rigs = new Set(rows.map((row) => row.rig));
    if (rigs.size < 2) return;
    const names = rows.flatMap((row) =>
      row.beadId === null ? [] : [{ ref: convoyBeadRef(id, row.position), bead: row.beadId }],
    );
    const skip = this.#live(id).onFailure === 'skip';
    for (const rig of rigs)
      this.#town.tell(turn, rig, { type: 'start_convoy', convoy: id, names, positions: [], skip });
  }

  #removable(id: ConvoyId, bead: BeadId, rows: readonly ConvoyBead[]): ConvoyBead {
    const row = rows.find((entry) => entry.beadId === bead);
    if (row === undefined) throw notFound('bead', bead);
    if (row.status === 'closed')
      throw precondition(
        'bead_done',
        `${bead} has ended well (${row.closeReason ?? row.status}); it is part of what the convoy ${id} did.`,
        'Leave it in.',
      );
    if (row.status === 'creating') throw stillCreating(id);
    const convoy = this.#live(id);
    if (convoy.mergeMode === 'review-then-land' && row.started && row.status === 'live')
      throw precondition(
        'bead_started',
        `${bead} runs for the feature branch of ${id}; taken out, it would land nowhere.`,
        `End it with "gt bead close ${bead}", then take it out.`,
      );
    return row;
  }

  update(turn: Turn, id: ConvoyId, change: UpdateConvoy, caller: Caller): ConvoyId {
    const convoy = this.#live(id);
    const onFailure = change.onFailure ?? convoy.onFailure;
    const title = change.title ?? convoy.title;
    const rows = this.#town.view.convoyBeads(id);
    const landingOrder =
      change.landingOrder === undefined
        ? convoy.landingOrder
        : checkLandingOrder(convoy.mergeMode, change.landingOrder, new Set(rows.map((row) => row.rig)));
    const isSame = onFailure === convoy.onFailure && landingOrder.join() === convoy.landingOrder.join();
    if (isSame && title === convoy.title) return id;
    if (!isSame && convoy.status === 'ready_to_land') throw isLanding(id);
    this.#town.convoys(turn).update(id, { title, onFailure, landingOrder });
    if ((onFailure === 'skip') !== (convoy.onFailure === 'skip'))
      for (const rig of new Set(rows.map((row) => row.rig)))
        this.#town.tell(turn, rig, { type: 'convoy_policy', convoy: id, skip: onFailure === 'skip' });
    this.#account(turn, id, {
      action: 'update_convoy',
      reason: `by ${caller.actor}: on_failure ${onFailure}${title === convoy.title ? '' : ', new title'}`,
    });
    return id;
  }

  /** Ends a convoy: what has not ended is cancelled, what was merged stays merged. */
  close(turn: Turn, id: ConvoyId, note: string, caller: Caller): ConvoyId {
    const convoy = this.#live(id);
    const reason = note === '' ? `closed by ${caller.actor}` : `closed by ${caller.actor}: ${note}`;
    const writer = this.#town.convoys(turn);
    writer.transition(convoy, 'cancelled', reason);
    const rows = this.#town.view.convoyBeads(id);
    for (const rig of new Set(rows.map((row) => row.rig)))
      this.#town.tell(turn, rig, { type: 'cancel_convoy', convoy: id, reason, scope: 'live' });
    this.#town.resolve(turn, `convoy:${id}`);
    this.#account(turn, id, { action: 'close_convoy', reason, from: convoy.status, to: 'cancelled' });
    return id;
  }

  #live(id: ConvoyId): Convoy {
    const convoy = this.#town.view.convoy(id);
    if (convoy === null) throw notFound('convoy', id);
    if (isConvoyEnded(convoy.status))
      throw conflict(
        'convoy_ended',
        `The convoy ${id} has ended (${convoy.status}), and an end is final.`,
        'Create a new convoy for more work.',
      );
    return convoy;
  }

  /** Live, and its own creation is over. */
  #settled(id: ConvoyId): Convoy {
    const convoy = this.#live(id);
    if (convoy.status === 'creating') throw stillCreating(id);
    if (convoy.status === 'ready_to_land') throw isLanding(id);
    return convoy;
  }

  #account(
    turn: Turn,
    id: ConvoyId,
    row: { readonly action: string; readonly reason: string; readonly from?: string; readonly to?: string },
  ): void {
    turn.journal({ entity: convoyRef(id), rule: 'command', ...row });
    turn.dirty(convoyRef(id));
  }

  /** Writes the rows of a plan and sends it to its rigs. Answers how many beads it has. */
  #place(turn: Turn, place: Place, plan: ConvoyPlan, caller: Caller): number {
    const writer = this.#town.convoys(turn);
    this.#placeTasks(turn, writer, { place, plan, caller });
    this.#adopt(turn, writer, { place, plan });
    writer.recount(place.convoy);
    return plan.tasks.length + plan.beads.length;
  }

  #placeTasks(
    turn: Turn,
    writer: ConvoyWriter,
    { place, plan, caller }: { readonly place: Place; readonly plan: ConvoyPlan; readonly caller: Caller },
  ): void {
    const byRig = new Map<string, ConvoyTaskMessage[]>();
    for (const [index, task] of plan.tasks.entries()) {
      const position = place.first + index;
      const numbers = task.dependsOn.filter((dependency): dependency is number => typeof dependency === 'number');
      const beads = task.dependsOn.filter((dependency): dependency is BeadId => typeof dependency !== 'number');
      const inRig = (other: number): boolean => plan.tasks[other]?.rig === task.rig;
      const remote = [
        ...numbers.filter((other) => !inRig(other)).map((other) => convoyBeadRef(place.convoy, place.first + other)),
        ...beads.filter((bead) => this.#rigOf(bead) !== task.rig),
      ];
      writer.insertBead({
        ...place,
        position,
        rig: task.rig,
        bead: null,
        title: task.title,
        dependsOn: numbers.map((other) => place.first + other),
      });
      for (const ref of remote) this.#town.waitFor(turn, ref, task.rig);
      const message: ConvoyTaskMessage = {
        position,
        title: task.title,
        body: task.body,
        priority: task.priority,
        runtime: task.runtime,
        model: task.model,
        localDeps: numbers.filter(inRig).map((other) => place.first + other),
        localBeads: beads.filter((bead) => this.#rigOf(bead) === task.rig),
        remoteDeps: remote,
      };
      byRig.set(task.rig, [...(byRig.get(task.rig) ?? []), message]);
    }
    const feature = this.#town.view.convoy(place.convoy)?.featureBranch ?? null;
    for (const [rig, tasks] of byRig)
      this.#town.tell(turn, rig, {
        type: 'create_convoy_beads',
        convoy: place.convoy,
        createdBy: caller.actor,
        origin: caller.origin,
        tasks,
        feature,
      });
  }

  #rigsOf(plan: ConvoyPlan): ReadonlySet<string> {
    const rigs = [...plan.tasks.map((task) => task.rig), ...plan.beads.map((bead) => this.#rigOf(bead) ?? '')];
    return new Set(rigs);
  }

  #rigOf(bead: BeadId): string | undefined {
    return this.#town.view.rigByPrefix(prefixOf(bead))?.name;
  }

  #adopt(
    turn: Turn,
    writer: ConvoyWriter,
    { place, plan }: { readonly place: Place; readonly plan: ConvoyPlan },
  ): void {
    const byRig = new Map<string, { position: number; bead: string }[]>();
    for (const [index, bead] of plan.beads.entries()) {
      const position = place.first + plan.tasks.length + index;
      const rig = this.#rigOf(bead);
      if (rig === undefined) throw notFound('bead', bead);
      writer.insertBead({ ...place, position, rig, bead, title: bead, dependsOn: [] });
      byRig.set(rig, [...(byRig.get(rig) ?? []), { position, bead }]);
    }
    const feature = this.#town.view.convoy(place.convoy)?.featureBranch ?? null;
    for (const [rig, beads] of byRig) {
      const ended = this.#town.view.givenUpConvoysOf(beads.map((row) => row.bead));
      this.#town.tell(turn, rig, { type: 'adopt_beads', convoy: place.convoy, beads, feature, ended });
    }
  }
}

const isLanding = (id: ConvoyId): TownError =>
  conflict('convoy_landing', `The convoy ${id} is landing.`, 'Create a new convoy for more work.');

const stillCreating = (id: ConvoyId): TownError =>
  new TownError('busy', 'convoy_creating', {
    message: `The rigs of ${id} have not all answered yet.`,
    next: 'Try again in a moment.',
  });
