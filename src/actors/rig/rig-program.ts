import type { Ref } from '../../core/refs.ts';
import { agentRef, attemptEntity, beadRef, MAILBOX, quotaRef, SCHEDULE, trainRef } from '../../core/refs.ts';
import { FORGE_IN_FLIGHT_MAX, LOOKS_AT_ONCE_MAX, OBSERVE_BATCH_MAX } from '../../core/limits.ts';
import { reconcileRig } from '../../core/rules/index.ts';
import type { RigConfig } from '../../core/commands.ts';
import type { RigToTown } from '../../core/messages.ts';
import { trusted } from '../../core/model/ids.ts';
import type { InboxEvent, OutboxRow } from '../../store/kernel-store.ts';
import { busyFeatures } from '../../store/feature-store.ts';
import type { Migration } from '../../store/migrate.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import type { Activity, EffectOutcome, Observation, ObservedKind, Program, SlowKind } from '../kernel/program.ts';
import type { Turn } from '../kernel/turn.ts';
import { settingsChanged } from './pull-steps.ts';
import { hurryJobs } from '../../store/job-store.ts';
import { RigActions } from './rig-actions.ts';
import { nameOld } from './put-away.ts';
import { tellActivity } from './rig-activity.ts';
import { tellBudgets } from './rig-budgets.ts';
import type { RigContext } from './rig-context.ts';
import { RigEffects } from './rig-effects.ts';
import { RigEvents } from './rig-events.ts';
import { localRunner, runnerChanged } from './rig-runners.ts';

/** The scheduler, witness and refinery of one repository, as the kernel sees it. */
export class RigProgram implements Program {
  readonly migrations: readonly Migration[] = RIG_MIGRATIONS;
  readonly slow: SlowKind = { kind: 'forge', max: FORGE_IN_FLIGHT_MAX };
  readonly observes: readonly ObservedKind[] = [
    { prefix: 'attempt:', max: OBSERVE_BATCH_MAX },
    { prefix: 'bead:', max: LOOKS_AT_ONCE_MAX },
  ];
  readonly #rig: RigContext;
  readonly #events: RigEvents;
  readonly #actions: RigActions;
  readonly #effects: RigEffects;
  readonly #deliver: (row: OutboxRow) => Promise<EffectOutcome>;

  constructor(rig: RigContext, deliver: (row: OutboxRow) => Promise<EffectOutcome>) {
    this.#rig = rig;
    this.#events = new RigEvents(rig);
    this.#actions = new RigActions(rig);
    this.#effects = new RigEffects(rig);
    this.#deliver = deliver;
  }

  applyEvent(turn: Turn, event: InboxEvent): void {
    this.#events.apply(turn, event);
  }

