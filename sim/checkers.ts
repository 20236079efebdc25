import { checkRig, checkTown, type InvariantFacts } from '../src/core/invariants.ts';
import { checkMayor } from '../src/core/mayor-invariants.ts';
import { RESYNC } from '../src/core/refs.ts';
import { MAYOR_ADDRESS } from '../src/core/model/mayor.ts';
import { readMayorFacts } from '../src/store/mayor-facts.ts';
import { isTripped } from '../src/core/breaker-scope.ts';
import { RIG_SCOPE } from '../src/core/model/breaker.ts';
import { readInvariantFacts } from '../src/store/invariant-facts.ts';
import { KernelStore } from '../src/store/kernel-store.ts';
import { readTownFacts } from '../src/store/town-facts.ts';
import { SqlRigView } from '../src/store/rig-view.ts';
import { chooseRunner } from '../src/core/rules/choose-runner.ts';
import { BreakerChecks } from './breaker-checks.ts';
import type { Brain } from './brain.ts';
import type { Sim } from './context.ts';
import { checkClaimVerdict } from './far-claims.ts';
import type { Coverage } from './coverage.ts';
import type { SimDatabase } from './faulty-sql.ts';
import { Violation } from './ledger.ts';
import { MoneyChecks } from './money-checks.ts';
import { checkDrained, checkPause, checkReviewed } from './pause-checks.ts';
import { checkSilence } from './silence-checks.ts';

/** An effect that is due and first in its lane waits this long only behind others in flight. */
const OVERDUE_MS = 90_000;
/** Patience, grace and rescue of an agent that does not leave by itself are over by then. */
const STOPPED_MS = 150_000;
/** After trouble, this long passes before anything is called lost. */
const CALM_MS = 90_000;

/** What `checkTown` looks at. */
const TOWN_TABLES = ['convoys', 'convoy_beads', 'escalations'];
/** After so many looks at what was written, everything is read anew, as if it had all been written. */
const FULL_EVERY = 25;

/** Looks at the recorded state of every actor after each of its commits, and at rest between two moments. */
export class Checkers {
  checks = 0;
  /** Wall-clock-free moment of the last journal row: nothing new for long means rest. */
  lastNewsMs = 0;
  readonly money: MoneyChecks;
  readonly breakers: BreakerChecks;
  readonly #sim: Sim;
  readonly #brain: Brain;
  readonly #coverage: Coverage;
  readonly #facts = new Map<string, InvariantFacts>();
  #looks = 0;
  readonly #awake = new Map<string, string>();
  readonly #rested = new Map<string, number>();
  readonly #journal = new Map<string, number>();
  readonly #ended = new Map<string, string>();
  readonly #slots = new Map<string, number>();

  /** False: only the journal is read, for the trace. */
  readonly #states: boolean;

  constructor(parts: {
    readonly sim: Sim;
    readonly brain: Brain;
    readonly coverage: Coverage;
    readonly states: boolean;
  }) {
    this.#sim = parts.sim;
    this.#brain = parts.brain;
    this.#coverage = parts.coverage;
    this.#states = parts.states;
    this.breakers = new BreakerChecks(parts.sim.ledger);
    this.money = new MoneyChecks(parts.sim, parts.brain.databases);
  }

  /** Checks what the step's commits wrote; `whole` reads everything anew. */
  afterStep(whole = false): void {
    for (const database of this.#brain.databases.values()) {
      const { touched } = database;
      if (!whole && touched.size === 0) continue;
      this.#looks += 1;
      this.checks += 1;
      const all = whole || this.#looks % FULL_EVERY === 0;
      if (all || touched.has('journal')) this.#readJournal(database);
      if (this.#states) {
        this.money.afterStep(database);
        this.breakers.afterStep();
        this.#check(database, all);
      }
      touched.clear();
    }
  }

