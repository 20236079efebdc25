import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ConvoyDetailItem } from '../../api/contract/convoys.ts';
import { precondition, TownError } from '../../core/errors.ts';
import { startDaemon, stopDaemon, stopRunner } from '../../hosts/node/daemon-control.ts';
import { recordRig } from '../../hosts/node/rig-record.ts';
import { createTown } from '../../hosts/node/town-create.ts';
import { writeDesired, type Town } from '../../hosts/node/town-files.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { demoConvoy } from '../demo/plan.ts';
import { graph, makeRemote } from '../demo/remotes.ts';
import { DEMO_REPOSITORIES } from '../demo/repositories.ts';
import { readJournal, summarise } from '../demo/summary.ts';
import { watchConvoy } from '../demo/watch.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain, state } from '../output.ts';
import { TownClient } from '../town-client.ts';
import { mainPath } from './start.ts';

export const demo: CommandSpec = {
  usage: 'gt demo [--dir <dir>] [--keep]',
  summary: 'a town does its whole job on two real repositories: a convoy with a red gate and a real conflict',
  examples: ['gt demo', 'gt demo --dir /tmp/gt-demo --keep'],
  options: {
    dir: {
      type: 'string',
      value: 'dir',
      help: 'empty folder for the town and both remotes (default: a temporary one)',
    },
    keep: { type: 'boolean', help: 'leave the folder for a closer look' },
  },
  notes:
    'The beads are done by recipes (the runtime "script"), not by an AI agent; everything around them is the real thing.',
  run: (context, args) => runDemo(context, args.text('dir'), args.flag('keep')),
};

interface Stage {
  readonly folder: string;
  readonly town: Town;
  readonly remotes: readonly { readonly name: string; readonly bare: string }[];
}

async function runDemo(context: Context, dir: string | undefined, keep: boolean): Promise<number> {
  const folder = chooseFolder(context, dir);
  const startedMs = Date.now();
  let stage: Stage | null = null;
  const close = async (): Promise<void> => {
    if (stage !== null) await shutDown(stage.town);
    if (!keep) rmSync(folder, { recursive: true, force: true });
  };
  const onInterrupt = (): void => {
    void close().finally(() => process.exit(EXIT.interrupted));
  };
  process.once('SIGINT', onInterrupt);
  try {
    stage = await setUp(context, folder);
    const client = new TownClient(stage.town);
    const created = await client.post<ConvoyDetailItem>('convoys', demoConvoy());
    context.hint(
      `Slung ${created.id}: ${String(created.total_beads)} beads over ${String(stage.remotes.length)} rigs.\n`,
    );
    const ended = await watchConvoy(context, client, created.id);
    await report(context, { stage, client, convoy: ended, tookMs: Date.now() - startedMs, keep });
    return ended.status === 'landed' ? EXIT.ok : EXIT.failed;
  } finally {
    process.off('SIGINT', onInterrupt);
    await close();
  }
}

/** A folder of our own, or an empty one that was asked for: the demo never writes among somebody's files. */
function chooseFolder(context: Context, dir: string | undefined): string {
  if (dir === undefined) return mkdtempSync(join(tmpdir(), 'gt-demo-'));
  const folder = resolve(context.cwd, dir);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw precondition('folder_not_empty', `${folder} is not empty.`, 'Give --dir a new or empty folder.');
  }
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function setUp(context: Context, folder: string): Promise<Stage> {
  context.hint(`A town in ${folder} (agents here are scripts, not AI).`);
  const remotes: { name: string; bare: string }[] = [];
  for (const repository of DEMO_REPOSITORIES)
    remotes.push({ name: repository.name, bare: await makeRemote(folder, repository) });
  const { town } = createTown({
    root: join(folder, 'town'),
    name: 'demo',
    ownerEmail: 'demo@localhost',
    nowMs: Date.now(),
  });
  for (const { name, bare } of remotes) {
    const gate = DEMO_REPOSITORIES.find((repository) => repository.name === name)?.gate ?? 'true';
    await recordRig({ name, url: bare, gates: [{ name: 'test', run: gate }] }, town.paths, () => Promise.resolve(null));
  }
  writeDesired(town.paths, 'up');
  await startDaemon({ town, main: mainPath() });
  return { folder, town, remotes };
}

async function shutDown(town: Town): Promise<void> {
  writeDesired(town.paths, 'down');
  await stopDaemon(town, false);
  await stopRunner(town);
}

interface Ending {
  readonly stage: Stage;
  readonly client: TownClient;
  readonly convoy: ConvoyDetailItem;
  readonly tookMs: number;
  readonly keep: boolean;
}

async function report(context: Context, ending: Ending): Promise<void> {
  const { convoy, stage } = ending;
  const journal = summarise(await readJournal(ending.client));
  if (context.json) {
    context.print(
      JSON.stringify({
        dir: stage.folder,
        kept: ending.keep,
        took_ms: ending.tookMs,
        convoy,
        journal: Object.fromEntries(journal),
      }),
    );
    return;
  }
  const { style } = context;
  context.print(`\n${paint(style, 'bold', convoy.id)}  ${state(style, convoy.status)}  ${plain(convoy.why.sentence)}`);
  for (const { name, bare } of stage.remotes)
    context.print(`\n${paint(style, 'bold', name)}  main\n${plain(await graph(bare))}`);
  context.print(
    `\n${paint(style, 'bold', 'journal')}\n${journal.map(([what, count]) => `${String(count).padStart(5)}  ${what}`).join('\n')}`,
  );
  context.print(`\nTook ${(ending.tookMs / 1_000).toFixed(1)} s.`);
  if (ending.keep)
    context.print(
      `Kept in ${stage.folder}. Open it again with:\n  cd ${join(stage.folder, 'town')} && gt up && gt status`,
    );
  else context.print('Run it again and keep everything with:\n  gt demo --dir <dir> --keep');
  if (convoy.status !== 'landed') {
    throw new TownError('internal', 'demo_not_landed', {
      message: `The convoy is ${convoy.status}: ${convoy.why.sentence}`,
      next: 'Run "gt demo --dir <dir> --keep" and look with "gt feed".',
    });
  }
}
