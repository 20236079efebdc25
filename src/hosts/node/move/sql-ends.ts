/** The two ends of a move whose actors' databases are open in this process. */
import type { HeldActor, HeldTown, TransferStep } from '../../../api/contract/transfer.ts';
import type { TransferDoor } from '../../../api/handlers/transfer.ts';
import { conflict } from '../../../core/errors.ts';
import { MAYOR_ADDRESS } from '../../../core/model/mayor.ts';
import type { ActorAddress } from '../../../ports/host.ts';
import type { Sql } from '../../../ports/sql.ts';
import { checksum, migrate, newestOf, type Migration } from '../../../store/migrate.ts';
import { MAYOR_MIGRATIONS } from '../../../store/migrations/mayor.ts';
import { RIG_MIGRATIONS } from '../../../store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../../store/migrations/town.ts';
import { ActorTransfer, mustBeSameSchema, schemaOf, type Notes, type Schema } from '../../../store/transfer.ts';

function migrationsOf(address: ActorAddress): readonly Migration[] {
  if (address === 'town') return TOWN_MIGRATIONS;
  return address === MAYOR_ADDRESS ? MAYOR_MIGRATIONS : RIG_MIGRATIONS;
}

const notes = (): Notes => {
  const kept = new Map<string, unknown>();
  return { get: (key) => kept.get(key), put: (key, value) => void kept.set(key, value) };
};

/** What the database says of itself; it may be older than this program. */
function schemaIn(sql: Sql): Schema {
  const rows = sql.all('SELECT id, checksum FROM migrations ORDER BY id');
  const statements = rows.map((row) => String(row['checksum']));
  const newest = newestOf(rows.map((row) => ({ id: Number(row['id']), name: '', statements: [] })));
  return { newest, checksum: checksum({ id: 0, name: 'all', statements }) };
}

/** Rows of databases that nobody writes. Errors: `schema_differs`. */
export function sqlSource(options: {
  readonly town: HeldTown['town'];
  readonly settings: string;
  readonly databases: ReadonlyMap<ActorAddress, Sql>;
  /** Answers the move in force. */
  readonly hold: (move: string) => string;
}): TransferDoor {
  const transfers = new Map([...options.databases].map(([at, sql]) => [at, new ActorTransfer(sql, notes())]));
  const of = (address: string): ActorTransfer => must(transfers.get(address), address);
  const createdAt = (address: string): number | null => {
    const town = options.databases.get('town');
    const row = town?.all('SELECT created_at FROM rigs WHERE rig_do_id = ?', address)[0];
    return typeof row?.['created_at'] === 'number' ? row['created_at'] : null;
  };
  const hold = (wanted: string): HeldTown => {
    const move = options.hold(wanted);
    const actors = [...options.databases].map(([address, sql]): HeldActor => {
      const schema = schemaIn(sql);
      mustBeSameSchema(address, schema, schemaOf(migrationsOf(address)));
      const transfer = of(address);
      return {
        address,
        createdAtMs: createdAt(address),
        schema,
        tables: [...transfer.tables()],
        counters: [...transfer.counters()],
      };
    });
    return { move, town: options.town, settings: options.settings, actors };
  };
  return async (step: TransferStep) => {
    switch (step.step) {
      case 'hold':
        return hold(step.move);
      case 'read':
        return of(step.address).read(step.table, step.after);
      case 'sum':
        return of(step.address).sum(step.table, step.sum, step.after);
      case 'counters':
        return of(step.address).counters();
      default:
        throw conflict(
          'not_a_target',
          'This end only gives its rows.',
          'Import into a new folder or a town of objects.',
        );
    }
  };
}

/** New databases that take rows. Nothing of it counts before `finished` has run. */
export function sqlTarget(options: {
  readonly open: (address: ActorAddress) => Sql;
  readonly nowMs: number;
  readonly settings: (text: string) => void;
  /** The last step: everything is there and was compared. */
  readonly finished: (step: Extract<TransferStep, { readonly step: 'resume' }>) => void;
}): TransferDoor {
  const transfers = new Map<string, ActorTransfer>();
  const of = (address: string): ActorTransfer => must(transfers.get(address), address);
  const begin = (step: Extract<TransferStep, { readonly step: 'begin' }>): unknown => {
    const migrations = migrationsOf(step.address);
    mustBeSameSchema(step.address, step.schema, schemaOf(migrations));
    const sql = options.open(step.address);
    migrate(sql, migrations, options.nowMs);
    const transfer = new ActorTransfer(sql, notes());
    transfers.set(step.address, transfer);
    if (step.settings !== null) options.settings(step.settings);
    return { state: 'loading', loaded: transfer.begin() };
  };
  return async (step: TransferStep) => {
    switch (step.step) {
      case 'begin':
        return begin(step);
      case 'load':
        of(step.address).load(step.n, step.chunk);
        return null;
      case 'finish':
        of(step.address).finish(step.counters);
        return null;
      case 'sum':
        return of(step.address).sum(step.table, step.sum, step.after);
      case 'counters':
        return of(step.address).counters();
      case 'accept':
        of(step.address).done();
        return null;
      case 'resume':
        options.finished(step);
        return null;
      default:
        throw conflict('not_a_source', 'This end only takes rows.', 'Export the other town.');
    }
  };
}

function must<T>(value: T | undefined, address: string): T {
  if (value === undefined) throw conflict('no_such_actor', `There is no actor "${address}" here.`, 'Export it again.');
  return value;
}
