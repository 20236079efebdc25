import type { Bead } from './model/bead.ts';
import { engineOf } from './quota.ts';
import { EXIT_NO_RECIPE, lacksRecipe } from './recipe.ts';
import type { AttemptFacts, RigView } from './view.ts';

/** The attempt failed for that, and the next one would: neither the text nor the runtime was changed since. */
const hasNothingToRun = (view: RigView, bead: Bead, attempt: AttemptFacts | null): boolean =>
  attempt?.exit?.exitCode === EXIT_NO_RECIPE && lacksRecipe(bead, engineOf(bead, view.config()).runtime);

/** What makes another try of a bead worth it after this attempt, for people. */
export function retryAdvice(view: RigView, bead: Bead, attempt: AttemptFacts | null): string {
  const retry = `"gt bead retry ${bead.id}"`;
  const update = `gt bead update ${bead.id}`;
  return hasNothingToRun(view, bead, attempt)
    ? `Give it another runtime with "${update} --runtime claude", or such a block with "${update} --body-file <file>"; then ${retry}.`
    : `Try again with ${retry}, or change it first with "${update} --body-file <file>".`;
}

/** The same as one command that can be pasted. */
export const retryCommand = (view: RigView, bead: Bead): string =>
  hasNothingToRun(view, bead, view.lastAttempt(bead.id))
    ? `gt bead update ${bead.id} --runtime claude && gt bead retry ${bead.id}`
    : `gt bead retry ${bead.id}`;
