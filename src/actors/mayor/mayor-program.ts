import type { Decision } from '../../core/actions.ts';
import type { MayorAction } from '../../core/mayor-actions.ts';
import type { MayorAttempt, MayorConfig } from '../../core/model/mayor.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import { attemptEntity, MAILBOX, MAYOR_REF, parseRef, type Ref } from '../../core/refs.ts';
import { mayorRule } from '../../core/rules/mayor.ts';
import type { InboxEvent, OutboxRow } from '../../store/kernel-store.ts';
import type { Migration } from '../../store/migrate.ts';
import { MAYOR_MIGRATIONS } from '../../store/migrations/mayor.ts';
import type { Activity, EffectOutcome, Observation, Program } from '../kernel/program.ts';
import type { Turn } from '../kernel/turn.ts';
import { applyMayorAction } from './mayor-actions.ts';
import type { MayorContext } from './mayor-context.ts';
import { MayorEffects } from './mayor-effects.ts';
import { applyMayorEvent } from './mayor-events.ts';
import { MayorPost } from './mayor-post.ts';
import { reviveOrders } from './mayor-runners.ts';

const PRESENCE = 'presence_told';

/** The conversation with the mayor and the life of its processes, as the kernel sees it. */
export class MayorProgram implements Program {
  readonly migrations: readonly Migration[] = MAYOR_MIGRATIONS;
  readonly effects: MayorEffects;
  readonly #mayor: MayorContext;
  readonly #post: MayorPost;
  readonly #deliver: (row: OutboxRow) => Promise<EffectOutcome>;

  constructor(mayor: MayorContext, deliver: (row: OutboxRow) => Promise<EffectOutcome>) {
    this.#mayor = mayor;
    this.#post = new MayorPost(mayor);
    this.effects = new MayorEffects(mayor);
    this.#deliver = deliver;
  }

  applyEvent(turn: Turn, event: InboxEvent): void {
    applyMayorEvent(this.#mayor, turn, event);
  }

  reconcile(turn: Turn, ref: Ref): number | null {
    const { kind } = parseRef(ref);
    if (kind === 'mailbox') return this.#post.expire(turn);
    if (kind !== 'mayor') return null;
    const verdicts = mayorRule(this.#mayor.facts(), turn.nowMs);
    for (const decision of verdicts.decisions) turn.decide(decision, this.#apply);
    return verdicts.wakeAtMs;
  }

  readonly #apply = (turn: Turn, action: MayorAction, decision: Decision<MayorAction>): void => {
    applyMayorAction(this.#mayor, turn, action, decision);
  };

  quarantined(turn: Turn, subject: string, error: string): void {
    turn.journal({ entity: subject, action: 'quarantine', rule: 'kernel', reason: error });
    this.#mayor.tellTown(turn, {
      type: 'escalation_raised',
      causeKey: `row:mayor:${subject}`,
      severity: 'high',
      category: 'mayor',
      subject,
      text: `${subject} of the mayor can't be read and was set aside: ${error}`,
    });
  }

  liveRefs(): readonly Ref[] {
    return [MAYOR_REF, MAILBOX];
  }

  /** What waits for a moment has a timer of its own; the net hangs only while something runs or is due. */
  activity(): Activity {
    const any = (query: string): boolean => this.#mayor.sql.all(query).length > 0;
    if (any('SELECT 1 AS one FROM attempts WHERE process_gone = 0 LIMIT 1')) return 'active';
    if (any(`SELECT 1 AS one FROM outbox WHERE state = 'pending' LIMIT 1`)) return 'active';
    const { isConfigured, wish, sitting, waitingMessages, newMail } = this.#mayor.facts();
    const hasWork = sitting !== null || waitingMessages + newMail > 0;
    return isConfigured && wish === 'running' && hasWork ? 'waiting' : 'none';
  }

  perform(row: OutboxRow): Promise<EffectOutcome> {
    return row.kind === 'message' ? this.#deliver(row) : this.effects.perform(row);
  }

  observe(entities: readonly Ref[]): Promise<Observation> {
    return this.effects.observe(entities);
  }

  /** Takes the settings of the town's file, and tells the town who reads the mail to the mayor. */
  configure(turn: Turn, config: MayorConfig | null): void {
    const wanted = JSON.stringify(config);
    const known = turn.kernel.getMeta('config') ?? 'null';
    if (known !== wanted) {
      turn.kernel.setMeta('config', wanted);
      turn.dirty(MAYOR_REF);
      turn.journal({
        entity: MAYOR_REF,
        action: 'configure',
        rule: 'command',
        reason: config === null ? 'this town has no mayor' : `runtime ${config.runtime}`,
      });
    }
    // Who said "yes" to an older program was not told of runners; the town answers with all of them.
    const present = config === null ? 'no' : 'introduced';
    if ((turn.kernel.getMeta(PRESENCE) ?? 'no') === present) return;
    turn.kernel.setMeta(PRESENCE, present);
    this.#mayor.tellTown(turn, { type: 'mayor_presence', present: config !== null });
  }

  /** Ends a process without charging anybody; what it was given goes to the next one. */
  evict(turn: Turn, attempt: MayorAttempt, reason: string): void {
    const actions: readonly MayorAction[] = [
      { type: 'end_mayor_attempt', attempt: attempt.id, outcome: 'evicted', reason },
      { type: 'stop_mayor', attempt: attempt.id, epoch: attempt.epoch, mode: 'graceful' },
    ];
    turn.decide({ rule: 'command', entity: MAYOR_REF, reason, actions }, this.#apply);
  }

  /** Another runner answers now: what ran under the former is asked about at once, and no order waits for its back-off. */
  runnerChanged(turn: Turn, instance: string): void {
    if (turn.kernel.getMeta('runner') === instance) return;
    turn.kernel.setMeta('runner', instance);
    reviveOrders(this.#mayor, turn, LOCAL_RUNNER);
    const attempt = this.#mayor.store.unresolved();
    if (attempt?.runner === LOCAL_RUNNER) turn.kernel.setTimer(attemptEntity(attempt.id), 'observe', turn.nowMs);
  }
}
