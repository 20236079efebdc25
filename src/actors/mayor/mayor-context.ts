import type { MayorToTown } from '../../core/mayor-actions.ts';
import { crockford, sortableTime, trusted, type AttemptId, type MailId } from '../../core/model/ids.ts';
import { MAYOR_ADDRESS, type MayorConfig } from '../../core/model/mayor.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { KernelStore } from '../../store/kernel-store.ts';
import { MayorStore } from '../../store/mayor-store.ts';
import { parseJson } from '../../store/rows.ts';
import type { Turn } from '../kernel/turn.ts';

/** Random characters of an id behind the millisecond. */
const RANDOM_CHARACTERS = 8;

/** What every part of the mayor's actor shares. */
export class MayorContext {
  readonly sql: Sql;
  readonly ports: HostPorts;
  readonly town: { readonly id: string; readonly name: string };
  readonly store: MayorStore;
  readonly #kernel: KernelStore;

  constructor(options: {
    readonly sql: Sql;
    readonly ports: HostPorts;
    readonly town: { readonly id: string; readonly name: string };
  }) {
    this.sql = options.sql;
    this.ports = options.ports;
    this.town = options.town;
    this.store = new MayorStore(options.sql);
    this.#kernel = new KernelStore(options.sql);
  }

  /** Null: this town has no mayor. */
  config(): MayorConfig | null {
    const stored = this.#kernel.getMeta('config');
    return stored === null ? null : parseJson<MayorConfig | null>(stored);
  }

  facts(): ReturnType<MayorStore['facts']> {
    return this.store.facts(this.config() !== null, this.ports.hasLocalRunner ?? true);
  }

  mintAttempt(nowMs: number): AttemptId {
    return trusted.attempt(`at-${this.#sortable(nowMs)}`);
  }

  mintMail(nowMs: number): MailId {
    return trusted.mail(`ml-${this.#sortable(nowMs)}`);
  }

  #sortable(nowMs: number): string {
    return sortableTime(nowMs) + crockford(this.ports.random.bytes(RANDOM_CHARACTERS));
  }

  tellTown(turn: Turn, message: MayorToTown): void {
    turn.send<MayorToTown>('town', MAYOR_ADDRESS, message);
  }
}
