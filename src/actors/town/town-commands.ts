import type { Caller, CreateConvoy, RigConfig } from '../../core/commands.ts';
import type { ConvoyTaskMessage, TownToRig } from '../../core/actions.ts';
import { conflict, notFound, precondition, usage } from '../../core/errors.ts';
import { CONVOY_BEADS_MAX } from '../../core/limits.ts';
import { convoyBeadRef } from '../../core/model/convoy.ts';
import { crockford, prefixOf, TOWN_SUFFIX_LENGTH, trusted, type BeadId, type ConvoyId } from '../../core/model/ids.ts';
import { convoyRef } from '../../core/refs.ts';
import type { Random } from '../../ports/ids.ts';
import type { Sql } from '../../ports/sql.ts';
import type { Turn } from '../kernel/turn.ts';
import { findCycle } from './find-cycle.ts';
import { rigAddress, TOWN_ADDRESS, type TownProgram } from './town-program.ts';

/** What people ask of the town. */
export class TownCommands {
  readonly #sql: Sql;
  readonly #town: TownProgram;
  readonly #random: Random;

  constructor(sql: Sql, town: TownProgram, random: Random) {
    this.#sql = sql;
    this.#town = town;
    this.#random = random;
  }

  /** Registers a rig or updates its settings. A prefix is for life: ids minted with it must never mean another rig. */
  putRig(turn: Turn, config: RigConfig): void {
    const known = this.#town.view.rig(config.name);
    if (known !== null && known.prefix !== config.prefix) {
      throw conflict(
        'prefix_fixed',
        `The rig "${config.name}" has the prefix "${known.prefix}"; a prefix never changes.`,
        `Set prefix = "${known.prefix}" for it.`,
      );
    }
    const other = this.#town.view.rigByPrefix(config.prefix);
    if (other !== null && other.name !== config.name) {
      throw conflict(
        'prefix_taken',
        `The prefix "${config.prefix}" belongs to the rig "${other.name}".`,
        'Choose another with --prefix.',
      );
    }
    this.#sql.all(
      `INSERT INTO rigs (id, name, rig_do_id, git_url, default_branch, prefix, config, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET git_url = excluded.git_url, default_branch = excluded.default_branch, config = excluded.config, version = version + 1
        WHERE config <> excluded.config`,
      config.name,
      config.name,
      rigAddress(config.name),
      config.url,
      config.targetBranch,
      config.prefix,
      JSON.stringify(config),
      turn.nowMs,
    );
  }

  /** Validates the whole plan first; a convoy exists completely or not at all, and no bead runs before it is started. */
  createConvoy(turn: Turn, input: CreateConvoy, caller: Caller): ConvoyId {
    this.#check(input);
    const id = trusted.convoy(`hq-cv-${crockford(this.#random.bytes(TOWN_SUFFIX_LENGTH))}`);
    const total = input.tasks.length + input.beads.length;
    this.#sql.all(
      `INSERT INTO convoys (id, title, status, total_beads, merge_mode, on_failure, start_when_ready, created_by, created_at) VALUES (?, ?, 'creating', ?, ?, ?, ?, ?, ?)`,
      id,
      input.title,
      total,
      input.mergeMode,
      input.onFailure,
      input.staged ? 0 : 1,
      caller.actor,
      turn.nowMs,
    );
    this.#addTasks(turn, id, input, caller);
    this.#adoptBeads(turn, id, input);
    turn.journal({
      entity: convoyRef(id),
      action: 'create_convoy',
      rule: 'command',
      reason: `by ${caller.actor}, ${String(total)} beads`,
      to: 'creating',
    });
    turn.dirty(convoyRef(id));
    return id;
  }

  #check(input: CreateConvoy): void {
    const total = input.tasks.length + input.beads.length;
    if (total === 0)
      throw usage(
        'empty_convoy',
        'A convoy needs at least one bead.',
        'Give tasks in a plan (--file) or beads (--bead).',
        'tasks',
      );
    if (total > CONVOY_BEADS_MAX)
      throw usage(
        'convoy_too_large',
        `A convoy has at most ${String(CONVOY_BEADS_MAX)} beads; this one has ${String(total)}.`,
        'Split it.',
        'tasks',
      );
    if (input.mergeMode !== 'review-and-merge')
      throw precondition(
        'merge_mode_unavailable',
        `The merge mode "${input.mergeMode}" is not in this version.`,
        'Use "review-and-merge".',
      );
    if (input.onFailure !== 'hold')
      throw precondition(
        'on_failure_unavailable',
        `The failure policy "${input.onFailure}" is not in this version.`,
        'Use "hold".',
      );
    for (const task of input.tasks) if (this.#town.view.rig(task.rig) === null) throw notFound('rig', task.rig);
    for (const bead of input.beads)
      if (this.#town.view.rigByPrefix(prefixOf(bead)) === null) throw notFound('bead', bead);
    if (new Set(input.beads).size !== input.beads.length)
      throw usage('duplicate_bead', 'The same bead is named twice.', 'Name each bead once.', 'beads');
    this.#checkEdges(input);
  }

  #checkEdges(input: CreateConvoy): void {
    const edges = input.tasks.map((task, position) =>
      task.dependsOn.map((dependency) => {
        if (typeof dependency !== 'number') {
          if (this.#town.view.rigByPrefix(prefixOf(dependency)) === null) throw notFound('bead', dependency);
          return null;
        }
        if (!Number.isInteger(dependency) || dependency < 0 || dependency >= input.tasks.length) {
          throw usage(
            'unknown_dependency',
            `Task ${String(position)} depends on task ${String(dependency)}, which is not in the plan.`,
            `Tasks are numbered 0 to ${String(input.tasks.length - 1)}.`,
            'depends_on',
          );
        }
        if (dependency === position)
          throw usage(
            'self_dependency',
            `Task ${String(position)} depends on itself.`,
            'Remove that dependency.',
            'depends_on',
          );
        return dependency;
      }),
    );
    const cycle = findCycle(edges.map((list) => list.filter((edge): edge is number => edge !== null)));
    if (cycle !== null) {
      throw usage(
        'dependency_cycle',
        `The dependencies form a cycle: ${cycle.map((position) => `task ${String(position)}`).join(' waits for ')}.`,
        'Remove one of these dependencies.',
        'depends_on',
      );
    }
  }

  #addTasks(turn: Turn, id: ConvoyId, input: CreateConvoy, caller: Caller): void {
    const byRig = new Map<string, ConvoyTaskMessage[]>();
    for (const [position, task] of input.tasks.entries()) {
      const numbers = task.dependsOn.filter((dependency): dependency is number => typeof dependency === 'number');
      const beads = task.dependsOn.filter((dependency): dependency is BeadId => typeof dependency !== 'number');
      const rigOf = (bead: BeadId): string | undefined => this.#town.view.rigByPrefix(prefixOf(bead))?.name;
      const remote = [
        ...numbers.filter((other) => input.tasks[other]?.rig !== task.rig).map((other) => convoyBeadRef(id, other)),
        ...beads.filter((bead) => rigOf(bead) !== task.rig),
      ];
      this.#insertBead(id, { position, rig: task.rig, bead: null, title: task.title, dependsOn: numbers });
      for (const ref of remote) this.#town.waitFor(turn, ref, task.rig);
      const list = byRig.get(task.rig) ?? [];
      list.push({
        position,
        title: task.title,
        body: task.body,
        priority: task.priority,
        runtime: task.runtime,
        model: task.model,
        localDeps: numbers.filter((other) => input.tasks[other]?.rig === task.rig),
        localBeads: beads.filter((bead) => rigOf(bead) === task.rig),
        remoteDeps: remote,
      });
      byRig.set(task.rig, list);
    }
    for (const [rig, tasks] of byRig) {
      turn.send<TownToRig>(rigAddress(rig), TOWN_ADDRESS, {
        type: 'create_convoy_beads',
        convoy: id,
        createdBy: caller.actor,
        origin: caller.origin,
        tasks,
      });
    }
  }

  #adoptBeads(turn: Turn, id: ConvoyId, input: CreateConvoy): void {
    const byRig = new Map<string, { position: number; bead: string }[]>();
    for (const [index, bead] of input.beads.entries()) {
      const position = input.tasks.length + index;
      const rig = this.#town.view.rigByPrefix(prefixOf(bead))?.name;
      if (rig === undefined) throw notFound('bead', bead);
      this.#insertBead(id, { position, rig, bead, title: bead, dependsOn: [] });
      byRig.set(rig, [...(byRig.get(rig) ?? []), { position, bead }]);
    }
    for (const [rig, beads] of byRig)
      turn.send<TownToRig>(rigAddress(rig), TOWN_ADDRESS, { type: 'adopt_beads', convoy: id, beads });
  }

  #insertBead(
    convoy: ConvoyId,
    row: {
      readonly position: number;
      readonly rig: string;
      readonly bead: string | null;
      readonly title: string;
      readonly dependsOn: readonly number[];
    },
  ): void {
    this.#sql.all(
      `INSERT INTO convoy_beads (convoy_id, position, bead_id, rig_id, title, status, depends_on) VALUES (?, ?, ?, ?, ?, 'creating', ?)`,
      convoy,
      row.position,
      row.bead,
      row.rig,
      row.title,
      JSON.stringify(row.dependsOn),
    );
  }

  startConvoy(turn: Turn, id: ConvoyId, caller: Caller): ConvoyId {
    const convoy = this.#town.view.convoy(id);
    if (convoy === null) throw notFound('convoy', id);
    if (convoy.status !== 'creating' && convoy.status !== 'staged') {
      if (convoy.status === 'active') return id;
      throw conflict('convoy_ended', `The convoy ${id} is ${convoy.status}.`, 'Create a new convoy for more work.');
    }
    this.#sql.all('UPDATE convoys SET start_when_ready = 1, version = version + 1 WHERE id = ?', id);
    turn.journal({ entity: convoyRef(id), action: 'start_convoy', rule: 'command', reason: `by ${caller.actor}` });
    turn.dirty(convoyRef(id));
    return id;
  }
}
