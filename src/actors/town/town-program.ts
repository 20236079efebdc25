import type { RigToTown, TownAction, TownToRig } from '../../core/actions.ts';
import { unreachable } from '../../core/assert.ts';
import { allows, CONVOY_TRANSITIONS } from '../../core/transitions.ts';
import { crockford, TOWN_SUFFIX_LENGTH, trusted } from '../../core/model/ids.ts';
import { convoyRef, parseRef, type Ref } from '../../core/refs.ts';
import { convoyRule } from '../../core/rules/convoy.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import type { InboxEvent, OutboxRow } from '../../store/kernel-store.ts';
import type { Migration } from '../../store/migrate.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import { parseJson } from '../../store/rows.ts';
import { SqlTownView } from '../../store/town-view.ts';
import type { Activity, EffectOutcome, Observation, Program } from '../kernel/program.ts';
import type { Turn } from '../kernel/turn.ts';

export const TOWN_ADDRESS = 'town';
export const rigAddress = (rig: string): string => `rig/${rig}`;
const rigOf = (address: string): string => address.slice(address.indexOf('/') + 1);

/** The coordinator over rigs: registry, convoys, escalations. It runs no agents and touches no repository. */
export class TownProgram implements Program {
  readonly migrations: readonly Migration[] = TOWN_MIGRATIONS;
  readonly view: SqlTownView;
  readonly #sql: Sql;
  readonly #ports: HostPorts;
  readonly #deliver: (row: OutboxRow) => Promise<EffectOutcome>;

  constructor(sql: Sql, ports: HostPorts, deliver: (row: OutboxRow) => Promise<EffectOutcome>) {
    this.#sql = sql;
    this.#ports = ports;
    this.#deliver = deliver;
    this.view = new SqlTownView(sql);
  }

