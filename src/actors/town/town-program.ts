import type { Decision, TownAction, TownFact, Verdicts } from '../../core/actions.ts';
import type { RigToTown } from '../../core/messages.ts';
import type { MayorToTown } from '../../core/mayor-actions.ts';
import { budgetRef, convoyRef, escalationRef, MAILBOX, parseRef, type Ref } from '../../core/refs.ts';
import { budgetRule } from '../../core/rules/budget.ts';
import { convoyRule } from '../../core/rules/convoy.ts';
import { escalationRule } from '../../core/rules/escalation.ts';
import type { InboxEvent, OutboxRow } from '../../store/kernel-store.ts';
import type { Migration } from '../../store/migrate.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import { parseJson } from '../../store/rows.ts';
import type { SqlTownView } from '../../store/town-view.ts';
import type { Activity, EffectOutcome, Observation, Program } from '../kernel/program.ts';
import type { Turn } from '../kernel/turn.ts';
import { notify } from './escalation-effects.ts';
import { applyTownAction } from './town-actions.ts';
import type { TownContext } from './town-context.ts';
import { applyMessage, applyTownFact } from './town-events.ts';

/** The coordinator over rigs: registry, convoys, escalations. It runs no agents and touches no repository. */
export class TownProgram implements Program {
  readonly migrations: readonly Migration[] = TOWN_MIGRATIONS;
  readonly #town: TownContext;
  readonly #deliver: (row: OutboxRow) => Promise<EffectOutcome>;

  constructor(town: TownContext, deliver: (row: OutboxRow) => Promise<EffectOutcome>) {
    this.#town = town;
    this.#deliver = deliver;
  }

  get view(): SqlTownView {
    return this.#town.view;
  }

  applyEvent(turn: Turn, event: InboxEvent): void {
    if (event.type.startsWith('message.'))
      applyMessage(this.#town, turn, parseJson<(RigToTown | MayorToTown) & { readonly from: string }>(event.payload));
    else applyTownFact(this.#town, turn, parseJson<TownFact>(event.payload));
  }

  reconcile(turn: Turn, ref: Ref): number | null {
    const { kind, id } = parseRef(ref);
    if (kind === 'mailbox') return this.#town.post.expire(turn);
    const verdicts = this.#judge(kind, id, turn.nowMs);
    for (const decision of verdicts.decisions) turn.decide(decision, this.#apply);
    return verdicts.wakeAtMs;
  }

  #judge(kind: string, id: string, nowMs: number): Verdicts<TownAction> {
    switch (kind) {
      case 'convoy':
        return convoyRule(this.view, id, nowMs);
      case 'budget':
        return budgetRule(this.view, id);
      case 'escalation':
        return escalationRule(this.view, id, nowMs);
      default:
        return { decisions: [], wakeAtMs: null };
    }
  }

  readonly #apply = (turn: Turn, action: TownAction, decision: Decision<TownAction>): void => {
    applyTownAction(this.#town, turn, action, decision);
  };

  quarantined(turn: Turn, subject: string, error: string): void {
    turn.journal({ entity: subject, action: 'quarantine', rule: 'kernel', reason: error });
    this.#town.raise(turn, {
      rig: '',
      causeKey: `row:${subject}`,
      severity: 'high',
      category: 'quarantine',
      subject,
      message: `${subject} can't be read and was set aside: ${error}`,
    });
  }

  liveRefs(): readonly Ref[] {
    return [
      ...this.view.liveConvoys().map((convoy) => convoyRef(convoy.id)),
      ...this.view.unacknowledgedEscalations().map((id) => escalationRef(id)),
      ...this.view.budgetStore.all().map((budget) => budgetRef(budget.id)),
      MAILBOX,
    ];
  }

  activity(): Activity {
    const any = (query: string): boolean => this.#town.sql.all(query).length > 0;
    if (any(`SELECT 1 AS one FROM outbox WHERE state = 'pending' LIMIT 1`)) return 'active';
    return any(`SELECT 1 AS one FROM convoys WHERE status NOT IN ('landed', 'failed', 'cancelled') LIMIT 1`)
      ? 'waiting'
      : 'none';
  }

  perform(row: OutboxRow): Promise<EffectOutcome> {
    switch (row.kind) {
      case 'message':
        return this.#deliver(row);
      case 'notify':
        return notify(this.#town, row);
      default:
        return Promise.resolve({ state: 'failed', error: `unknown effect ${row.kind}` });
    }
  }

  observe(): Promise<Observation> {
    return this.#town.watchdog.observe();
  }
}
