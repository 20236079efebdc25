import { conflict } from '../../core/errors.ts';
import type { Fact } from '../../core/facts.ts';
import type { Sql } from '../../ports/sql.ts';
import type { Migration } from '../../store/migrate.ts';
import {
  ActorTransfer,
  mustBeSameSchema,
  schemaOf,
  type Chunk,
  type Counter,
  type Place,
  type Schema,
  type SumStep,
  type TableSum,
} from '../../store/transfer.ts';
import type { FileStore } from '../../settings/town-file.ts';
import type { DurableStorage } from './durable.ts';

const HELD = 'transfer:held';
/** The move that this object came in by. */
const CAME_BY = 'transfer:came-by';

interface Held {
  readonly state: 'held' | 'loading';
  readonly move: string;
}

interface Options {
  readonly storage: DurableStorage;
  readonly sql: Sql;
  readonly migrations: () => readonly Migration[];
  /** The town's settings; only its own object has them. */
  readonly file: () => FileStore | null;
  /** Ends the actor of this life: it takes no more work. */
  readonly close: () => void;
  readonly open: (facts: readonly Fact[]) => Promise<void>;
}

/**
 * One object's part in a move. While it is held it answers nothing but this, has no alarm and takes no message, in each
 * of its lives: two towns with the same rows must never act at the same time.
 */
export class ObjectMove {
  readonly #options: Options;
  readonly #transfer: ActorTransfer;

  constructor(options: Options) {
    this.#options = options;
    this.#transfer = new ActorTransfer(options.sql, options.storage.kv);
  }

  isHeld(): boolean {
    return this.#held() !== null;
  }

  state(): { readonly state: 'open' | 'held' | 'loading'; readonly move: string | null } {
    return this.#held() ?? { state: 'open', move: null };
  }

  /** Answers the move in force: an export that is repeated goes on with the first one. */
  async hold(move: string): Promise<{
    readonly move: string;
    readonly createdAtMs: number | null;
    readonly schema: Schema;
    readonly tables: readonly string[];
    readonly counters: readonly Counter[];
  }> {
    const held = this.#held();
    if (held?.state === 'loading') throw unfinished();
    const { storage, close, migrations } = this.#options;
    if (held === null) {
      storage.kv.put(HELD, { state: 'held', move });
      close();
      await storage.deleteAlarm();
      await storage.sync();
    }
    const createdAtMs = storage.kv.get('createdAtMs');
    return {
      move: held?.move ?? move,
      createdAtMs: typeof createdAtMs === 'number' ? createdAtMs : null,
      schema: schemaOf(migrations()),
      tables: this.#transfer.tables(),
      counters: this.#transfer.counters(),
    };
  }

  read(table: string, after: Place): { readonly chunk: Chunk; readonly next: Place } {
    this.#mustBeHeld();
    return this.#transfer.read(table, after);
  }

  sum(table: string, sum: TableSum, after: Place): SumStep {
    this.#mustBeHeld();
    return this.#transfer.sum(table, sum, after);
  }

  settings(): string {
    return this.#options.file()?.read() ?? '';
  }

  counters(): readonly Counter[] {
    return this.#transfer.counters();
  }

  /** Errors: `not_empty`, `schema_differs`, `other_move`. */
  async begin(
    move: string,
    from: {
      readonly address: string;
      readonly schema: Schema;
      readonly createdAtMs: number | null;
      readonly settings: string | null;
    },
  ): Promise<{ readonly state: 'loading' | 'held' | 'done'; readonly loaded: number }> {
    const { storage, close, migrations } = this.#options;
    const held = this.#held();
    if (held !== null && held.move !== move) throw otherMove();
    if (held === null && storage.kv.get(CAME_BY) === move) return { state: 'done', loaded: 0 };
    mustBeSameSchema(from.address, from.schema, schemaOf(migrations()));
    if (held?.state === 'held') {
      if (storage.kv.get(CAME_BY) !== move) throw otherMove();
      return { state: 'held', loaded: 0 };
    }
    if (held === null) {
      this.#transfer.mustBeEmpty();
      close();
      storage.transactionSync(() => {
        storage.kv.put(HELD, { state: 'loading', move });
        if (from.settings !== null) this.#options.file()?.write(from.settings);
        if (from.createdAtMs !== null) storage.kv.put('createdAtMs', from.createdAtMs);
      });
      await storage.deleteAlarm();
    }
    const loaded = this.#transfer.begin();
    await storage.sync();
    return { state: 'loading', loaded };
  }

  load(n: number, chunk: Chunk): void {
    if (this.#held()?.state !== 'loading') throw otherMove();
    this.#transfer.load(n, chunk);
  }

  finish(counters: readonly Counter[]): void {
    if (this.#held()?.state === 'loading') this.#transfer.finish(counters);
  }

  /** Its rows are all there and were compared. */
  async accept(move: string): Promise<void> {
    const held = this.#held();
    if (held?.move !== move) throw otherMove();
    const { storage } = this.#options;
    storage.transactionSync(() => {
      storage.kv.put(HELD, { state: 'held', move });
      storage.kv.put(CAME_BY, move);
      this.#transfer.done();
    });
    await storage.sync();
  }

  /** Goes on from its rows. */
  async resume(facts: readonly Fact[]): Promise<void> {
    const held = this.#held();
    if (held?.state === 'loading') throw unfinished();
    if (held !== null) this.#options.storage.kv.put(HELD, null);
    await this.#options.open(facts);
  }

  #mustBeHeld(): void {
    if (!this.isHeld())
      throw conflict('not_held', 'The town works, so its rows change while they are read.', 'Start the export again.');
  }

  #held(): Held | null {
    const held = this.#options.storage.kv.get(HELD);
    return isHeld(held) ? held : null;
  }
}

const isHeld = (value: unknown): value is Held =>
  typeof value === 'object' && value !== null && 'state' in value && 'move' in value;

const unfinished = (): Error =>
  conflict(
    'import_unfinished',
    'An import into this town has not ended.',
    'Run it again: it goes on where it stopped.',
  );
const otherMove = (): Error =>
  conflict('other_move', 'This town is held by another move.', 'Finish that one, or import into another town.');