  applyEvent(turn: Turn, event: InboxEvent): void {
    const message = parseJson<RigToTown & { readonly from: string }>(event.payload);
    switch (message.type) {
      case 'beads_created':
        for (const bead of message.beads) this.#beadCreated(message.convoy, bead);
        turn.dirty(convoyRef(trusted.convoy(message.convoy)));
        return;
      case 'beads_refused':
        this.#sql.all(
          `UPDATE convoys SET reason = ?, version = version + 1 WHERE id = ? AND status = 'creating'`,
          message.reason,
          message.convoy,
        );
        turn.dirty(convoyRef(trusted.convoy(message.convoy)));
        return;
      case 'bead_ended':
        this.#beadEnded(turn, message);
        return;
      case 'remote_blocker':
        this.waitFor(turn, message.blocker, rigOf(message.from));
        return;
      case 'escalation_raised':
        this.#raise(turn, rigOf(message.from), message);
        return;
      case 'escalation_resolved':
        this.#resolve(turn, message.causeKey);
        return;
      default:
        unreachable(message, 'message of a rig');
    }
  }

  #beadCreated(
    convoy: string,
    bead: { readonly position: number; readonly bead: string; readonly title: string },
  ): void {
    this.#sql.all(
      `UPDATE convoy_beads SET bead_id = ?, title = ?, status = 'live' WHERE convoy_id = ? AND position = ? AND status = 'creating'`,
      bead.bead,
      bead.title,
      convoy,
      bead.position,
    );
    this.#sql.all(
      'UPDATE remote_waits SET blocker_ref = ? WHERE blocker_ref = ?',
      bead.bead,
      `${convoy}/${String(bead.position)}`,
    );
  }

  #beadEnded(turn: Turn, message: Extract<RigToTown, { readonly type: 'bead_ended' }>): void {
    const cleared = message.status === 'closed' && message.closeReason !== 'cancelled';
    const status = cleared ? 'closed' : message.closeReason === 'cancelled' ? 'cancelled' : 'failed';
    const rows = this.#sql.all(
      `UPDATE convoy_beads SET status = ?, close_reason = ?, merge_sha = ? WHERE bead_id = ? AND status IN ('live', 'creating') RETURNING convoy_id`,
      status,
      message.closeReason,
      message.mergeSha,
      message.bead,
    );
    for (const row of rows) turn.dirty(convoyRef(trusted.convoy(String(row['convoy_id']))));
    const waits = this.#sql.all(
      `UPDATE remote_waits SET state = ? WHERE blocker_ref = ? AND state = 'open' RETURNING rig_id`,
      cleared ? 'cleared' : 'failed',
      message.bead,
    );
    for (const wait of waits)
      this.#tell(
        turn,
        String(wait['rig_id']),
        cleared
          ? { type: 'gate_cleared', ref: message.bead }
          : { type: 'gate_failed', ref: message.bead, reason: `${message.bead} ended as ${message.closeReason}` },
      );
    turn.journal({
      entity: `bead:${message.bead}`,
      action: 'bead_ended',
      rule: 'events',
      reason: message.closeReason,
      to: status,
    });
  }

  /** A bead of one rig waits for a bead of another: remember it, and ask the owner to report its end. */
  waitFor(turn: Turn, blocker: string, waitingRig: string): void {
    this.#sql.all(
      `INSERT INTO remote_waits (blocker_ref, rig_id, state) VALUES (?, ?, 'open') ON CONFLICT (blocker_ref, rig_id) DO UPDATE SET state = 'open'`,
      blocker,
      waitingRig,
    );
    if (blocker.includes('/')) return;
    const owner = this.view.rigByPrefix(blocker.slice(0, blocker.indexOf('-')));
    if (owner === null)
      this.#tell(turn, waitingRig, { type: 'gate_failed', ref: blocker, reason: `no rig has beads like ${blocker}` });
    else this.#tell(turn, owner.name, { type: 'watch_bead', bead: blocker });
  }

  #tell(turn: Turn, rig: string, message: TownToRig): void {
    turn.send<TownToRig>(rigAddress(rig), TOWN_ADDRESS, message);
  }

  #raise(turn: Turn, rig: string, message: Extract<RigToTown, { readonly type: 'escalation_raised' }>): void {
    const id = trusted.escalation(`hq-esc-${crockford(this.#ports.random.bytes(TOWN_SUFFIX_LENGTH + 3))}`);
    this.#sql.all(
      `INSERT INTO escalations (id, source_rig_id, severity, category, message, subject, cause_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (cause_key) WHERE resolved_at IS NULL DO UPDATE SET repeats = repeats + 1, message = excluded.message`,
      id,
      rig,
      message.severity,
      message.category,
      message.text,
      message.subject,
      message.causeKey,
      turn.nowMs,
    );
    turn.journal({
      entity: message.subject,
      action: 'escalation_raised',
      rule: 'events',
      reason: message.text,
      to: message.severity,
    });
    this.#ports.log.warn('escalation', {
      severity: message.severity,
      category: message.category,
      subject: message.subject,
    });
  }

  #resolve(turn: Turn, causeKey: string): void {
    const rows = this.#sql.all(
      'UPDATE escalations SET resolved_at = ? WHERE cause_key = ? AND resolved_at IS NULL RETURNING subject',
      turn.nowMs,
      causeKey,
    );
    for (const row of rows)
      turn.journal({
        entity: String(row['subject']),
        action: 'escalation_resolved',
        rule: 'events',
        reason: 'its cause is gone',
      });
  }

  reconcile(turn: Turn, ref: Ref): number | null {
    const { kind, id } = parseRef(ref);
    if (kind !== 'convoy') return null;
    const verdicts = convoyRule(this.view, id);
    for (const decision of verdicts.decisions) turn.decide(decision, this.#apply);
    return verdicts.wakeAtMs;
  }

  readonly #apply = (
    turn: Turn,
    action: TownAction,
    decision: { readonly entity: Ref; readonly rule: string; readonly reason: string },
  ): void => {
    const base = { entity: decision.entity, action: action.type, rule: decision.rule, reason: decision.reason };
    switch (action.type) {
      case 'convoy_status':
        this.#moveConvoy(turn, action);
        turn.journal({ ...base, from: action.from, to: action.to });
        return;
      case 'update_convoy_progress':
        this.#sql.all(
          'UPDATE convoys SET closed_beads = ?, failed_beads = ?, cancelled_beads = ?, version = version + 1 WHERE id = ?',
          action.closed,
          action.failed,
          action.cancelled,
          action.convoy,
        );
        turn.journal(base);
        return;
      case 'message_rig':
        this.#tell(turn, action.rig, action.message);
        turn.journal({ ...base, to: `${action.rig}: ${action.message.type}` });
        return;
      default:
        throw new GuardFailed(`${action.type} is raised by events`);
    }
  };

  #moveConvoy(turn: Turn, action: Extract<TownAction, { readonly type: 'convoy_status' }>): void {
    const convoy = this.view.convoy(trusted.convoy(action.convoy));
    const to = CONVOY_TRANSITIONS.find((row) => row.to === action.to)?.to;
    if (
      convoy === null ||
      to === undefined ||
      convoy.status !== action.from ||
      !allows(CONVOY_TRANSITIONS, convoy.status, to)
    )
      throw new GuardFailed(`${action.convoy} can't go from ${action.from} to ${action.to}`);
    const rows = this.#sql.all(
      'UPDATE convoys SET status = ?, reason = coalesce(?, reason), landed_at = ?, version = version + 1 WHERE id = ? AND status = ? AND version = ? RETURNING version',
      to,
      action.reasonText,
      to === 'landed' ? turn.nowMs : null,
      convoy.id,
      convoy.status,
      convoy.version,
    );
    if (rows.length === 0) throw new GuardFailed(`${convoy.id} changed meanwhile`);
    turn.dirty(convoyRef(convoy.id));
  }

  quarantined(turn: Turn, subject: string, error: string): void {
    turn.journal({ entity: subject, action: 'quarantine', rule: 'kernel', reason: error });
    this.#raise(turn, '', {
      type: 'escalation_raised',
      causeKey: `row:${subject}`,
      severity: 'high',
      category: 'quarantine',
      subject,
      text: `${subject} can't be read and was set aside: ${error}`,
    });
  }

  liveRefs(): readonly Ref[] {
    return this.view.liveConvoys().map((convoy) => convoyRef(convoy.id));
  }

  activity(): Activity {
    if (this.#sql.all(`SELECT 1 AS one FROM outbox WHERE state = 'pending' LIMIT 1`).length > 0) return 'active';
    return this.#sql.all(`SELECT 1 AS one FROM convoys WHERE status NOT IN ('landed', 'failed', 'cancelled') LIMIT 1`)
      .length > 0
      ? 'waiting'
      : 'none';
  }

  perform(row: OutboxRow): Promise<EffectOutcome> {
    return row.kind === 'message'
      ? this.#deliver(row)
      : Promise.resolve({ state: 'failed', error: `unknown effect ${row.kind}` });
  }

  observe(): Promise<Observation> {
    return Promise.resolve({ events: [], again: new Map() });
  }
}
