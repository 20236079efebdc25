import type { Decision } from '../../core/actions.ts';
import type { Ref } from '../../core/refs.ts';
import type { Sql } from '../../ports/sql.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import { messageLane, type KernelStore, type NewEffect, type NewEvent } from '../../store/kernel-store.ts';

/**
 * One turn of an actor: one transaction. Everything that is decided or written in it carries the turn's time and tick,
 * and everything that must be looked at again is collected here, not guessed.
 */
export class Turn {
  readonly sql: Sql;
  readonly kernel: KernelStore;
  readonly nowMs: number;
  #tick: number | null = null;
  #dirty = new Set<Ref>();

  constructor(sql: Sql, kernel: KernelStore, nowMs: number) {
    this.sql = sql;
    this.kernel = kernel;
    this.nowMs = nowMs;
  }

  /** Number of this turn; taken only when something is journalled, so that an empty turn writes nothing. */
  get tick(): number {
    this.#tick ??= Number(this.kernel.getMeta('tick') ?? 0) + 1;
    return this.#tick;
  }

  /** Remembers the tick outside of every savepoint: what is undone must not give its number to the next turn. */
  finish(): void {
    if (this.#tick !== null) this.kernel.setMeta('tick', String(this.#tick));
  }

  /** Marks an entity for this turn's reconcile. */
  readonly dirty = (ref: Ref): void => {
    this.#dirty.add(ref);
  };

  /**
   * Takes the marked entities; what is marked from now on is the next round's. In one order whatever touched them: which
   * of two equals comes first must not depend on who else was looked at.
   */
  takeDirty(): readonly Ref[] {
    const refs = [...this.#dirty].toSorted();
    this.#dirty = new Set();
    return refs;
  }

  get hasDirty(): boolean {
    return this.#dirty.size > 0;
  }

  journal(row: {
    entity: string;
    action: string;
    rule: string;
    reason: string;
    from?: string | null;
    to?: string | null;
  }): void {
    this.kernel.writeJournal({
      tick: this.tick,
      atMs: this.nowMs,
      entity: row.entity,
      action: row.action,
      rule: row.rule,
      reason: row.reason,
      from: row.from ?? null,
      to: row.to ?? null,
    });
  }

  effect(effect: Omit<NewEffect, 'atMs'> & { readonly atMs?: number }): void {
    this.kernel.addEffect({ ...effect, atMs: effect.atMs ?? this.nowMs }, this.nowMs);
  }

  /** A fact of this actor to itself; applied in this turn or the next. False when the key is known. */
  event(event: NewEvent): boolean {
    return this.kernel.appendEvent(event, this.nowMs);
  }

  /** Puts a message into the channel to another actor: performed in order, applied there exactly once. */
  send<Message extends { readonly type: string }>(to: string, from: string, message: Message): void {
    const seq = this.kernel.nextSent(to);
    this.effect({
      key: `message:${to}:${String(seq)}`,
      kind: 'message',
      lane: messageLane(to),
      payload: { from, to, seq, message },
    });
  }

  /**
   * Applies a decision whole or not at all. A guard that no longer holds makes it a recorded no-op: two rules judged
   * the same entity in one round and the other came first.
   */
  decide<Action extends { readonly type: string }>(
    decision: Decision<Action>,
    apply: (turn: Turn, action: Action, decision: Decision<Action>) => void,
  ): boolean {
    const before = new Set(this.#dirty);
    try {
      this.sql.tx(() => {
        for (const action of decision.actions) apply(this, action, decision);
      });
      return decision.actions.length > 0;
    } catch (error) {
      if (!(error instanceof GuardFailed)) throw error;
      this.#dirty = before;
      this.journal({
        entity: decision.entity,
        action: 'no_op',
        rule: decision.rule,
        reason: `${decision.reason}; skipped: ${error.message}`,
      });
      return false;
    }
  }
}
