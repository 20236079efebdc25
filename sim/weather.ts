import type { FaultKind } from './plan.ts';
import type { Prng } from './prng.ts';
import type { Scheduler } from './scheduler.ts';

interface Spell {
  readonly untilMs: number;
  readonly strength: number;
}

/** Which faults are about, and how often each has really struck. */
export class Weather {
  readonly struck = new Map<FaultKind, number>();
  readonly #spells = new Map<FaultKind, Spell>();
  /** Faults that strike once, when so many opportunities have passed. */
  readonly #armed = new Map<FaultKind, number>();
  readonly #time: Scheduler;
  readonly #chance: Prng;
  /** Last moment at which anything was wrong: what follows it soon after may still be its effect. */
  lastTroubleMs = 0;

  constructor(time: Scheduler, chance: Prng) {
    this.#time = time;
    this.#chance = chance;
  }

  begin(kind: FaultKind, durationMs: number, strength: number): void {
    this.#spells.set(kind, { untilMs: this.#time.nowMs + durationMs, strength });
    this.note(durationMs);
  }

  arm(kind: FaultKind, countdown: number): void {
    this.#armed.set(kind, countdown);
  }

  /** An opportunity for a lasting fault: true when it strikes. */
  hits(kind: FaultKind, probability?: number): boolean {
    const spell = this.#spells.get(kind);
    if (spell === undefined || this.#time.nowMs > spell.untilMs) return false;
    if (!this.#chance.chance(probability ?? spell.strength)) return false;
    this.count(kind);
    return true;
  }

  /** A lasting fault may strike now, or did so just before. */
  isAbout(kind: FaultKind): boolean {
    return this.#spells.has(kind);
  }

  /** An opportunity for a fault that strikes once. */
  fires(kind: FaultKind): boolean {
    const left = this.#armed.get(kind);
    if (left === undefined) return false;
    if (left > 0) {
      this.#armed.set(kind, left - 1);
      return false;
    }
    this.#armed.delete(kind);
    this.count(kind);
    return true;
  }

  count(kind: FaultKind): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
    this.note(0);
  }

  note(durationMs: number): void {
    this.lastTroubleMs = Math.max(this.lastTroubleMs, this.#time.nowMs + durationMs);
  }

  clear(): void {
    this.#spells.clear();
    this.#armed.clear();
  }

  get total(): number {
    return [...this.struck.values()].reduce((sum, count) => sum + count, 0);
  }
}
