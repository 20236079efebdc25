/** What must hold of breakers at every moment: an open one lets nothing through, and only what passed it closes it. */
import { isClosedToDispatch } from '../src/core/breaker-scope.ts';
import { pairScope, RIG_SCOPE, runnerScope, runtimeScope } from '../src/core/model/breaker.ts';
import { trusted } from '../src/core/model/ids.ts';
import type { SqlRow, SqlValue } from '../src/ports/sql.ts';
import { SqlRigView } from '../src/store/rig-view.ts';
import type { SimDatabase } from './faulty-sql.ts';
import { Violation, type Ledger } from './ledger.ts';

const RUNTIME = 'breaker:runtime:';

/** A runtime that failed: attempts that might still close its breaker, and the last one before it. */
interface Failing {
  readonly live: ReadonlySet<string>;
  readonly lastEpoch: number;
  /** The look at the journal in which it was first seen. */
  readonly look: number;
}

export class BreakerChecks {
  checks = 0;
  readonly #failing = new Map<string, Failing>();
  readonly #ledger: Ledger;
  #look = 0;
  #wrong: Violation | null = null;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Looks at a dispatch in the moment of the statement: its scopes let it through. */
  sawRows({ address, sql }: SimDatabase, text: string, args: readonly SqlValue[]): void {
    if (!address.startsWith('rig/') || !text.startsWith('INSERT INTO attempts')) return;
    const view = new SqlRigView(sql);
    const attempt = view.attempt(trusted.attempt(String(args[0])));
    // One that has ended comes back from the archive.
    if (attempt === null || attempt.endedAtMs !== null) return;
    this.checks += 1;
    const { runtime, runner } = attempt;
    for (const scope of [RIG_SCOPE, runtimeScope(runtime), runnerScope(runner), pairScope(runtime, runner)] as const)
      if (isClosedToDispatch(view.breaker(scope), attempt.startedAtMs))
        this.#wrong ??= new Violation('I7', `${address}: ${attempt.id} was dispatched into the open breaker ${scope}`);
  }

  /** A new look at what was written; a statement's error would be the actor's, so it is kept until here. */
  afterStep(): void {
    this.#look += 1;
    if (this.#wrong !== null) throw this.#wrong;
  }

  /** Looks at the journal: a runtime's breaker is closed by a process of that runtime, and by nothing else. */
  sawJournal(database: SimDatabase, row: SqlRow): void {
    const entity = String(row['entity']);
    if (!entity.startsWith(RUNTIME) || entity.includes('@')) return;
    const key = `${database.address} ${entity}`;
    const runtime = entity.slice(RUNTIME.length);
    if (row['action'] === 'trip_breaker') {
      if (!this.#failing.has(key)) this.#failing.set(key, this.#startOf(database, runtime));
      return;
    }
    const failing = this.#failing.get(key);
    this.#failing.delete(key);
    if (failing === undefined || failing.look === this.#look || String(row['reason']).startsWith('nothing needed'))
      return;
    this.checks += 1;
    // By the machines themselves: that a process began may be told after what proves that it ran.
    const passed = database.sql
      .all('SELECT id, epoch FROM attempts WHERE runtime = ?', runtime)
      .filter(({ id }) => this.#ledger.hasRun(String(id)))
      .some((one) => failing.live.has(String(one['id'])) || Number(one['epoch']) > failing.lastEpoch);
    if (!passed)
      throw new Violation(
        'I22',
        `${database.address}: ${entity} was closed although no process of it ran since it failed`,
      );
  }

  #startOf({ sql }: SimDatabase, runtime: string): Failing {
    const live = sql.all('SELECT id FROM attempts WHERE runtime = ? AND ended_at IS NULL', runtime);
    const [last] = sql.all('SELECT MAX(epoch) AS epoch FROM attempts');
    return {
      live: new Set(live.map((row) => String(row['id']))),
      lastEpoch: Number(last?.['epoch'] ?? 0),
      look: this.#look,
    };
  }
}
