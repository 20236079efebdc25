import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { recipeBlocks } from '../../core/recipe.ts';
import type { Runtime } from './runtime.ts';

/** What `script-main` finds in the attempt's folder. */
export interface RecipeFile {
  readonly allowed: boolean;
  readonly title: string;
  /** Files to run by `sh -e`, in order. */
  readonly blocks: readonly string[];
}

/** From source, Node strips types at each start; with the runner's own cache that costs nothing after the first time. */
function compileCache(): Record<string, string> {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

/** The same ending as this file: source and build alike. */
const MAIN = fileURLToPath(new URL(`./script-main${extname(import.meta.url)}`, import.meta.url));

/**
 * Runs the recipe in the bead's text; not an AI agent. A recipe starts over from the base: run on top of its own partial
 * work it would be applied twice. The partial work stays in the rescue ref.
 */
export const scriptRuntime: Runtime = {
  name: 'script',
  capabilities: { continuesWork: false, resume: false, nudge: false, structuredOutput: false, ai: false },
  detect: () => Promise.resolve({ available: true, version: process.version, next: null }),
  start: async ({ request, stateDir, env }) => {
    const folder = join(stateDir, 'recipe');
    await mkdir(folder, { recursive: true });
    const blocks: string[] = [];
    for (const [index, text] of recipeBlocks(request.recipeBody).entries()) {
      const path = join(folder, `${String(index + 1)}.sh`);
      await writeFile(path, text, { mode: 0o600 });
      blocks.push(path);
    }
    const recipe: RecipeFile = { allowed: request.recipeAllowed, title: request.title, blocks };
    const file = join(folder, 'recipe.json');
    await writeFile(file, JSON.stringify(recipe), { mode: 0o600 });
    const args = ['--disable-warning=ExperimentalWarning', MAIN, file];
    return { command: process.execPath, args, stdin: null, env: { ...env, ...compileCache() } };
  },
};
