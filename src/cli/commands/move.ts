import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { TransferDoor } from '../../api/handlers/transfer.ts';
import { usage } from '../../core/errors.ts';
import { counted } from '../../core/text.ts';
import type { RemotePlace } from '../../hosts/node/remote-place.ts';
import { isAddress, remotePlace } from '../../hosts/node/remote-town.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';

/** Told apart from every other export. */
const MOVE_BYTES = 8;
const TOKEN = {
  type: 'string',
  value: 'file',
  help: "the owner's token of a town elsewhere (or the variable GT_OWNER_TOKEN_FILE)",
} as const;

const newMove = (): string => `mv-${randomBytes(MOVE_BYTES).toString('hex')}`;

export const exportCommand: CommandSpec = {
  usage: 'gt town export <file> [--town <dir or address>]',
  summary: 'hold the town and write all of it into a file, for "gt town import" on another host',
  examples: [
    'gt down && gt town export ~/shop.town',
    'gt town export shop.town --town https://town.example.com --token-file owner.token',
  ],
  args: ['<file>'],
  options: {
    'token-file': TOKEN,
    'no-push': {
      type: 'boolean',
      help: 'leave refs with unmerged work on this machine; otherwise their origins get them first',
    },
  },
  notes:
    'The town does nothing from then on, so that it and its copy never act at the same time. "gt town resume" takes that back. The file holds all texts and histories, but no secret.',
  run: async (context, args) => {
    const path = resolve(context.cwd, args.at(0));
    const { exportTown } = await import('../../hosts/node/move/move.ts');
    const { nowMs } = context.style;
    const town = context.town();
    if (town.remote !== undefined) {
      const source = await doorTo(town.remote);
      print(context, await exportTown({ source, path, move: newMove(), nowMs, facts: [] }), path);
      return EXIT.ok;
    }
    const { folderSource, pushRefs } = await import('../../hosts/node/move/folder-ends.ts');
    const { mustBeWritable } = await import('../../hosts/node/move/move-file.ts');
    const source = await folderSource(town);
    try {
      if (!args.flag('no-push')) {
        mustBeWritable(path);
        const pushed = await pushRefs(town.paths, source.rigs());
        for (const [rig, count] of Object.entries(pushed))
          context.hint(`${String(count)} refs with work of ${rig} are on its origin.`);
      }
      const { facts, unread } = source.reports();
      if (unread > 0)
        context.hint(
          `${counted(unread, 'report')} of the runner can't be read by this gt, and stay in ${town.paths.dataDir}/runner.db`,
        );
      print(context, await exportTown({ source: source.door, path, move: newMove(), nowMs, facts }), path);
    } finally {
      source.close();
    }
    return EXIT.ok;
  },
};

function print(
  context: Context,
  moved: { readonly town: string; readonly actors: number; readonly rows: number },
  path: string,
): void {
  if (context.json) context.print(JSON.stringify({ ...moved, file: path, held: true }));
  else
    context.print(
      `${path}  ${moved.town}: ${String(moved.actors)} actors, ${String(moved.rows)} rows; the town is held`,
    );
  context.hint(`Next: gt town import ${path} <new folder or address>`);
}

export const importCommand: CommandSpec = {
  usage: 'gt town import <file> <dir or address>',
  summary: 'bring an exported town into a new folder, or into a town of Durable Objects that was never used',
  examples: [
    'gt town import shop.town https://town.example.com --token-file owner.token',
    'gt town import shop.town ~/shop-again',
  ],
  args: ['<file>', '<target>'],
  options: {
    'token-file': TOKEN,
    hold: {
      type: 'boolean',
      help: 'only for an address: leave it held after all is compared; the same command without it lets it go on',
    },
  },
  notes:
    'Every row is counted and summed at both ends before the new town acts. When it is cut short, the same command goes on where it stopped; when all is there, it changes nothing.',
  run: async (context, args) => {
    const path = resolve(context.cwd, args.at(0));
    const { importTown } = await import('../../hosts/node/move/move.ts');
    if (isAddress(args.at(1))) {
      const file = args.text('token-file') ?? context.env['GT_OWNER_TOKEN_FILE'];
      const target = await doorTo(remotePlace(args.at(1), file));
      const moved = await importTown({ path, target, hold: args.flag('hold') });
      const isHeld = args.flag('hold') && !moved.isRepeat;
      const what = moved.isRepeat ? 'was there already' : isHeld ? 'is there, and held' : 'goes on there';
      if (context.json) context.print(JSON.stringify({ ...moved, target: args.at(1), held: isHeld }));
      else
        context.print(
          `${moved.town} ${what}: ${String(moved.actors)} actors, ${String(moved.rows)} rows, all compared`,
        );
      context.hint(
        isHeld
          ? 'Next: the same command without --hold.'
          : 'Next: register a runner there, and start it with "gt runner --town <address>" where agents shall run.',
      );
      return EXIT.ok;
    }
    if (args.flag('hold')) throw usage('bad_flag', 'A town in a folder is down anyway.', 'Leave --hold out.', 'hold');
    const root = resolve(context.cwd, args.at(1));
    const { folderTarget } = await import('../../hosts/node/move/folder-ends.ts');
    const target = folderTarget(root, { nowMs: context.style.nowMs });
    try {
      const moved = await importTown({ path, target: target.door, hold: false });
      if (context.json) context.print(JSON.stringify({ ...moved, target: root, held: false }));
      else
        context.print(
          `${root}  ${moved.town}: ${String(moved.actors)} actors, ${String(moved.rows)} rows, all compared`,
        );
      context.hint(`Next: gt up --town ${root}`);
    } finally {
      target.close();
    }
    return EXIT.ok;
  },
};

export const resume: CommandSpec = {
  usage: 'gt town resume --not-imported [--town <dir or address>]',
  summary: 'take an export back: the town goes on, because it was imported nowhere',
  examples: ['gt town resume --not-imported', 'gt town resume --not-imported --town https://town.example.com'],
  options: {
    'token-file': TOKEN,
    'not-imported': { type: 'boolean', help: 'I know that the exported file was imported nowhere' },
  },
  notes: 'Two towns with the same rows would do all work twice. Nobody but you can know that there is no other one.',
  run: async (context, args) => {
    if (!args.flag('not-imported'))
      throw usage(
        'which_town',
        'A town and its copy must never both go on.',
        'Say --not-imported if the exported file was imported nowhere; otherwise use the town that it was imported into.',
        'not-imported',
      );
    const town = context.town();
    if (town.remote !== undefined) {
      const door = await doorTo(town.remote);
      await door({ step: 'resume', addresses: null, facts: [] });
    } else {
      const { letGo } = await import('../../hosts/node/held-town.ts');
      letGo(town.paths);
      context.hint('Next: gt up');
    }
    if (context.json) context.print(JSON.stringify({ held: false }));
    else context.print('The town is held no more.');
    return EXIT.ok;
  },
};

const doorTo = async (place: RemotePlace): Promise<TransferDoor> =>
  (await import('../remote-door.ts')).remoteDoor(place);
