import { currentStep, type Molecule } from '../core/model/molecule.ts';
import type { MoleculeItem } from './contract/molecules.ts';

export const presentMolecule = (molecule: Molecule): MoleculeItem => ({
  formula: molecule.formula,
  current: currentStep(molecule)?.number ?? null,
  steps: molecule.steps.map((step) => ({
    number: step.number,
    title: step.title,
    instructions: step.instructions,
    needs: [...step.needs],
    optional: !step.isRequired,
    status: step.status,
    summary: step.summary,
    settled_by: step.settledBy,
  })),
});
