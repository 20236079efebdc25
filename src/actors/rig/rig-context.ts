import {
  BEAD_SUFFIX_LENGTH,
  crockford,
  sortableTime,
  trusted,
  type AttemptId,
  type BeadId,
  type MailId,
} from '../../core/model/ids.ts';
import type { Bead } from '../../core/model/bead.ts';
import { beadRef, type Ref } from '../../core/refs.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { NudgeStore } from '../../store/nudge-store.ts';
import { RigWriter } from '../../store/rig-writer.ts';
import { SqlRigView } from '../../store/rig-view.ts';
import type { Turn } from '../kernel/turn.ts';

/** Random characters of a time-sortable id: with the millisecond, no collision is to be expected. */
const SORTABLE_RANDOM = 8;
/** A minted bead id that exists already is drawn again, with one more character after so many tries. */
const MINT_TRIES = 4;

/** What every part of the rig actor shares: its view, its ports, its name. */
export class RigContext {
  readonly address: string;
  readonly ports: HostPorts;
  readonly view: SqlRigView;
  readonly nudges: NudgeStore;
  readonly sql: Sql;
  readonly town: string;

  constructor(options: {
    readonly address: string;
    readonly town: string;
    readonly ports: HostPorts;
    readonly sql: Sql;
  }) {
    this.address = options.address;
    this.town = options.town;
    this.ports = options.ports;
    this.sql = options.sql;
    this.view = new SqlRigView(options.sql, { hasLocalRunner: options.ports.hasLocalRunner ?? true });
    this.nudges = new NudgeStore(options.sql);
  }

  writer(turn: Turn): RigWriter {
    return new RigWriter(this.sql, this.view, turn.nowMs, (ref: Ref) => {
      turn.dirty(ref);
    });
  }

  /** A bead that is to be changed or waited for; one that rests in the archive comes back. */
  bead(turn: Turn, id: BeadId): Bead | null {
    const bead = this.view.bead(id);
    if (bead !== null || !this.view.archive.bringBack(id)) return bead;
    turn.journal({ entity: beadRef(id), action: 'bring_back', rule: 'archive', reason: 'somebody named it' });
    return this.view.bead(id);
  }

  /** Mints a bead id of this rig; only this actor mints with its prefix, so a look into its own table is enough. */
  mintBead(writer: RigWriter): BeadId {
    const { prefix } = this.view.config();
    for (let tries = 0; ; tries += 1) {
      const length = BEAD_SUFFIX_LENGTH + Math.floor(tries / MINT_TRIES);
      const id = trusted.bead(`${prefix}-${crockford(this.ports.random.bytes(length))}`);
      if (!writer.beadExists(id)) return id;
    }
  }

  mintAttempt(nowMs: number): AttemptId {
    return trusted.attempt(`at-${this.#sortable(nowMs)}`);
  }

  mintMail(nowMs: number): MailId {
    return trusted.mail(`ml-${this.#sortable(nowMs)}`);
  }

  mintNudge(nowMs: number): string {
    return `nu-${this.#sortable(nowMs)}`;
  }

  #sortable(nowMs: number): string {
    return sortableTime(nowMs) + crockford(this.ports.random.bytes(SORTABLE_RANDOM));
  }
}
