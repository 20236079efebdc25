import { usage } from '../errors.ts';

/** `skipped`: by its agent, with a reason; both of the last two are final. */
export const STEP_STATUSES = ['open', 'done', 'skipped'] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** One step of a formula. */
export interface FormulaStep {
  readonly title: string;
  readonly instructions: string;
  /** Numbers of the earlier steps that are settled before it. */
  readonly needs: readonly number[];
  /** False: the work may be handed in while it is open. */
  readonly isRequired: boolean;
}

/** Steps in order for one kind of work, from a file of the town. */
export interface Formula {
  readonly name: string;
  readonly steps: readonly FormulaStep[];
}

/** A step of one bead. `number` counts from 1. */
export interface MoleculeStep extends FormulaStep {
  readonly number: number;
  readonly status: StepStatus;
  /** What came of it, or why it was left out. */
  readonly summary: string | null;
  /** The attempt that settled it. */
  readonly settledBy: string | null;
}

/** A formula at work: attached to one bead, it outlives the attempts. */
export interface Molecule {
  readonly formula: string;
  readonly steps: readonly MoleculeStep[];
}

/** A step as its file says it. Without `needs` it comes after the step before it. */
export interface StepDraft {
  readonly id?: string | undefined;
  readonly title: string;
  readonly instructions?: string | undefined;
  /** Ids of earlier steps. */
  readonly needs?: readonly string[] | undefined;
  readonly optional?: boolean | undefined;
}

/** Puts numbers for ids. A step needs only earlier ones, so there is no circle. Errors: `bad_formula`. */
export function makeFormula(name: string, drafts: readonly StepDraft[]): Formula {
  const numbers = new Map<string, number>();
  const steps = drafts.map((draft, index) => {
    const needs = draft.needs?.map((id) => needed(id, index, { numbers, drafts })) ?? (index === 0 ? [] : [index]);
    if (draft.id !== undefined) {
      if (numbers.has(draft.id)) throw bad(index, `the id ${JSON.stringify(draft.id)} is taken by an earlier step`);
      numbers.set(draft.id, index + 1);
    }
    return {
      title: draft.title,
      instructions: draft.instructions ?? '',
      needs: [...new Set(needs)].toSorted((a, b) => a - b),
      isRequired: draft.optional !== true,
    };
  });
  return { name, steps };
}

function needed(
  id: string,
  index: number,
  known: { readonly numbers: ReadonlyMap<string, number>; readonly drafts: readonly StepDraft[] },
): number {
  const number = known.numbers.get(id);
  if (number !== undefined) return number;
  const isLater = known.drafts.some((draft) => draft.id === id);
  throw bad(
    index,
    isLater
      ? `it needs ${JSON.stringify(id)}, which does not come before it`
      : `it needs ${JSON.stringify(id)}, and no step has that id`,
  );
}

const bad = (index: number, why: string): Error =>
  usage(
    'bad_formula',
    `Step ${String(index + 1)} of the formula is not valid: ${why}.`,
    'A step needs only steps before it, by their id.',
    `steps.${String(index)}`,
  );

const isOpen = (step: MoleculeStep): boolean => step.status === 'open';

/** True when nothing that it needs is open. */
export function isAvailable(molecule: Molecule, step: MoleculeStep): boolean {
  return isOpen(step) && !molecule.steps.some((other) => isOpen(other) && step.needs.includes(other.number));
}

/** The first open step that needs no open one; null when none is open. */
export const currentStep = (molecule: Molecule): MoleculeStep | null =>
  molecule.steps.find((step) => isAvailable(molecule, step)) ?? null;

/** The steps in the way of "done". */
export const missingSteps = (molecule: Molecule | null): readonly MoleculeStep[] =>
  molecule === null ? [] : molecule.steps.filter((step) => step.isRequired && isOpen(step));
