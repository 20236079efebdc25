import {
  EFFECT_DEADLINE_MS,
  RECONCILE_ROUNDS_MAX,
  RESYNC_ACTIVE_MS,
  RESYNC_WAITING_MS,
  TURN_BATCH_MAX,
  TURN_RETRY_MS,
} from '../../core/limits.ts';
import { RESYNC, type Ref } from '../../core/refs.ts';
import type { Alarm } from '../../ports/alarm.ts';
import type { HostPorts } from '../../ports/host.ts';
import { DbError, type Sql } from '../../ports/sql.ts';
import type { DueObservation } from '../../store/due-observations.ts';
import { HistoryStore } from '../../store/history-store.ts';
import { KernelStore, type NewEvent, type OutboxRow } from '../../store/kernel-store.ts';
import { migrate, newestOf } from '../../store/migrate.ts';
import { reviveLost } from '../../store/outbox-revival.ts';
import { TurnStore } from '../../store/turn-store.ts';
import { drainInbox } from './drain.ts';
import { describe, stopping, storageFailed } from './failures.ts';
import { Flights } from './flights.ts';
import type { EffectOutcome, Program } from './program.ts';
import { Housekeeping, putAway } from './housekeeping.ts';
import type { Envelope, Receipt } from './envelope.ts';
import { settleEffect, type Performed } from './settle-effect.ts';
import { LiveTape, UNNAMED, type Call, type Tape } from './tape.ts';
import { Turn } from './turn.ts';
import { takeJobs } from './turn-jobs.ts';
import { Waiters } from './waiters.ts';
import { Watch } from './watch.ts';

interface Job {
  readonly call: Call;
  /** Runs inside the turn; answers what to tell the asker after the commit. */
  readonly run: (turn: Turn) => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A single-writer state machine on one database. All that is asked in one event-loop turn shares one transaction:
 * commands and facts in, rules to a fixed point, effects claimed, commit; replies and effects leave only after it.
 */
export class Actor {
  readonly address: string;
  readonly #ports: HostPorts;
  readonly #sql: Sql;
  readonly #kernel: KernelStore;
  readonly #turns: TurnStore;
  readonly #history: HistoryStore;
  readonly #program: Program;
  readonly #alarm: Alarm;
  #jobs: Job[] = [];
  #scheduled = false;
  #closed = false;
  #dueMs: number | null = null;
  /** When the turn is tried again that failed; null: none did. */
  #nextTryMs: number | null = null;
  readonly #flights: Flights;
  readonly #watch: Watch;
  readonly #waiters: Waiters;
  readonly #tape: Tape;
  readonly #house = new Housekeeping();
  /** The call from outside that runs now; what it asks for is recorded under its name. */
  #calling: Call = UNNAMED;

