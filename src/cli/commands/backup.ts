import { join, resolve } from 'node:path';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { setAsideWork } from '../rescued-work.ts';

export const backup: CommandSpec = {
  usage: 'gt backup [folder] [--no-work]',
  summary: 'copy databases, configuration and the work of agents into a folder, and check the copies',
  examples: ['gt backup', 'gt backup ~/backups/town-monday', 'gt backup --no-work --json'],
  args: ['[folder]'],
  options: {
    'no-work': { type: 'boolean', help: 'without what attempts committed and left (refs/gt/*), and its history' },
  },
  notes:
    'The town may run meanwhile. Without a folder it goes to backups/<time> of the town. Not in it: secrets, which a restored town makes itself; what agents at work have not committed yet; work that is not stored yet ("gt rescue list" names it); and what runners on other machines have.',
  run: async (context, args) => {
    const town = context.town();
    const { nowMs } = context.style;
    const name = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
    const [given] = args.positionals;
    const folder = given === undefined ? join(town.paths.root, 'backups', name) : resolve(context.cwd, given);
    const { backupTown } = await import('../../hosts/node/backup.ts');
    const result = await backupTown(town, folder, { nowMs, work: !args.flag('no-work') });
    if (context.json) context.print(JSON.stringify(result));
    else context.print(`${result.folder}  ${String(result.files.length)} files, all sound`);
    const left = setAsideWork(town.paths.dataDir).map(({ attempt }) => attempt);
    if (left.length > 0)
      context.hint(`Not in it: work that is not stored yet, of ${left.join(', ')}. See "gt rescue list".`);
    if (result.leftOut.length > 0)
      context.hint(`Not in it: ${result.leftOut.join(', ')} below .gastown, which no rig is named like.`);
    if (args.flag('no-work'))
      context.hint('Not in it: what agents committed and left; only the clones of this machine have that.');
    return EXIT.ok;
  },
};

export const restore: CommandSpec = {
  usage: 'gt restore <backup> <dir>',
  summary: 'make a town in a new folder from a backup; it stays down until "gt up"',
  examples: ['gt restore backups/2026-01-31 ~/town-again', 'gt restore ~/backups/monday ./town --json'],
  args: ['<backup>', '<dir>'],
  notes:
    'Every file is checked before anything is written. Stop the former town before you start this one: both would do the same work. "gt up" refuses while it sees the former one run.',
  run: async (context, args) => {
    const { restoreTown } = await import('../../hosts/node/backup.ts');
    const { nowMs } = context.style;
    const { town, restored } = await restoreTown(
      resolve(context.cwd, args.at(0)),
      resolve(context.cwd, args.at(1)),
      nowMs,
    );
    if (context.json) context.print(JSON.stringify({ root: town.paths.root, id: town.identity.id }));
    else context.print(`${town.paths.root}  restored; start it with "gt up --town ${town.paths.root}"`);
    const { root, machine } = restored.former;
    context.hint(
      `Stop the former town first: both would do the same work.${root === null ? '' : ` It was in ${root}${machine === null ? '' : ` on ${machine}`}.`}`,
    );
    if (!restored.work)
      context.hint('The backup does not hold what agents committed and left; "gt doctor" says whose.');
    return EXIT.ok;
  },
};
