import { join, resolve } from 'node:path';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const backup: CommandSpec = {
  usage: 'gt backup [folder]',
  summary: 'copy all databases and the configuration into a folder, and check the copies',
  examples: ['gt backup', 'gt backup ~/backups/town-monday', 'gt backup --json'],
  args: ['[folder]'],
  notes:
    'The town may run meanwhile. Without a folder it goes to backups/<time> of the town. Secrets, clones and worktrees are not in it: a restored town makes its own secrets and fetches from the origins.',
  run: async (context, args) => {
    const town = context.town();
    const { nowMs } = context.style;
    const name = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
    const [given] = args.positionals;
    const folder = given === undefined ? join(town.paths.root, 'backups', name) : resolve(context.cwd, given);
    const { backupTown } = await import('../../hosts/node/backup.ts');
    const result = await backupTown(town, folder, nowMs);
    if (context.json) context.print(JSON.stringify(result));
    else context.print(`${result.folder}  ${String(result.files.length)} files, all sound`);
    return EXIT.ok;
  },
};

export const restore: CommandSpec = {
  usage: 'gt restore <backup> <dir>',
  summary: 'make a town in a new folder from a backup; it stays down until "gt up"',
  examples: ['gt restore backups/2026-01-31 ~/town-again', 'gt restore ~/backups/monday ./town --json'],
  args: ['<backup>', '<dir>'],
  notes:
    'Every file is checked before anything is written. Stop the former town before you start this one: both would work on the same repositories.',
  run: async (context, args) => {
    const { restoreTown } = await import('../../hosts/node/backup.ts');
    const { nowMs } = context.style;
    const town = restoreTown(resolve(context.cwd, args.at(0)), resolve(context.cwd, args.at(1)), nowMs);
    if (context.json) context.print(JSON.stringify({ root: town.paths.root, id: town.identity.id }));
    else context.print(`${town.paths.root}  restored; start it with "gt up --town ${town.paths.root}"`);
    return EXIT.ok;
  },
};
