import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { conflict, notFound, usage } from '../../core/errors.ts';
import { isRigName } from '../../core/model/ids.ts';
import { databasePath } from '../../hosts/node/host-ports.ts';
import type { BundleReplay } from '../../hosts/node/replay-bundle.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';

const TURN_MAX = 999_999_999;

export const replay: CommandSpec = {
  usage: 'gt replay <bundle> | gt replay --export <actor> [--from <turn>] [--out <file>]',
  summary: 'run what an actor recorded again, and say where it first goes another way',
  examples: ['gt replay --export rig/app', 'gt replay rig-app.replay', 'gt replay rig-app.replay --json'],
  args: ['[bundle]'],
  options: {
    export: { type: 'string', value: 'actor', help: 'write the history of "town" or "rig/<name>" into a bundle' },
    from: { type: 'string', value: 'turn', help: 'begin with the newest snapshot before this turn' },
    out: { type: 'string', value: 'file', help: 'where the bundle goes (default: <actor>.replay)' },
  },
  notes:
    'A bundle holds the texts of beads and mails, and no secrets of the town. Exit code 0: the same; 1: a difference. The town may run meanwhile.',
  run: async (context, args) => {
    const actor = args.text('export');
    const [bundle] = args.positionals;
    if (actor !== undefined && bundle === undefined) return exportIt(context, args, actor);
    if (actor === undefined && bundle !== undefined) return replayIt(context, resolve(context.cwd, bundle));
    throw usage(
      'bundle_or_export',
      'Say either a bundle or --export.',
      'Use "gt replay <bundle>" or "gt replay --export <actor>".',
    );
  },
};

async function exportIt(context: Context, args: Arguments, actor: string): Promise<number> {
  const town = context.town();
  if (actor !== 'town' && !(actor.startsWith('rig/') && isRigName(actor.slice('rig/'.length))))
    throw usage('bad_actor', `${JSON.stringify(actor)} is no actor.`, 'Use "town" or "rig/<name>".', 'export');
  const database = databasePath(town.paths, actor);
  if (!existsSync(database)) throw notFound('rig', actor);
  const to = resolve(context.cwd, args.text('out') ?? `${actor.replace('/', '-')}.replay`);
  if (existsSync(to)) throw conflict('file_exists', `${to} exists.`, 'Name another file with --out.');
  const { exportBundle } = await import('../../hosts/node/replay-bundle.ts');
  const fromTurn = args.number('from', { min: 1, max: TURN_MAX }) ?? null;
  const written = await exportBundle(town, { actor, database, fromTurn, to });
  if (context.json) context.print(JSON.stringify(written));
  else
    context.print(`${written.path}  ${String(written.turns)} turns of ${actor} after turn ${String(written.baseTurn)}`);
  return EXIT.ok;
}

async function replayIt(context: Context, path: string): Promise<number> {
  const { replayBundle } = await import('../../hosts/node/replay-bundle.ts');
  const result = replayBundle(path);
  if (context.json) context.print(JSON.stringify({ same: result.difference === null, ...result }));
  else context.print(sentence(result));
  return result.difference === null ? EXIT.ok : EXIT.failed;
}

function sentence(result: BundleReplay): string {
  const { difference } = result;
  const done = `${result.actor}: ${String(result.turns)} turns from turn ${String(result.fromTurn)}, ${String(result.journalRows)} journal rows`;
  if (difference === null) return `same  ${done}`;
  const where = difference.journalSeq === null ? '' : `, journal row ${String(difference.journalSeq)}`;
  return [
    `different  ${done}`,
    `  in turn ${String(difference.turn)} (${new Date(difference.atMs).toISOString()})${where}: ${difference.what}`,
    `  recorded: ${difference.recorded}`,
    `  replayed: ${difference.replayed}`,
  ].join('\n');
}