  reconcile(turn: Turn, ref: Ref): number | null {
    const { view } = this.#rig;
    const verdicts = view.still(() => (view.hasConfig() ? reconcileRig(view, ref, turn.nowMs) : null));
    if (verdicts === null) return null;
    for (const decision of verdicts.decisions) turn.decide(decision, this.#actions.apply);
    if (ref === SCHEDULE) {
      tellActivity(this.#rig, turn);
      tellBudgets(this.#rig, turn);
    }
    return verdicts.wakeAtMs;
  }

  quarantined(turn: Turn, subject: string, error: string): void {
    turn.journal({ entity: subject, action: 'quarantine', rule: 'kernel', reason: error });
    turn.send<RigToTown>('town', this.#rig.address, {
      type: 'escalation_raised',
      causeKey: `row:${subject}`,
      severity: 'high',
      category: 'quarantine',
      subject,
      text: `${subject} can't be read and was set aside: ${error}`,
    });
  }

  liveRefs(): readonly Ref[] {
    const { sql } = this.#rig;
    const ids = (query: string): string[] => sql.all(query).map((row) => String(row['id']));
    return [
      ...ids(
        // Not one OR: that would read every attempt that there ever was.
        'SELECT id FROM attempts WHERE process_gone = 0 UNION SELECT id FROM attempts WHERE ended_at IS NULL',
      ).map((id) => attemptEntity(trusted.attempt(id))),
      ...ids(`SELECT id FROM agents WHERE status NOT IN ('idle', 'dead')`).map((id) => agentRef(trusted.agent(id))),
      ...ids(`SELECT id FROM beads WHERE status IN ('open', 'in_progress', 'in_review') ORDER BY id`).map((id) =>
        beadRef(trusted.bead(id)),
      ),
      // What ended while its merge request could not: one look more, in case it still has one.
      ...ids(
        `SELECT source_bead_id AS id FROM reviews WHERE step <> 'ended' AND source_bead_id IN (SELECT id FROM beads WHERE status IN ('closed', 'failed'))`,
      ).map((id) => beadRef(trusted.bead(id))),
      ...ids(`SELECT DISTINCT target_branch AS id FROM reviews WHERE step <> 'ended'`).map((id) => trainRef(id)),
      ...busyFeatures(sql).map((branch) => trainRef(branch)),
      ...ids('SELECT id FROM quota_windows').map((scope) => quotaRef(scope)),
      SCHEDULE,
      MAILBOX,
    ];
  }

  activity(): Activity {
    const { sql, view } = this.#rig;
    const any = (query: string): boolean => sql.all(query).length > 0;
    if (!view.hasConfig()) return 'none';
    if (
      any('SELECT 1 AS one FROM attempts WHERE process_gone = 0 LIMIT 1') ||
      any(`SELECT 1 AS one FROM outbox WHERE state = 'pending' LIMIT 1`)
    )
      return 'active';
    if (
      any(
        `SELECT 1 AS one FROM beads WHERE type = 'issue' AND status = 'open' AND hold IS NULL AND open_blockers = 0 AND failed_blockers = 0 LIMIT 1`,
      )
    )
      return 'active';
    return any(`SELECT 1 AS one FROM beads WHERE status IN ('open', 'in_progress', 'in_review') LIMIT 1`)
      ? 'waiting'
      : 'none';
  }

  /** Names what is old enough to rest; the rules decide. */
  collect(turn: Turn): boolean {
    return nameOld(this.#rig, turn);
  }

  perform(row: OutboxRow): Promise<EffectOutcome> {
    return row.kind === 'message' ? this.#deliver(row) : this.#effects.perform(row);
  }

  observe(entities: readonly Ref[]): Promise<Observation> {
    return this.#effects.observe(entities);
  }

  /** Takes the rig's settings; the first time they also order the bare clone, so that the first agent need not wait. */
  configure(turn: Turn, config: RigConfig): void {
    const { view } = this.#rig;
    const known = view.hasConfig() ? JSON.stringify(view.config()) : null;
    const wanted = JSON.stringify(config);
    if (known === wanted) return;
    turn.kernel.setMeta('config', wanted);
    if (!config.parked) turn.kernel.setMeta('drain', 'no');
    turn.journal({
      entity: `rig:${config.name}`,
      action: 'configure',
      rule: 'command',
      reason: known === null ? 'registered' : 'settings changed',
    });
    const repo = { rig: config.name, url: config.url, targetBranch: config.targetBranch };
    if (known === null)
      turn.effect({
        key: `job:repo:${config.name}`,
        kind: 'job',
        lane: 'repo',
        payload: { job: { kind: 'repo', key: `repo:${config.name}`, repo } },
      });
    if (known !== null) settingsChanged(this.#rig, turn, this.#rig.writer(turn));
    // An address or a right may be another one.
    if (known !== null) hurryJobs(turn.sql, turn.nowMs);
    turn.dirty(SCHEDULE);
  }

  /** A process of this instance answers now beside the daemon. */
  runnerChanged(turn: Turn, instance: string): void {
    if (this.#rig.view.runnerInstance() === instance) return;
    turn.kernel.setMeta('runner', instance);
    runnerChanged(this.#rig, turn, localRunner(this.#rig, instance));
  }
}
