/** What must hold of money and quota at every moment, and what must be left of it at rest. */
import { Admission } from '../src/core/admission.ts';
import { allowance, grantsOf, isShared, type Budget } from '../src/core/budget.ts';
import type { Bead } from '../src/core/model/bead.ts';
import type { SqlRow, SqlValue } from '../src/ports/sql.ts';
import { BudgetStore } from '../src/store/budget-store.ts';
import { checkAllSpending } from '../src/store/money-facts.ts';
import { SqlRigView } from '../src/store/rig-view.ts';
import { MAYOR_ADDRESS } from '../src/core/model/mayor.ts';
import type { Sim } from './context.ts';
import type { SimDatabase } from './faulty-sql.ts';
import { Violation } from './ledger.ts';

const USED = 'SELECT tokens_in, tokens_out, cost_micro_usd FROM attempts WHERE id = ?';
/** The town rests while the mayor may still work. Facts come in order: with the exit all that was said before it has come. */
const USED_BY_MAYOR = `SELECT tokens_in, tokens_out, cost_micro_usd FROM attempts LEFT JOIN usage ON attempt_id = id
  WHERE id = ? AND EXISTS (SELECT 1 FROM inbox WHERE key = 'exited:' || id)`;

/** A bead whose window opened runs, or waits for something else, this long after. */
const RELEASED_MS = 60_000;
const MONEY_TABLES = ['attempts', 'spending', 'budgets', 'budget_parts'];

export class MoneyChecks {
  checks = 0;
  readonly #databases: ReadonlyMap<string, SimDatabase>;
  readonly #sim: Sim;
  /** What each rig was given of each life of a budget. */
  readonly #granted = new Map<string, number>();
  #wrong: Violation | null = null;

  constructor(sim: Sim, databases: ReadonlyMap<string, SimDatabase>) {
    this.#sim = sim;
    this.#databases = databases;
  }

  /** Looks at a dispatch and at a grant in the moment of the statement, before anything else changes. */
  sawRows(database: SimDatabase, text: string, args: readonly SqlValue[]): void {
    const { address } = database;
    if (address === 'town' && text.startsWith('INSERT INTO budget_parts')) this.#grant(database, args);
    else if (address.startsWith('rig/') && text.startsWith('INSERT INTO attempts')) this.#dispatch(database, args);
  }

