import type { RigConfig } from '../core/commands.ts';
import type { Convoy, ConvoyAddition, ConvoyBead } from '../core/model/convoy.ts';
import { trusted, type ConvoyId, type RigName } from '../core/model/ids.ts';
import type { EscalationSummary } from '../core/queries.ts';
import type { TownView } from '../core/town-view.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { CONVOY_BEAD_COLUMNS, CONVOY_COLUMNS } from './columns.ts';
import {
  convoyAdditionFromRow,
  convoyBeadFromRow,
  convoyFromRow,
  int,
  intOrNull,
  json,
  text,
  textOrNull,
  word,
} from './rows.ts';

export interface RigRow {
  readonly name: RigName;
  readonly prefix: string;
  readonly config: RigConfig;
  readonly createdAtMs: number;
}

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/** The rules' and queries' window on the town's database. */
export class SqlTownView implements TownView {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  convoy(id: ConvoyId): Convoy | null {
    const row = this.#sql.all(`SELECT ${CONVOY_COLUMNS} FROM convoys WHERE id = ?`, id)[0];
    return row === undefined ? null : convoyFromRow(row);
  }

  convoyBeads(id: ConvoyId): readonly ConvoyBead[] {
    return this.#sql
      .all(`SELECT ${CONVOY_BEAD_COLUMNS} FROM convoy_beads WHERE convoy_id = ? ORDER BY position`, id)
      .map(convoyBeadFromRow);
  }

  convoyAdditions(id: ConvoyId): readonly ConvoyAddition[] {
    return this.#sql
      .all(
        `SELECT batch, state, reason FROM convoy_additions WHERE convoy_id = ? AND state <> 'done' ORDER BY batch`,
        id,
      )
      .map(convoyAdditionFromRow);
  }

  convoyAddition(id: ConvoyId, batch: number): ConvoyAddition | null {
    const row = this.#sql.all(
      'SELECT batch, state, reason FROM convoy_additions WHERE convoy_id = ? AND batch = ?',
      id,
      batch,
    )[0];
    return row === undefined ? null : convoyAdditionFromRow(row);
  }

  convoyAskedAbout(id: ConvoyId): number {
    const row = this.#sql.all('SELECT asked_about FROM convoys WHERE id = ?', id)[0];
    return row === undefined ? 0 : int(row['asked_about']);
  }

  rigNames(): readonly RigName[] {
    return this.#sql
      .all('SELECT name FROM rigs ORDER BY created_at, name')
      .map((row) => trusted.rig(text(row['name'])));
  }

  rigs(): readonly RigRow[] {
    return this.#sql.all('SELECT name, prefix, config, created_at FROM rigs ORDER BY created_at, name').map(rigRow);
  }

  rig(name: string): RigRow | null {
    const row = this.#sql.all('SELECT name, prefix, config, created_at FROM rigs WHERE name = ?', name)[0];
    return row === undefined ? null : rigRow(row);
  }

  rigByPrefix(prefix: string): RigRow | null {
    const row = this.#sql.all('SELECT name, prefix, config, created_at FROM rigs WHERE prefix = ?', prefix)[0];
    return row === undefined ? null : rigRow(row);
  }

  convoys(limit: number, after: { readonly createdAtMs: number; readonly id: string } | null): readonly Convoy[] {
    const rows =
      after === null
        ? this.#sql.all(`SELECT ${CONVOY_COLUMNS} FROM convoys ORDER BY created_at DESC, id DESC LIMIT ?`, limit)
        : this.#sql.all(
            `SELECT ${CONVOY_COLUMNS} FROM convoys WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
            after.createdAtMs,
            after.id,
            limit,
          );
    return rows.map(convoyFromRow);
  }

  liveConvoys(): readonly Convoy[] {
    return this.#sql
      .all(
        `SELECT ${CONVOY_COLUMNS} FROM convoys WHERE status NOT IN ('landed', 'failed', 'cancelled') ORDER BY created_at, id`,
      )
      .map(convoyFromRow);
  }

  escalations(openOnly: boolean): readonly EscalationSummary[] {
    return this.#sql
      .all(
        `SELECT id, source_rig_id, severity, category, message, subject, repeats, acknowledged, resolved_at, created_at FROM escalations
          ${openOnly ? 'WHERE resolved_at IS NULL' : ''} ORDER BY created_at DESC LIMIT 500`,
      )
      .map(escalationRow);
  }
}

const rigRow = (row: SqlRow): RigRow => ({
  name: trusted.rig(text(row['name'])),
  prefix: text(row['prefix']),
  config: json<RigConfig>(row['config']),
  createdAtMs: int(row['created_at']),
});

function escalationRow(row: SqlRow): EscalationSummary {
  const rig = textOrNull(row['source_rig_id']);
  const resolved = intOrNull(row['resolved_at']) !== null;
  return {
    id: text(row['id']),
    rig: rig === null || rig === '' ? null : trusted.rig(rig),
    severity: word(SEVERITIES, row['severity'], 'escalations.severity'),
    category: textOrNull(row['category']) ?? '',
    message: text(row['message']),
    subject: text(row['subject']),
    status: resolved ? 'resolved' : int(row['acknowledged']) === 1 ? 'acknowledged' : 'open',
    repeats: int(row['repeats']),
    createdAtMs: int(row['created_at']),
  };
}
