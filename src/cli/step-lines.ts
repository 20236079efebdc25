import type { MoleculeItem } from '../api/contract/molecules.ts';
import type { Context } from './context.ts';
import { paint, plain } from './output.ts';

const MARKS = { done: '✓', skipped: '–', open: '·' } as const;

/** One line per step, for people. */
export function stepLines(context: Pick<Context, 'style'>, molecule: MoleculeItem): readonly string[] {
  const settled = molecule.steps.filter((step) => step.status !== 'open').length;
  const head = `${paint(context.style, 'bold', plain(molecule.formula))}  ${String(settled)} of ${String(molecule.steps.length)} steps`;
  return [
    head,
    ...molecule.steps.map((step) => {
      const mark = step.number === molecule.current ? '▸' : MARKS[step.status];
      const more = step.summary === null ? (step.optional ? '(optional)' : '') : `${step.status}: ${step.summary}`;
      return plain(`  ${mark} ${String(step.number)}  ${step.title}${more === '' ? '' : `  ${more}`}`);
    }),
  ];
}