  /** A statement's error would be the actor's; so it is kept until the step is over. */
  #report(code: string, text: string): void {
    this.#wrong ??= new Violation(code, text);
  }

  /** Nothing is dispatched into a closed window, nor beyond what its budgets allow. */
  #dispatch({ address, sql }: SimDatabase, args: readonly SqlValue[]): void {
    this.checks += 1;
    const [row] = sql.all(
      `SELECT a.id, bead_id, source_bead_id, convoy_id, started_at, quota_scope, estimate_tokens, estimate_micro_usd, resets_at
        FROM attempts a LEFT JOIN quota_windows w ON w.id = quota_scope WHERE a.id = ? AND ended_at IS NULL`,
      args[0] ?? null,
    );
    // One that has ended comes back from the archive.
    if (row === undefined) return;
    const name = `${address}: ${String(row['id'])} of ${String(row['bead_id'])}`;
    if (Number(row['resets_at'] ?? 0) > Number(row['started_at']))
      this.#report('I7', `${name} was dispatched into the closed window of ${String(row['quota_scope'])}`);
    const view = new SqlRigView(sql);
    for (const budget of view.budgets()) {
      if (budget.kind !== 'hard' || !isOf(budget, row)) continue;
      const { spent, reserved } = view.useOf(budget);
      // The sums follow in the next statement; agents at once are counted where they are.
      const more = budget.unit === 'polecats' ? 0 : Math.max(1, estimate(row, budget));
      const most = allowance(budget);
      if (spent + reserved + more > most)
        this.#report(
          'I21',
          `${name} was dispatched beyond ${budget.id}: ${String(spent + reserved + more)} of ${String(most)}`,
        );
    }
  }

  /** What was given of a budget is never more than it is. */
  #grant({ sql }: SimDatabase, args: readonly SqlValue[]): void {
    this.checks += 1;
    const store = new BudgetStore(sql);
    const budget = store.get(String(args[0]));
    const rig = String(args[1]);
    if (budget === null || budget.kind !== 'hard' || !isShared(budget.scope)) return;
    const parts = store.parts(budget.id);
    const granted = parts.find((part) => part.rig === rig)?.granted ?? 0;
    const name = `${budget.id} ${String(budget.since)} ${rig}`;
    const isMore = granted > (this.#granted.get(name) ?? 0);
    this.#granted.set(name, granted);
    // Counted here again: what is checked must not be the measure of itself.
    const held = parts.reduce(
      (sum, part) => sum + Math.max(part.granted - part.returned, part.spent + part.reserved),
      0,
    );
    if (isMore && held > budget.amount)
      this.#report('I21', `town: ${String(held)} of ${budget.id} is given out; it is ${String(budget.amount)}`);
  }

  /** After the commits of a step. */
  afterStep(database: SimDatabase): void {
    if (this.#wrong !== null) throw this.#wrong;
    const { address, sql, touched } = database;
    if (!MONEY_TABLES.some((table) => touched.has(table))) return;
    this.checks += 1;
    if (address.startsWith('rig/')) {
      const [wrong] = checkAllSpending(sql);
      if (wrong !== undefined) throw new Violation(wrong.code, `${address}: ${wrong.text}`);
      this.#notMore(address, sql);
    }
  }

  /** No rig has more of a budget than the town gave it, whatever message came twice. */
  #notMore(address: string, sql: SimDatabase['sql']): void {
    const town = this.#databases.get('town');
    const rig = address.slice('rig/'.length);
    for (const row of sql.all(`SELECT id, granted, since FROM budgets WHERE shared = 1 AND kind = 'hard'`)) {
      const [given] =
        town?.sql.all(
          'SELECT p.granted FROM budget_parts p JOIN budgets b ON b.id = p.budget_id WHERE p.budget_id = ? AND rig = ? AND since = ?',
          String(row['id']),
          rig,
          Number(row['since']),
        ) ?? [];
      if (given !== undefined && Number(row['granted']) > Number(given['granted']))
        throw new Violation('I21', `${rig} has more of ${String(row['id'])} than the town gave it`);
    }
  }

  /** True when nothing of money or quota keeps this ready bead from running. */
  mayRun(view: SqlRigView, bead: Bead, nowMs: number): boolean {
    return new Admission(view, nowMs).judge(bead) === null;
  }

  /** In calm, with no message on its way: room that is asked for is given, and no bead is parked for longer than it must. */
  atRest(nowMs: number): void {
    this.checks += 1;
    for (const { address, sql } of this.#databases.values()) {
      if (address === MAYOR_ADDRESS) this.#used(address, sql);
      if (!address.startsWith('rig/')) continue;
      const [late] = sql.all(
        `SELECT id FROM beads WHERE status = 'open' AND hold = 'parked' AND not_before < ? LIMIT 1`,
        nowMs - RELEASED_MS,
      );
      if (late !== undefined) throw new Violation('I11', `${String(late['id'])} is parked beyond its window`);
    }
    const town = this.#databases.get('town');
    if (town === undefined || this.#isTalking()) return;
    const store = new BudgetStore(town.sql);
    for (const budget of store.all())
      if (
        isShared(budget.scope) &&
        budget.kind === 'hard' &&
        grantsOf(budget.amount, store.parts(budget.id)).length > 0
      )
        throw new Violation('I7', `${budget.id} has room that a rig waits for, and nobody gives it`);
  }

  #isTalking(): boolean {
    return [...this.#databases.values()].some(
      ({ sql }) => sql.all(`SELECT 1 AS one FROM outbox WHERE state = 'pending' LIMIT 1`).length > 0,
    );
  }

  /** The end of a story: the town and its rigs agree to the last cent, and what agents said is what was counted. */
  atEnd(): void {
    const town = this.#databases.get('town');
    if (town === undefined) return;
    const store = new BudgetStore(town.sql);
    for (const { address, sql } of this.#databases.values()) {
      if (!address.startsWith('rig/')) continue;
      this.#used(address, sql);
      this.#agrees(store, address.slice('rig/'.length), sql);
    }
  }

  #agrees(store: BudgetStore, rig: string, sql: SimDatabase['sql']): void {
    const view = new SqlRigView(sql);
    const known = new Map(store.all().map((budget) => [budget.id, budget]));
    for (const own of view.budgets()) {
      this.checks += 1;
      const { id } = own;
      const part = known.get(id) === undefined ? undefined : store.parts(id).find((one) => one.rig === rig);
      if (part === undefined) throw new Violation('V10', `${rig} keeps ${id}, which the town does not have`);
      const { spent, reserved } = view.useOf(own);
      const told = [part.granted, part.returned, part.spent, part.reserved, part.waiting];
      const mine = [own.granted, own.returned, spent, reserved, own.waiting];
      if (told.join() !== mine.join())
        throw new Violation('V10', `${rig} and the town do not agree about ${id}: ${mine.join()} and ${told.join()}`);
      if (reserved !== 0)
        throw new Violation('I21', `nothing runs in ${rig}, and ${String(reserved)} of ${id} is reserved`);
      if (own.kind === 'hard' && own.shared && allowance(own) > spent)
        throw new Violation('V10', `${rig} keeps ${String(allowance(own) - spent)} of ${id}, which it does not need`);
    }
  }

  #used(address: string, sql: SimDatabase['sql']): void {
    if (this.#sim.ledger.removed.has(address.slice('rig/'.length))) return;
    for (const [attempt, said] of this.#sim.ledger.used) {
      const [row] = sql.all(address === MAYOR_ADDRESS ? USED_BY_MAYOR : USED, attempt);
      if (row === undefined) continue;
      this.checks += 1;
      const tokens = Number(row['tokens_in']) + Number(row['tokens_out']);
      if ((tokens !== said.tokens || row['cost_micro_usd'] !== said.microUsd) && !cameTooLate(sql, attempt))
        throw new Violation(
          'I21',
          `${address}: ${attempt} said ${String(said.tokens)} tokens and ${String(said.microUsd)}; ${String(tokens)} and ${String(row['cost_micro_usd'])} are counted`,
        );
    }
  }
}

/** A runner that is back after months tells of an attempt that is in the archive: the journal says that nothing was counted. */
function cameTooLate(sql: SimDatabase['sql'], attempt: string): boolean {
  const [row] = sql.all(
    `SELECT 1 AS one FROM journal WHERE entity = ? AND action = 'ignore_fact' AND reason LIKE 'agent_usage %does not know' LIMIT 1`,
    `attempt:${attempt}`,
  );
  return row !== undefined;
}

function isOf(budget: Budget, attempt: SqlRow): boolean {
  const { scope } = budget;
  if (scope.startsWith('bead:')) return scope === `bead:${String(attempt['source_bead_id'])}`;
  if (scope.startsWith('convoy:')) return scope === `convoy:${String(attempt['convoy_id'])}`;
  return true;
}

const estimate = (attempt: SqlRow, budget: Budget): number =>
  Number(attempt[budget.unit === 'usd' ? 'estimate_micro_usd' : 'estimate_tokens']);
