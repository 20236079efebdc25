import type { RigConfig } from '../core/commands.ts';
import type { Convoy, ConvoyAddition, ConvoyBead } from '../core/model/convoy.ts';
import type { Escalation, EscalationRoute } from '../core/model/escalation.ts';
import { trusted, type ConvoyId, type EscalationId, type RigName } from '../core/model/ids.ts';
import type { ConvoyLanding } from '../core/model/landing.ts';
import type { Budget, BudgetPart, BudgetTold } from '../core/budget.ts';
import type { TownView } from '../core/town-view.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { BudgetStore, type ToldTerms } from './budget-store.ts';
import { CONVOY_BEAD_COLUMNS, CONVOY_COLUMNS, ESCALATION_COLUMNS } from './columns.ts';
import { escalationFromRow, escalationRouteFromRow } from './escalation-rows.ts';
import type { ConvoyRevert } from '../core/model/revert.ts';
import { readConvoyReverts } from './convoy-revert-store.ts';
import { readLandings } from './landing-store.ts';
import { convoyAdditionFromRow, convoyBeadFromRow, convoyFromRow, int, json, text } from './rows.ts';

export interface RigRow {
  readonly name: RigName;
  readonly prefix: string;
  readonly config: RigConfig;
  readonly createdAtMs: number;
}

/** What the registry holds against another rig of that name or prefix. */
type Namesake = Pick<RigRow, 'name' | 'prefix'> & { readonly url: string };

/** More open escalations than a person can read mean one cause; the newest say which. */
const ESCALATIONS_SHOWN_MAX = 500;

/** The rules' and queries' window on the town's database. */
export class SqlTownView implements TownView {
  readonly #sql: Sql;
  readonly budgetStore: BudgetStore;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.budgetStore = new BudgetStore(sql);
  }

  budget(id: string): Budget | null {
    return this.budgetStore.get(id);
  }

  budgetParts(id: string): readonly BudgetPart[] {
    return this.budgetStore.parts(id);
  }

  budgetTold(id: string): BudgetTold {
    return this.budgetStore.told(id);
  }

  budgetRigs(budget: Budget): readonly string[] {
    return this.budgetStore.rigsOf(budget);
  }

  budgetTerms(id: string, rig: string): ToldTerms | null {
    return this.budgetStore.terms(id, rig);
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

  convoyLandings(id: ConvoyId): readonly ConvoyLanding[] {
    return readLandings(this.#sql, id);
  }

  convoyReverts(id: ConvoyId): readonly ConvoyRevert[] {
    return readConvoyReverts(this.#sql, id);
  }

  /** Convoys of these beads that failed or were cancelled. */
  givenUpConvoysOf(beads: readonly string[]): readonly string[] {
    return this.#sql
      .all(
        `SELECT DISTINCT c.id AS id FROM convoy_beads b JOIN convoys c ON c.id = b.convoy_id
          WHERE b.bead_id IN (SELECT value FROM json_each(?)) AND c.status IN ('failed', 'cancelled')`,
        JSON.stringify(beads),
      )
      .map((row) => text(row['id']));
  }

  convoyAskedAbout(id: ConvoyId): number {
    const row = this.#sql.all('SELECT asked_about FROM convoys WHERE id = ?', id)[0];
    return row === undefined ? 0 : int(row['asked_about']);
  }

  rigs(): readonly RigRow[] {
    return this.#sql
      .all('SELECT name, prefix, config, created_at FROM rigs ORDER BY created_at, name')
      .filter((row) => !isRemoved(row))
      .map(rigRow);
  }

  isRemovedRig(name: string): boolean {
    const row = this.#sql.all('SELECT config FROM rigs WHERE name = ?', name)[0];
    return row !== undefined && isRemoved(row);
  }

  /** A rig of the town; one that was removed is none. */
  rig(name: string): RigRow | null {
    const row = this.#sql.all('SELECT name, prefix, config, created_at FROM rigs WHERE name = ?', name)[0];
    return row === undefined || isRemoved(row) ? null : rigRow(row);
  }

  rigByPrefix(prefix: string): RigRow | null {
    const row = this.#sql.all('SELECT name, prefix, config, created_at FROM rigs WHERE prefix = ?', prefix)[0];
    return row === undefined || isRemoved(row) ? null : rigRow(row);
  }

  /** Rigs that this name or this prefix belongs to, for ever: those that were removed too. */
  namesakes(name: string, prefix: string): readonly Namesake[] {
    return this.#sql
      .all('SELECT name, prefix, git_url FROM rigs WHERE name = ? OR prefix = ?', name, prefix)
      .map((row) => ({
        name: trusted.rig(text(row['name'])),
        prefix: text(row['prefix']),
        url: text(row['git_url']),
      }));
  }

  convoys(limit: number, after: { readonly createdAtMs: number; readonly id: string } | null): readonly Convoy[] {
    const rows =
      after === null
        ? this.#sql.all(`SELECT ${CONVOY_COLUMNS} FROM convoys ORDER BY created_at DESC, id DESC LIMIT 0 + ?`, limit)
        : this.#sql.all(
            `SELECT ${CONVOY_COLUMNS} FROM convoys WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT 0 + ?`,
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

  escalations(openOnly: boolean): readonly Escalation[] {
    return this.#sql
      .all(
        `SELECT ${ESCALATION_COLUMNS} FROM escalations ${openOnly ? 'WHERE resolved_at IS NULL' : ''} ORDER BY created_at DESC LIMIT 0 + ?`,
        ESCALATIONS_SHOWN_MAX,
      )
      .map(escalationFromRow);
  }

  /** Causes of open escalations that begin like this. */
  openCauses(prefix: string): readonly string[] {
    return this.#sql
      .all(
        'SELECT cause_key FROM escalations WHERE resolved_at IS NULL AND substr(cause_key, 1, length(?)) = ?',
        prefix,
        prefix,
      )
      .map((row) => text(row['cause_key']));
  }

  escalation(id: string): Escalation | null {
    const row = this.#sql.all(`SELECT ${ESCALATION_COLUMNS} FROM escalations WHERE id = ?`, id)[0];
    return row === undefined ? null : escalationFromRow(row);
  }

  escalationRoutes(id: string): readonly EscalationRoute[] {
    return this.#sql
      .all(
        `SELECT r.round AS round, r.route AS route, r.severity AS severity, r.state AS state, r.error AS error, r.created_at AS created_at,
            r.settled_at AS settled_at, o.tries AS tries, o.error AS effect_error
          FROM escalation_routes r LEFT JOIN outbox o ON o.key = 'notify:' || r.escalation_id || ':' || r.round || ':' || r.route
          WHERE r.escalation_id = ? ORDER BY r.round, r.created_at, r.route`,
        id,
      )
      .map(escalationRouteFromRow);
  }

  /** Open ones that may still rise or have something to tell. */
  unacknowledgedEscalations(): readonly EscalationId[] {
    return this.#sql
      .all('SELECT id FROM escalations WHERE resolved_at IS NULL AND acknowledged = 0')
      .map((row) => trusted.escalation(text(row['id'])));
  }
}

/** The row stays when a rig is removed: its prefix is for life, and it may come back with its history. */
const isRemoved = (row: SqlRow): boolean => json<{ readonly removed?: boolean }>(row['config']).removed === true;

const rigRow = (row: SqlRow): RigRow => ({
  name: trusted.rig(text(row['name'])),
  prefix: text(row['prefix']),
  config: json<RigConfig>(row['config']),
  createdAtMs: int(row['created_at']),
});
