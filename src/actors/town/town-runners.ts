import { conflict, notFound, precondition } from '../../core/errors.ts';
import { RUNNER_SUBJECT } from '../../core/model/health.ts';
import {
  LOCAL_RUNNER,
  RUNNER_TROUBLES,
  type Runner,
  type RunnerHello,
  type RunnerState,
  type RunnerTrouble,
} from '../../core/model/runner.ts';
import type { TownToRig } from '../../core/messages.ts';
import type { Sql } from '../../ports/sql.ts';
import { RunnerStore } from '../../store/runner-store.ts';
import type { SqlTownView } from '../../store/town-view.ts';
import type { WatchdogTown } from './watchdog.ts';
import type { Turn } from '../kernel/turn.ts';
import type { TownPost } from './town-post.ts';

/** Subject of the watchdog for one runner; the one beside the daemon has had its own from the start. */
const runnerSubject = (id: string): string => (id === LOCAL_RUNNER ? RUNNER_SUBJECT : `${RUNNER_SUBJECT}:${id}`);

const causeOfTrouble = (id: string, trouble: RunnerTrouble): string => `runner-${trouble}:${id}`;

/** What the registry needs of the town actor. */
export interface RunnersTown extends Pick<WatchdogTown, 'raise' | 'resolve'> {
  readonly sql: Sql;
  readonly view: SqlTownView;
  readonly watchdog: {
    runnerAnswered(turn: Turn, subject: string): void;
    forget(turn: Turn, subject: string): void;
  };
  readonly post: Pick<TownPost, 'tellMayor'>;
  tell(turn: Turn, rig: string, message: TownToRig): void;
}

/** The registry: who may be a runner, what is known of each, and what every rig must hear of it. */
export class TownRunners {
  readonly #town: RunnersTown;
  readonly store: RunnerStore;

  constructor(town: RunnersTown) {
    this.#town = town;
    this.store = new RunnerStore(town.sql);
  }

  /** Errors: `runner_exists`. */
  add(turn: Turn, runner: { readonly id: string; readonly url: string | null; readonly serial: string }): void {
    if (runner.id === LOCAL_RUNNER || this.store.get(runner.id) !== null)
      throw conflict(
        'runner_exists',
        `There is a runner "${runner.id}" already.`,
        `Choose another name, or give it a new token with "gt runner rotate ${runner.id}".`,
      );
    this.store.insert(runner, turn.nowMs);
    this.#journal(turn, runner.id, 'runner_added', 'registered; its token was shown once');
    this.#tell(turn, runner.id);
  }