  #check(database: SimDatabase, all: boolean): void {
    if (database.address === MAYOR_ADDRESS) this.#checkMayor(database);
    else if (database.address !== 'town') this.#checkRig(database, all);
    else if (all || TOWN_TABLES.some((table) => database.touched.has(table))) this.#checkTown(database);
  }

  #readJournal(database: SimDatabase): void {
    const { address, sql } = database;
    const after = this.#journal.get(address) ?? 0;
    const rows = sql.all(
      'SELECT seq, at, entity, action, rule, reason, from_status, to_status FROM journal WHERE seq > ? ORDER BY seq',
      after,
    );
    for (const row of rows) {
      const { entity, action, rule, reason, from_status: from, to_status: to } = row;
      if (this.#states && String(action).endsWith('_breaker')) this.breakers.sawJournal(database, row);
      checkClaimVerdict(this.#sim, database, row);
      this.#coverage.add(`rule ${String(rule)}`);
      this.#coverage.add(`action ${String(action)}`);
      this.#sim.note(
        `${address} ${String(entity)} ${String(action)} ${String(rule)}: ${String(reason)} [${String(from)}>${String(to)}]`,
      );
      if (action === 'start_merge') {
        checkPause(database, String(entity));
        checkReviewed(database, String(entity));
      }
      if (action === 'dispatch_agent') checkDrained(database, String(entity));
      // Nothing in this world is unreadable, so nothing may be set aside.
      if (String(action).startsWith('quarantine'))
        throw new Violation('I18', `${address}: ${String(entity)} was set aside: ${String(reason)}`);
      this.#journal.set(address, Number(row['seq']));
      this.lastNewsMs = this.#sim.time.nowMs;
    }
  }

  #checkRig(database: SimDatabase, all: boolean): void {
    const { address, sql, touched } = database;
    const known = this.#facts.get(address);
    const facts = readInvariantFacts(sql, all || known === undefined ? null : { facts: known, touched });
    this.#facts.set(address, facts);
    const slots = facts.attempts.filter((attempt) => !attempt.processGone).length;
    const before = this.#slots.get(address) ?? 0;
    this.#slots.set(address, slots);
    // A cap that was lowered is kept by not growing above it.
    const lowered = facts.polecatsMax < before && slots <= before;
    const violation = checkRig(facts, this.#brain.nowMs).find(({ code }) => code !== 'I24' || !lowered);
    if (violation !== undefined) throw new Violation(violation.code, `${address}: ${violation.text}`);
    if (all || touched.has('beads')) {
      this.#checkRunning(database);
      this.#checkSteps(database);
    }
  }

  /** I4 of the rules of dispatch: what runs waits for nothing. */
  #checkRunning({ address, sql }: SimDatabase): void {
    const [row] = sql.all(
      `SELECT id, open_blockers, failed_blockers FROM beads
        WHERE type = 'issue' AND status = 'in_progress' AND (open_blockers > 0 OR failed_blockers > 0) LIMIT 1`,
    );
    if (row !== undefined)
      throw new Violation(
        'I4',
        `${address}: ${String(row['id'])} runs although something it waits for has not ended well`,
      );
  }

  /** L17: what is in review has no required step open. */
  #checkSteps({ address, sql }: SimDatabase): void {
    const [row] = sql.all(
      `SELECT bead_id, number FROM molecule_steps JOIN beads ON id = bead_id
        WHERE beads.status = 'in_review' AND molecule_steps.status = 'open' AND required = 1 LIMIT 1`,
    );
    if (row !== undefined)
      throw new Violation(
        'L17',
        `${address}: ${String(row['bead_id'])} is in review with step ${String(row['number'])} open`,
      );
  }

  #checkTown(database: SimDatabase): void {
    const [violation] = checkTown(readTownFacts(database.sql));
    if (violation !== undefined) throw new Violation(violation.code, `town: ${violation.text}`);
  }

  #checkMayor(database: SimDatabase): void {
    const [violation] = checkMayor(readMayorFacts(database.sql));
    if (violation !== undefined) throw new Violation(violation.code, `mayor: ${violation.text}`);
  }

  /** Between two moments: no wake-up is missing, nothing that could go on waits. */
  atRest(): void {
    const { time, weather } = this.#sim;
    if (!this.#states || !this.#brain.door.isOpen || this.#brain.pendingTurns > 0) return;
    const calm = time.nowMs > weather.lastTroubleMs + CALM_MS;
    if (calm) this.money.atRest(this.#brain.nowMs);
    const excused = time.nowMs < this.#brain.wakeExcusedUntilMs;
    for (const database of this.#present()) {
      const { address, changes } = database;
      const awake = `${String(changes)} ${String(this.#brain.alarms.get(address)?.atMs)}`;
      if (!excused && this.#awake.get(address) !== awake) {
        this.#awake.set(address, awake);
        this.checks += 1;
        this.#checkWakeUp(database);
      }
      if (!calm || this.#rested.get(address) === changes) continue;
      this.#rested.set(address, changes);
      this.checks += 1;
      this.#checkCalm(database);
    }
  }

  /** Nobody is there for a rig that was removed; it is looked at when it is added again. */
  #present(): readonly SimDatabase[] {
    const { configs, databases } = this.#brain;
    return [...databases.values()].filter(
      ({ address }) => !address.startsWith('rig/') || configs.has(address.slice('rig/'.length)),
    );
  }

  #checkCalm(database: SimDatabase): void {
    this.#checkOverdue(database);
    if (database.address !== 'town') this.#checkProcesses(database);
    if (!database.address.startsWith('rig/')) return;
    this.#checkIdleSlot(database);
    checkSilence(database);
    this.#checkEnds(database);
  }

  /** Something that an actor wants to look at or do by then, beside its safety net. */
  isAnythingDue(byMs: number): boolean {
    return [...this.#brain.databases.values()].some(
      ({ sql }) =>
        sql.all(
          `SELECT 1 AS one FROM timers WHERE entity <> ? AND due_at <= ?
            UNION ALL SELECT 1 FROM outbox WHERE state = 'pending' UNION ALL SELECT 1 FROM inbox WHERE state = 'pending' LIMIT 1`,
          RESYNC,
          byMs,
        ).length > 0,
    );
  }

  #checkWakeUp(database: SimDatabase): void {
    const nowMs = this.#brain.nowMs;
    const dueMs = new KernelStore(database.sql).nextDue(nowMs);
    const alarm = this.#brain.alarms.get(database.address);
    if (dueMs !== null && (alarm === undefined || alarm.atMs > Math.max(dueMs, nowMs)))
      throw new Violation('I11', `${database.address} has something due at ${String(dueMs)} and no alarm for it`);
  }

  #checkOverdue(database: SimDatabase): void {
    const [late] = database.sql.all(
      `SELECT key, next_at FROM outbox o WHERE state = 'pending' AND next_at < ?
        AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.state = 'pending' AND p.lane = o.lane AND p.seq < o.seq) LIMIT 1`,
      this.#brain.nowMs - OVERDUE_MS,
    );
    if (late !== undefined)
      throw new Violation(
        'I16',
        `${database.address}: the effect ${String(late['key'])} is overdue and nobody performs it`,
      );
  }

  /** I7: no ready bead waits while a slot, a budget and a quota are there and the breaker is closed. */
  #checkIdleSlot(database: SimDatabase): void {
    const view = new SqlRigView(database.sql);
    if (!view.hasConfig()) return;
    const nowMs = this.#brain.nowMs;
    const config = view.config();
    if (config.parked || isTripped(view.breaker(RIG_SCOPE))) return;
    if (view.slotsTaken() >= config.polecatsMax) return;
    const ready = view
      .readyBeads(nowMs, 50)
      .find(
        (bead) =>
          bead.pinnedAgent === null &&
          this.money.mayRun(view, bead, nowMs) &&
          chooseRunner(view, bead, { given: new Map(), probed: new Set(), nowMs }) !== null,
      );
    if (ready !== undefined) throw new Violation('I7', `${ready.id} is ready, a slot is free, and nothing happens`);
  }

  /** L12: a process does not outlive its attempt for long. */
  #checkProcesses({ sql }: SimDatabase): void {
    for (const attempt of this.#sim.ledger.processes.keys()) {
      const [row] = sql.all(
        'SELECT ended_at FROM attempts WHERE id = ? AND ended_at < ?',
        attempt,
        this.#brain.nowMs - STOPPED_MS,
      );
      if (row !== undefined)
        throw new Violation('L12', `the process of ${attempt} runs on long after its attempt ended`);
    }
  }

  /** I8: what ended stays as it ended. */
  #checkEnds(database: SimDatabase): void {
    for (const row of database.sql.all(
      `SELECT id, status, close_reason, evidence FROM beads WHERE status IN ('closed', 'failed')`,
    )) {
      const id = String(row['id']);
      const end = `${String(row['status'])} ${String(row['close_reason'])} ${String(row['evidence'])}`;
      const known = this.#ended.get(id);
      if (known !== undefined && known !== end) throw new Violation('I8', `${id} had ended as ${known}; now ${end}`);
      this.#ended.set(id, end);
    }
  }
}
