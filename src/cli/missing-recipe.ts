import type { BeadItem } from '../api/contract/beads.ts';
import type { RigItem } from '../api/contract/rigs.ts';
import { TownError } from '../core/errors.ts';
import { lacksRecipe } from '../core/recipe.ts';
import type { Context } from './context.ts';
import type { TownClient } from './town-client.ts';

/** The one sentence for who chose no AI and may not know it. */
export const scriptSentence = (rig: string): string =>
  `The runtime of ${rig} is "script", which is no AI: it runs shell that stands in the body of a bead ("gt help script").`;

/** Says at once what the agent of a slung bead can only say by failing: it runs recipes, and there is none. */
export async function hintMissingRecipe(
  context: Pick<Context, 'json' | 'hint'>,
  client: Pick<TownClient, 'get'>,
  bead: Pick<BeadItem, 'id' | 'rig' | 'kind' | 'body' | 'runtime'>,
): Promise<void> {
  // Of another runtime it can't lack one, whatever its rig has: nobody is asked.
  if (context.json || !lacksRecipe(bead, bead.runtime ?? 'script')) return;
  if (bead.runtime === null && (await runtimeOf(client, bead.rig)) !== 'script') return;
  context.hint(bead.runtime === null ? scriptSentence(bead.rig) : 'The runtime "script" is no AI ("gt help script").');
  context.hint(
    `${bead.id} has none and will fail. Give it an agent: gt bead update ${bead.id} --runtime claude, or a recipe: gt bead update ${bead.id} --body-file <file>`,
  );
}

/** Undefined: nobody can say it, such as a town of an older version. */
async function runtimeOf(client: Pick<TownClient, 'get'>, rig: string): Promise<string | undefined> {
  try {
    const { items } = await client.get<{ items: readonly RigItem[] }>('rigs');
    return items.find((item) => item.id === rig)?.runtime;
  } catch (error) {
    // The bead is slung; a hint that can't be given is no error of that.
    if (error instanceof TownError) return undefined;
    throw error;
  }
}
