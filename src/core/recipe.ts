import type { Bead } from './model/bead.ts';

/** `EX_DATAERR` of sysexits: how the runtime `script` ends where there is nothing to run. */
export const EXIT_NO_RECIPE = 65;

/** Recipes are written by people and short; more blocks than this is a mistake. */
const RECIPE_BLOCKS_MAX: number = 100;

/** Shell text of every fenced code block tagged `gt-script`, in order. A block that is not closed runs to the end. */
export function recipeBlocks(body: string): readonly string[] {
  const blocks: string[] = [];
  let open: { readonly fence: string; readonly ours: boolean; readonly lines: string[] } | null = null;
  for (const line of body.split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})\s*(\S*)/.exec(line);
    if (open === null) {
      if (mark !== null) open = { fence: mark[1] ?? '', ours: mark[2] === 'gt-script', lines: [] };
      continue;
    }
    if (mark !== null && mark[2] === '' && closes(mark[1] ?? '', open.fence)) {
      if (open.ours) blocks.push(`${open.lines.join('\n')}\n`);
      open = null;
      continue;
    }
    open.lines.push(line);
  }
  if (open?.ours === true) blocks.push(`${open.lines.join('\n')}\n`);
  return blocks.slice(0, RECIPE_BLOCKS_MAX);
}

const closes = (mark: string, fence: string): boolean =>
  mark.charAt(0) === fence.charAt(0) && mark.length >= fence.length;

/** True for a task that the runtime `script` can only fail: it runs what the body has, and this one has nothing to run. */
export const lacksRecipe = (bead: Pick<Bead, 'kind' | 'body'>, runtime: string): boolean =>
  runtime === 'script' && bead.kind === 'task' && recipeBlocks(bead.body).length === 0;
