import type { BeadDiffItem } from '../../api/contract/diff.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { plain } from '../output.ts';
import { clientOf, segment } from '../town-client.ts';

type File = BeadDiffItem['files'][number];

export const diff: CommandSpec = {
  usage: 'gt bead diff <id>',
  summary: 'what the work of a bead changes against its target, or what was merged of it',
  examples: ['gt bead diff app-7k3qf', 'gt bead diff app-7k3qf --json'],
  args: ['<id>'],
  run: async (context, args) => {
    const found = await clientOf(context).get<BeadDiffItem>(`beads/${segment(args.at(0))}/diff`);
    print(context, found);
    return EXIT.ok;
  },
};

function print(context: Context, found: BeadDiffItem): void {
  if (context.json) {
    context.print(JSON.stringify(found));
    return;
  }
  context.print(`${found.base.slice(0, 12)}..${found.head.slice(0, 12)}`);
  if (found.files.length === 0 && found.more_files === 0) context.print('The work changes nothing.');
  for (const file of found.files) for (const line of fileLines(file, found)) context.print(plain(line));
  if (found.more_files > 0) context.print(`${String(found.more_files)} more files are not listed.`);
}

function fileLines(file: File, found: BeadDiffItem): readonly string[] {
  const moved = file.old_path === null ? '' : `${file.old_path} -> `;
  const counts = file.added === null ? 'no text' : `${String(file.added)} added, ${String(file.removed ?? 0)} removed`;
  const lines = file.hunks.flatMap((hunk) => [
    `@@ ${hunk.header}`,
    ...hunk.lines.map(
      (line) =>
        `${String(line.new ?? line.old ?? 0).padStart(6)} ${line.kind === 'added' ? '+' : line.kind === 'removed' ? '-' : ' '}${line.text}`,
    ),
  ]);
  const rest =
    file.shown === 'all' ? [] : [`(not whole: git diff ${found.base.slice(0, 12)} ${found.head.slice(0, 12)})`];
  return [`== ${moved}${file.path} (${file.status}, ${counts})`, ...lines, ...rest];
}
