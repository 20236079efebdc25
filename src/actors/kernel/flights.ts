import { EFFECT_DEADLINE_MS, EFFECTS_IN_FLIGHT_MAX } from '../../core/limits.ts';
import type { ClaimRoom, OutboxRow } from '../../store/kernel-store.ts';
import type { Program } from './program.ts';

/** The effects of one actor that are under way. */
export class Flights {
  /** When each is taken for lost. */
  readonly #lostAtMs = new Map<OutboxRow, number>();
  readonly #max: number;
  readonly #program: Program;

  constructor(program: Program, max: number = EFFECTS_IN_FLIGHT_MAX) {
    this.#program = program;
    this.#max = max;
  }

  /** What may be claimed. An effect that never answers gives its place back at its deadline, when its row comes back too. */
  room(nowMs: number): ClaimRoom {
    for (const [row, lostAtMs] of this.#lostAtMs) if (lostAtMs <= nowMs) this.#lostAtMs.delete(row);
    const all = this.#max - this.#lostAtMs.size;
    if (this.#program.slow === undefined) return { all };
    const { kind, max } = this.#program.slow;
    const under = [...this.#lostAtMs.keys()].filter((row) => row.kind === kind).length;
    return { all, slow: { kind, room: max - under } };
  }

  begin(row: OutboxRow, nowMs: number): void {
    this.#lostAtMs.set(row, nowMs + EFFECT_DEADLINE_MS);
  }

  end(row: OutboxRow): void {
    this.#lostAtMs.delete(row);
  }
}
