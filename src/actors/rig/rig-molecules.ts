import { conflict, notFound, precondition } from '../../core/errors.ts';
import type { Bead } from '../../core/model/bead.ts';
import type { AttemptId } from '../../core/model/ids.ts';
import { currentStep, isAvailable, type Formula, type Molecule, type MoleculeStep } from '../../core/model/molecule.ts';
import { beadRef } from '../../core/refs.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/** What an agent says about a step: that it is done, or why it is left out. */
export interface StepReport {
  readonly step: number;
  readonly status: 'done' | 'skipped';
  readonly summary: string;
}

/** Attaches a formula. The same one again changes nothing. Errors: `takes_no_formula`, `has_molecule`. */
export function attachFormula(rig: RigContext, turn: Turn, bead: Bead, formula: Formula): void {
  const known = rig.view.molecule(bead.id);
  if (known !== null) {
    if (isSame(known, formula)) return;
    throw conflict(
      'has_molecule',
      `${bead.id} follows the formula "${known.formula}" already.`,
      'Leave it, or create another bead for the other formula.',
    );
  }
  if (bead.status !== 'open' || bead.type !== 'issue' || bead.branchOf !== null)
    throw conflict(
      'takes_no_formula',
      `${bead.id} takes no formula: it is ${bead.branchOf === null ? bead.status : `rework of ${bead.branchOf}`}.`,
      'A formula is attached before the work begins. Create a new bead for it.',
    );
  rig.view.molecules.attach(bead.id, formula, turn.nowMs);
  turn.dirty(beadRef(bead.id));
}

const isSame = (known: Molecule, formula: Formula): boolean =>
  known.formula === formula.name &&
  known.steps.length === formula.steps.length &&
  known.steps.every((step, index) => {
    const other = formula.steps[index];
    return (
      step.title === other?.title &&
      step.instructions === other.instructions &&
      step.isRequired === other.isRequired &&
      step.needs.join() === other.needs.join()
    );
  });

/**
 * Settles a step of the bead of a live attempt, once: the same report again changes nothing, another one is refused.
 * Errors: `superseded`, `no_molecule`, `step_not_found`, `out_of_order`, `step_settled`.
 */
export function advance(rig: RigContext, turn: Turn, attempt: AttemptId, report: StepReport): Molecule {
  const row = rig.view.attempt(attempt);
  if (row === null || row.endedAtMs !== null)
    throw conflict('superseded', `The attempt ${attempt} has ended.`, 'Stop working: what you committed is kept.');
  const molecule = rig.view.molecule(row.beadId);
  if (molecule === null)
    throw precondition('no_molecule', `${row.beadId} follows no formula.`, 'Finish it with "gt done".');
  const step = molecule.steps.find((one) => one.number === report.step);
  if (step === undefined) throw notFound('step', String(report.step));
  if (step.status === report.status && step.summary === report.summary) return molecule;
  mustTake(molecule, step);
  rig.view.molecules.settle(row.beadId, { ...report, number: step.number }, { attempt, nowMs: turn.nowMs });
  turn.dirty(beadRef(row.beadId));
  turn.journal({
    entity: beadRef(row.beadId),
    action: 'advance_molecule',
    rule: 'command',
    reason: `step ${String(step.number)} of ${String(molecule.steps.length)} by ${attempt}`,
    to: report.status,
  });
  return rig.view.molecule(row.beadId) ?? molecule;
}

function mustTake(molecule: Molecule, step: MoleculeStep): void {
  if (step.status !== 'open')
    throw conflict(
      'step_settled',
      `Step ${String(step.number)} is ${step.status} already; that stands.`,
      'Go on with "gt mol current".',
    );
  if (isAvailable(molecule, step)) return;
  throw precondition(
    'out_of_order',
    `Step ${String(step.number)} comes after ${step.needs.map(String).join(', ')}; step ${String(currentStep(molecule)?.number ?? 0)} is open.`,
    'Work on "gt mol current", or leave it out with gt mol advance --skip "<why>".',
  );
}
