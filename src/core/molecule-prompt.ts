import { currentStep, isAvailable, type Molecule, type MoleculeStep } from './model/molecule.ts';

/** The steps of a formula for its agent: what is behind, what is now, what comes. Instructions only of what can be done now. */
export function moleculeText(molecule: Molecule, fence: (text: string, origin: string) => string): string {
  const parts = [
    `This bead follows the formula "${molecule.formula}". Take its steps in order. After each: gt mol advance --summary "<what was done>"; to leave one out: gt mol advance --skip "<why>". "gt done" is refused while a step is open that is not optional.`,
    fence(molecule.steps.map((step) => line(molecule, step)).join('\n'), 'formula'),
  ];
  for (const step of molecule.steps)
    if (isAvailable(molecule, step) && step.instructions !== '')
      parts.push(`What step ${String(step.number)} asks for:\n${fence(step.instructions, 'formula')}`);
  return parts.join('\n\n');
}

function line(molecule: Molecule, step: MoleculeStep): string {
  const head = `Step ${String(step.number)} of ${String(molecule.steps.length)}${step.isRequired ? '' : ' (optional)'}`;
  if (step.status !== 'open') return `${head}, ${step.status}: ${step.title} (${step.summary ?? ''})`;
  if (step === currentStep(molecule)) return `${head}, now: ${step.title}`;
  if (isAvailable(molecule, step)) return `${head}, possible now: ${step.title}`;
  return `${head}, after ${step.needs.map(String).join(', ')}: ${step.title}`;
}