  constructor(options: {
    readonly address: string;
    readonly ports: HostPorts;
    readonly sql: Sql;
    readonly program: Program;
    /** The program's source of chance too. */
    readonly tape?: Tape;
  }) {
    this.address = options.address;
    this.#ports = options.ports;
    this.#sql = options.sql;
    this.#kernel = new KernelStore(options.sql);
    this.#turns = new TurnStore(options.sql);
    this.#history = new HistoryStore(options.sql);
    this.#program = options.program;
    this.#tape = options.tape ?? new LiveTape(options.ports.random);
    this.#waiters = new Waiters(options.ports);
    this.#flights = new Flights(options.program, options.ports.effectsInFlightMax);
    this.#watch = new Watch(this, options.sql, options.ports, options.program);
    this.#alarm = options.ports.openAlarm(options.address, () => {
      this.wake();
    });
  }

  /** Brings the schema up to date, takes up what a crash left undone, and looks at everything that is live. */
  open(): Promise<void> {
    migrate(this.#sql, this.#program.migrations, this.#ports.clock.now());
    this.#house.opened(this.#ports.clock.now(), this.#history.keptAtMs(), this.#ports.takesNoSnapshots === true);
    this.#ports.clock.raise?.(this.#kernel.lastRecordedMs());
    return this.ask(
      (turn) => {
        reviveLost(this.#sql, turn.nowMs);
        for (const ref of this.#program.liveRefs()) turn.dirty(ref);
      },
      ['open', newestOf(this.#program.migrations)],
    );
  }

  /** Runs `work`; what it asks of this actor before it returns is recorded as `call`. */
  during<T>(call: Call, work: () => T): T {
    const outer = this.#calling;
    this.#calling = call;
    try {
      return work();
    } finally {
      this.#calling = outer;
    }
  }

  /** Sets the alarm again to what the last turn asked for: the way back for a wake-up that a host lost. No SQL. */
  rearm(): void {
    if (!this.#closed) this.#alarm.set(this.#dueMs);
  }

  /** Takes no more work; resolves nothing further. State is safe at any moment, so there is nothing to flush. */
  close(): void {
    this.#closed = true;
    this.#alarm.set(null);
    for (const job of this.#jobs.splice(0)) job.reject(stopping());
  }

  /** Runs `work` inside the next turn; resolves after its commit. What `work` throws is the answer, and changes nothing. */
  ask<T>(work: (turn: Turn) => T, call: Call = this.#calling): Promise<T> {
    if (this.#closed) return Promise.reject(stopping());
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({
        call,
        run: (turn) => {
          const value = work(turn);
          return () => {
            resolve(value);
          };
        },
        reject,
      });
      this.wake();
    });
  }

  /** A command with an idempotency key: a repeat of the key gets the first answer, without running again. */
  command(key: string | undefined, work: (turn: Turn) => string): Promise<string> {
    return this.ask((turn) => {
      if (key === undefined) return work(turn);
      const known = this.#kernel.answer(key);
      if (known !== null) return known;
      const answer = work(turn);
      this.#kernel.saveAnswer(key, answer, turn.nowMs);
      return answer;
    });
  }

  /** Records facts; each is applied exactly once by its key, in this turn if nothing of its subject waits. */
  record(events: readonly NewEvent[]): Promise<void> {
    return this.ask(
      (turn) => {
        for (const event of events) turn.event(event);
      },
      ['record', events],
    );
  }

  /** Takes a message in order per sender; acknowledged after the commit that holds it. */
  receive(envelope: Envelope): Promise<Receipt> {
    return this.ask(
      (turn) => {
        const last = this.#kernel.received(envelope.from);
        if (envelope.seq <= last) return 'duplicate';
        if (envelope.seq > last + 1) return 'gap';
        this.#kernel.setReceived(envelope.from, envelope.seq);
        turn.event({
          key: `message:${envelope.from}:${String(envelope.seq)}`,
          type: `message.${envelope.message.type}`,
          subject: `from:${envelope.from}`,
          payload: { ...envelope.message, from: envelope.from },
        });
        return 'applied';
      },
      ['receive', envelope],
    );
  }

  /** Waits until `probe` answers after some commit, at most `timeoutMs`; null when it did not. */
  until<T>(probe: () => T | null, timeoutMs: number): Promise<T | null> {
    return this.#waiters.until(probe, timeoutMs);
  }

  /** Asks for a turn; many calls make one. */
  readonly wake = (): void => {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#ports.defer(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#turn();
    });
  };

  /** Asks for a turn after a while, since something failed: for one, however many ask and fail until then. */
  tryLater(): void {
    if (this.#nextTryMs !== null) return;
    this.#nextTryMs = this.#ports.clock.now() + TURN_RETRY_MS;
    this.#ports.after(TURN_RETRY_MS, () => {
      this.#nextTryMs = null;
      this.wake();
    });
  }

  #turn(): void {
    const { jobs, calls } = takeJobs(this.#jobs);
    const replies: (() => void)[] = [];
    let claimed: readonly OutboxRow[] = [];
    let nextDueMs: number | null = null;
    const nowMs = this.#ports.clock.now();
    try {
      this.#sql.tx(() => {
        const before = this.#turns.changesSoFar();
        this.#tape.begin();
        const room = this.#tape.room(this.#flights.room(nowMs));
        const turn = new Turn(this.#sql, this.#kernel, nowMs);
        for (const job of jobs) replies.push(this.#runJob(turn, job));
        this.#work(turn);
        this.#armResync(turn);
        claimed = this.#kernel.claimEffects(nowMs, EFFECT_DEADLINE_MS, room);
        nextDueMs = this.#kernel.nextDue(nowMs);
        turn.finish();
        // A turn that changed nothing needs no second run. The record is part of the same commit.
        if (this.#turns.changesSoFar() !== before)
          this.#turns.record(nowMs, { calls, drawn: this.#tape.drawn(), room });
      });
    } catch (error) {
      this.#turnFailed(jobs, error);
      return;
    }
    this.#dueMs = nextDueMs;
    this.#alarm.set(nextDueMs);
    for (const reply of replies) reply();
    if (this.#tape.isLive) this.#goOutside(claimed, nowMs);
    if (this.#jobs.length > 0) this.wake();
  }

  #goOutside(claimed: readonly OutboxRow[], nowMs: number): void {
    for (const row of claimed) void this.#perform(row, nowMs);
    this.#lookAround(nowMs);
    if (this.#house.begin(nowMs)) void this.#house.keep(this, this.#sql, this.#ports);
  }

  /** Puts away what is too old to be needed, a bounded part of it; true when more is left. */
  housekeep(withoutSnapshots = false): Promise<boolean> {
    return this.ask(
      (turn) => putAway(turn, this.#history, { program: this.#program, withoutSnapshots }),
      withoutSnapshots ? ['housekeep', true] : ['housekeep'],
    );
  }

  /** A copy of the database with all up to `turn` is kept; `oldest` is the turn of the oldest copy. */
  snapshotTaken(turn: number, oldest: number): Promise<void> {
    return this.ask(() => {
      this.#history.snapshotTaken(turn, oldest);
    }, ['snapshotTaken', turn, oldest]);
  }

  /** What only reads after the commit: a disk that fails here costs a second look, never the loop. */
  #lookAround(nowMs: number): void {
    try {
      this.#ports.afterTurn?.(this.address, this.#sql);
      this.#waiters.check();
      this.#watch.start(nowMs);
    } catch (error) {
      this.#ports.log.error('state not readable after the turn', { actor: this.address, error: describe(error) });
      this.tryLater();
    }
  }

  #runJob(turn: Turn, job: Job): () => void {
    try {
      return this.#sql.tx(() => job.run(turn));
    } catch (error) {
      if (error instanceof DbError && error.kind === 'storage') throw error;
      return () => {
        job.reject(error);
      };
    }
  }

  /** Steps 2 to 4 of the loop: facts, then rules to a fixed point. */
  #work(turn: Turn): void {
    if (this.#ports.safetyNet === 'always') turn.dirty(RESYNC);
    for (let round = 0; round < RECONCILE_ROUNDS_MAX; round += 1) {
      drainInbox(turn, this.#program);
      for (const ref of this.#kernel.dueTimers('rule', turn.nowMs, TURN_BATCH_MAX)) {
        this.#kernel.setTimer(ref, 'rule', null);
        turn.dirty(ref);
      }
      const refs = turn.takeDirty();
      if (refs.length === 0) break;
      for (const ref of refs) this.#reconcile(turn, ref);
    }
    for (const ref of turn.takeDirty()) this.#kernel.setTimer(ref, 'rule', turn.nowMs);
  }

  #reconcile(turn: Turn, ref: Ref): void {
    if (ref === RESYNC) {
      if (this.#ports.safetyNet !== 'blind') for (const live of this.#program.liveRefs()) turn.dirty(live);
      return;
    }
    try {
      const wakeAtMs = this.#sql.tx(() => this.#program.reconcile(turn, ref));
      this.#kernel.setTimer(ref, 'rule', wakeAtMs);
    } catch (error) {
      if (error instanceof DbError && error.kind === 'storage') throw error;
      this.#setAside(turn, ref, describe(error));
    }
  }

  /** Says once what can't be read, however often the safety net looks at it. */
  #setAside(turn: Turn, ref: Ref, error: string): void {
    const last = this.#kernel.lastJournal(ref);
    if (last?.action !== 'quarantine' || last.reason !== error) this.#program.quarantined(turn, ref, error);
  }

  /** The safety net hangs only while there is something that could fall. */
  #armResync(turn: Turn): void {
    const activity = this.#program.activity();
    const known = this.#kernel.timer(RESYNC, 'rule');
    if (activity === 'none') {
      if (known !== null) this.#kernel.setTimer(RESYNC, 'rule', null);
      return;
    }
    const dueMs = turn.nowMs + (activity === 'active' ? RESYNC_ACTIVE_MS : RESYNC_WAITING_MS);
    if (known === null || known > dueMs) this.#kernel.setTimer(RESYNC, 'rule', dueMs);
  }

  /** Nothing of the turn exists: askers are told, facts are repeated by their senders, and the loop goes on. */
  #turnFailed(jobs: readonly Job[], cause: unknown): void {
    this.#ports.log.error('turn failed', { actor: this.address, error: describe(cause) });
    const error = storageFailed(this.address, cause);
    for (const job of jobs) job.reject(error);
    this.tryLater();
    // What was due waits for that too: `rearm` would else let each call try it at once.
    if (this.#dueMs !== null && this.#dueMs <= this.#ports.clock.now()) this.#dueMs = this.#nextTryMs;
  }

  async #perform(row: OutboxRow, nowMs: number): Promise<void> {
    this.#flights.begin(row, nowMs);
    this.#ports.probe?.(`${row.key}:before`);
    let outcome: EffectOutcome;
    try {
      outcome = await this.#program.perform(row);
    } catch (error) {
      outcome = { state: 'retry', error: describe(error) };
    }
    this.#ports.probe?.(`${row.key}:after`);
    this.#flights.end(row);
    if (this.#closed) return;
    await this.settle({ key: row.key, tries: row.tries }, outcome).catch((error: unknown) => {
      this.#ports.log.warn('effect result not recorded', {
        actor: this.address,
        effect: row.key,
        error: describe(error),
      });
    });
  }

  /** Records what became of an effect. */
  settle(row: Performed, outcome: EffectOutcome): Promise<void> {
    return this.ask(
      (turn) => {
        settleEffect(turn, row, outcome, this.#tape);
      },
      ['settle', row, outcome],
    );
  }

  /**
   * Records what an observation of `due` saw. A timer that was set anew while it was under way stays: whoever set it knew
   * more. Within the turn, so that what fell due meanwhile is asked about at its end.
   */
  observed(
    due: readonly DueObservation[],
    again: Readonly<Record<Ref, number>>,
    events: readonly NewEvent[],
  ): Promise<void> {
    return this.ask(
      (turn) => {
        for (const [ref, dueAtMs] of due)
          if (this.#kernel.timer(ref, 'observe') === dueAtMs) this.#kernel.setTimer(ref, 'observe', again[ref] ?? null);
        for (const event of events) turn.event(event);
        this.#watch.ended(due);
      },
      ['observed', due, again, events],
    );
  }
}