  /**
   * Takes its rights. `lost`: a person says that the machine is gone for good, which proves the loss of what ran there.
   * Errors: `runner_not_found`, `local_runner`, `runner_has_work`.
   */
  remove(turn: Turn, id: string, how: { readonly lost: boolean; readonly busy: number }): void {
    this.#registered(id);
    if (how.busy > 0 && !how.lost)
      throw precondition(
        'runner_has_work',
        `${String(how.busy)} agents are at runner "${id}".`,
        `Wait after "gt runner drain ${id}". If its machine is gone for good, say so with --lost: their work goes on elsewhere.`,
      );
    this.store.remove(id);
    this.#town.watchdog.forget(turn, runnerSubject(id));
    for (const trouble of RUNNER_TROUBLES) this.troubled(turn, id, { trouble, text: null });
    this.#journal(turn, id, 'runner_removed', how.lost ? 'its machine is lost, says a person' : 'removed by a person');
    for (const rig of this.#town.view.rigs()) this.#town.tell(turn, rig.name, { type: 'runner_removed', id });
    this.tellMayor(turn);
  }

  /** The new token counts from its first use on; until then the old one does. Errors: as `remove`. */
  rotate(turn: Turn, id: string, serial: string): void {
    this.#registered(id);
    this.store.update(id, { next_serial: serial });
    this.#journal(turn, id, 'runner_rotated', 'a new token was made; the old one ends with its first use');
  }

  rotated(turn: Turn, id: string): void {
    const next = this.store.serials(id)?.next ?? null;
    if (next === null) return;
    this.store.update(id, { serial: next, next_serial: null });
    this.#journal(turn, id, 'runner_rotated', 'the new token was used; the old one is void');
  }

  /** Errors: `runner_not_found`. */
  drain(turn: Turn, id: string, { on, graceMs }: { readonly on: boolean; readonly graceMs: number | null }): void {
    const runner = this.store.get(id);
    if (runner === null) throw notFound('runner', id);
    const answers = runner.state === 'healthy' || runner.state === 'draining';
    this.store.update(id, {
      draining: on ? 1 : 0,
      drain_until: on && graceMs !== null ? turn.nowMs + graceMs : null,
      state: answers ? (on ? 'draining' : 'healthy') : runner.state,
    });
    this.#journal(turn, id, on ? 'runner_drained' : 'runner_undrained', 'by a person');
    this.#tell(turn, id);
  }

  /** It answers now, in this process. */
  seen(turn: Turn, id: string, hello: RunnerHello): Runner | null {
    if (this.store.get(id) === null) {
      if (id !== LOCAL_RUNNER) return null;
      this.store.insert({ id, url: null, serial: null }, turn.nowMs);
    }
    const before = this.store.get(id);
    this.store.update(id, rowOf(hello, { draining: before?.draining === true, nowMs: turn.nowMs }));
    const after = this.store.get(id);
    this.#town.watchdog.runnerAnswered(turn, runnerSubject(id));
    // A line was taken, so it has no twin; of the rest it speaks itself.
    for (const trouble of RUNNER_TROUBLES)
      this.troubled(turn, id, { trouble, text: hello.troubles?.[trouble] ?? null });
    this.#seenAnew(turn, id, { before, after, instance: hello.instance });
    return after;
  }

  /** Rigs hear of what changed for them. */
  #seenAnew(
    turn: Turn,
    id: string,
    { before, after, instance }: { before: Runner | null; after: Runner | null; instance: string },
  ): void {
    if (before !== null && after !== null && sameForRigs(before, after)) return;
    this.#journal(turn, id, 'runner_seen', {
      reason: `instance ${instance}`,
      from: before?.state ?? null,
      to: after?.state ?? null,
    });
    this.#tell(turn, id);
  }

  /** Tells people once; a null `text` says that it is over. Of one that is not registered nothing is told. */
  troubled(
    turn: Turn,
    id: string,
    { trouble, text }: { readonly trouble: RunnerTrouble; readonly text: string | null },
  ): void {
    const causeKey = causeOfTrouble(id, trouble);
    const isOpen = this.#isTold(id, trouble);
    if (text === null && isOpen) this.#town.resolve(turn, causeKey);
    if (text === null || isOpen || this.store.get(id) === null) return;
    const subject = runnerSubject(id);
    this.#town.raise(turn, { rig: '', causeKey, severity: 'high', category: 'runner', subject, message: text });
  }

  #isTold(id: string, trouble: RunnerTrouble): boolean {
    const causeKey = causeOfTrouble(id, trouble);
    return this.#town.view.openCauses(causeKey).includes(causeKey);
  }

  /** A line that its twin took would prove the loss of what runs at the other, and all of it would be started twice. */
  keptFor(id: string): string | null {
    const runner = this.store.get(id);
    return runner === null || runner.state === 'down' || !this.#isTold(id, 'twin') ? null : runner.instance;
  }

  /** Its line was cut, or it was asked in vain: nothing new goes there. What it has, has its own deadlines. */
  away(turn: Turn, id: string, state: Extract<RunnerState, 'suspect' | 'down'>, reason: string): void {
    const runner = this.store.get(id);
    if (runner === null || runner.state === state || (runner.state === 'down' && state === 'suspect')) return;
    this.store.update(id, { state });
    this.#journal(turn, id, 'runner_away', { reason, from: runner.state, to: state });
    this.#tell(turn, id);
  }

  /** It was down, and the same process answers again over the same line. */
  back(turn: Turn, id: string): void {
    const runner = this.store.get(id);
    if (runner?.state !== 'down') return;
    const state = runner.draining ? 'draining' : 'healthy';
    this.store.update(id, { state, last_seen_at: turn.nowMs });
    this.#journal(turn, id, 'runner_seen', { reason: 'it answers again', from: 'down', to: state });
    this.#tell(turn, id);
  }

  /** A rig that is new must hear of all. */
  introduce(turn: Turn, rig: string): void {
    for (const runner of this.store.all())
      this.#town.tell(turn, rig, { type: 'runner_changed', runner: factsOf(runner) });
  }

  /** Errors: `local_runner`, `runner_not_found`. */
  #registered(id: string): void {
    if (id === LOCAL_RUNNER)
      throw precondition(
        'local_runner',
        'The runner beside the daemon belongs to the town; it has no token and is not removed.',
        'To run no agents on this machine: gt runner drain local.',
      );
    if (this.store.get(id) === null) throw notFound('runner', id);
  }

  #tell(turn: Turn, id: string): void {
    const runner = this.store.get(id);
    if (runner === null) return;
    for (const rig of this.#town.view.rigs())
      this.#town.tell(turn, rig.name, { type: 'runner_changed', runner: factsOf(runner) });
    this.tellMayor(turn);
  }

  /** All of them, as they are now. */
  tellMayor(turn: Turn): void {
    this.#town.post.tellMayor(turn, { type: 'runners_changed', runners: this.store.all().map(factsOf) });
  }

  #journal(
    turn: Turn,
    id: string,
    action: string,
    what: string | { readonly reason: string; readonly from: string | null; readonly to: string | null },
  ): void {
    const change = typeof what === 'string' ? { reason: what } : what;
    turn.journal({ entity: `runner:${id}`, action, rule: 'runners', ...change });
  }
}

const factsOf = ({ id, instance, state, capacity, labels }: Runner) => ({ id, instance, state, capacity, labels });

const sameForRigs = (a: Runner, b: Runner): boolean => JSON.stringify(factsOf(a)) === JSON.stringify(factsOf(b));

const rowOf = (hello: RunnerHello, { draining, nowMs }: { readonly draining: boolean; readonly nowMs: number }) => ({
  instance_id: hello.instance,
  state: draining ? 'draining' : 'healthy',
  last_seen_at: nowMs,
  capacity: hello.capacity,
  labels: JSON.stringify(hello.labels),
  versions: JSON.stringify(hello.versions),
});
