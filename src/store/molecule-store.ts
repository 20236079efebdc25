import type { BeadId } from '../core/model/ids.ts';
import { STEP_STATUSES, type Formula, type Molecule, type MoleculeStep } from '../core/model/molecule.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { int, json, text, textOrNull, word } from './rows.ts';
import { GuardFailed } from './guard-failed.ts';

/** Formulas attached to beads of one rig, and how far they are. */
export class MoleculeStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  of(bead: BeadId): Molecule | null {
    const [row] = this.#sql.all('SELECT formula FROM molecules WHERE bead_id = ?', bead);
    if (row === undefined) return null;
    const steps = this.#sql.all(
      'SELECT number, title, instructions, needs, required, status, summary, attempt_id FROM molecule_steps WHERE bead_id = ? ORDER BY number',
      bead,
    );
    return moleculeFromRows(row, steps);
  }

  attach(bead: BeadId, formula: Formula, nowMs: number): void {
    this.#sql.all('INSERT INTO molecules (bead_id, formula, created_at) VALUES (?, ?, ?)', bead, formula.name, nowMs);
    for (const [index, step] of formula.steps.entries())
      this.#sql.all(
        'INSERT INTO molecule_steps (bead_id, number, title, instructions, needs, required) VALUES (?, ?, ?, ?, ?, ?)',
        bead,
        index + 1,
        step.title,
        step.instructions,
        JSON.stringify(step.needs),
        step.isRequired ? 1 : 0,
      );
  }

  /** The same steps, all open, for a bead that takes another's place. */
  copy(from: BeadId, to: BeadId, nowMs: number): void {
    const known = this.of(from);
    if (known !== null) this.attach(to, { name: known.formula, steps: known.steps }, nowMs);
  }

  /** Throws `GuardFailed` when it is settled already. */
  settle(
    bead: BeadId,
    step: { readonly number: number; readonly status: 'done' | 'skipped'; readonly summary: string },
    by: { readonly attempt: string; readonly nowMs: number },
  ): void {
    const settled = this.#sql.all(
      `UPDATE molecule_steps SET status = ?, summary = ?, attempt_id = ?, settled_at = ? WHERE bead_id = ? AND number = ? AND status = 'open' RETURNING number`,
      step.status,
      step.summary,
      by.attempt,
      by.nowMs,
      bead,
      step.number,
    );
    if (settled.length === 0) throw new GuardFailed(`step ${String(step.number)} of ${bead} is not open`);
  }
}

/** A formula at work from its rows, wherever they lie. */
export const moleculeFromRows = (row: SqlRow, steps: readonly SqlRow[]): Molecule => ({
  formula: text(row['formula']),
  steps: steps.map(stepFromRow).toSorted((a, b) => a.number - b.number),
});

const stepFromRow = (row: SqlRow): MoleculeStep => ({
  number: int(row['number']),
  title: text(row['title']),
  instructions: text(row['instructions']),
  needs: json<readonly number[]>(row['needs']),
  isRequired: int(row['required']) === 1,
  status: word(STEP_STATUSES, row['status'], 'molecule_steps.status'),
  summary: textOrNull(row['summary']),
  settledBy: textOrNull(row['attempt_id']),
});
