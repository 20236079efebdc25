import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { BeadDetailItem } from '../../api/contract/beads.ts';
import type { ConvoyDetailItem } from '../../api/contract/convoys.ts';
import { precondition, TownError, usage } from '../../core/errors.ts';
import { RUNTIME_PRESETS } from '../../core/runtime-presets.ts';
import { startDaemon, stopDaemon, stopRunner } from '../../hosts/node/daemon-control.ts';
import { recordRig } from '../../hosts/node/rig-record.ts';
import { createTown } from '../../hosts/node/town-create.ts';
import { type Town, writeDesired } from '../../hosts/node/town-files.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { graph, makeRemote } from '../demo/remotes.ts';
import { watchConvoy } from '../demo/watch.ts';
import { EXIT } from '../exit-codes.ts';
import { plain } from '../output.ts';
import { findProgram } from '../rehearse/find-program.ts';
import { scenarioLine } from '../rehearse/model/scenario.ts';
import { type ScriptedModel, startScriptedModel } from '../rehearse/model/server.ts';
import { REHEARSED } from '../rehearse/providers.ts';
import { writeRehearsal } from '../rehearse/sections.ts';
import { segment, TownClient } from '../town-client.ts';
import { mainPath } from './start.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** What a program said last usually says why it did not work. */
const LAST_LINES = 20;

export const rehearse: CommandSpec = {
  usage: 'gt rehearse [runtime]',
  args: ['[runtime]'],
  summary:
    'your own agent program does a piece of work in a town of its own, with scripted replies: no key, no network',
  examples: ['gt rehearse', 'gt rehearse claude'],
  options: {},
  notes:
    'Shows that the program is found, started, followed and merged here. Its model is a script on this machine; your login,\n' +
    'your settings and your sessions are neither read nor changed. Without a name: every program that is installed.',
  run: (context, args) => run(context, args.positionals),
};

interface Stage {
  readonly folder: string;
  readonly model: ScriptedModel;
  readonly town: Town;
  readonly bare: string;
}

async function run(context: Context, names: readonly string[]): Promise<number> {
  const runtimes = chosen(names);
  const folder = mkdtempSync(join(tmpdir(), 'gt-rehearse-'));
  const model = await startScriptedModel();
  let stage: Stage | null = null;
  let closing: Promise<void> | null = null;
  const shut = async (): Promise<void> => {
    if (stage !== null) await shutDown(stage.town);
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const close = (): Promise<void> => (closing ??= shut());
  // Heard until the end: a second Ctrl-C must not leave a daemon and a folder behind.
  const onInterrupt = (): void => {
    void close().finally(() => process.exit(EXIT.interrupted));
  };
  for (const signal of SIGNALS) process.on(signal, onInterrupt);
  try {
    context.hint(`Real programs (${runtimes.join(', ')}), scripted replies: no AI model is used.\n`);
    stage = await setUp(folder, model);
    return await play(context, stage, runtimes);
  } finally {
    await close();
    for (const signal of SIGNALS) process.off(signal, onInterrupt);
  }
}

/** Errors: `unknown_runtime`, `no_agent_program`. */
function chosen(names: readonly string[]): readonly string[] {
  const [name] = names;
  const isThere = (runtime: string): boolean => findProgram(RUNTIME_PRESETS[runtime]?.program ?? '') !== null;
  if (name === undefined) {
    const found = REHEARSED.filter(isThere);
    if (found.length > 0) return found;
    throw precondition(
      'no_agent_program',
      `None of ${REHEARSED.join(', ')} is installed here.`,
      `Install one, for example: ${RUNTIME_PRESETS['claude']?.install ?? ''}`,
    );
  }
  if (!REHEARSED.includes(name))
    throw usage(
      'unknown_runtime',
      `${JSON.stringify(name.slice(0, 80))} can't be rehearsed.`,
      `Choose one of: ${REHEARSED.join(', ')}.`,
      'runtime',
    );
  if (!isThere(name))
    throw precondition(
      'no_agent_program',
      `The program of ${name} is not in PATH.`,
      `Install it: ${RUNTIME_PRESETS[name]?.install ?? ''}`,
    );
  return [name];
}

async function setUp(folder: string, model: ScriptedModel): Promise<Stage> {
  const files = { 'README.md': '# A repository to rehearse in\n' };
  const bare = await makeRemote(folder, { name: 'stage', gate: 'test -s README.md', files });
  const { town } = createTown({
    root: join(folder, 'town'),
    name: 'rehearsal',
    ownerEmail: 'rehearsal@localhost',
    nowMs: Date.now(),
  });
  const gates = [{ name: 'test', run: 'test -s README.md' }];
  await recordRig({ name: 'stage', url: bare, gates }, town.paths, () => Promise.resolve(null));
  return { folder, model, town, bare };
}

async function play(context: Context, stage: Stage, runtimes: readonly string[]): Promise<number> {
  const { town, folder, model } = stage;
  const homes = join(folder, 'homes');
  mkdirSync(homes);
  const programs = runtimes.map((runtime) => ({
    runtime,
    program: findProgram(RUNTIME_PRESETS[runtime]?.program ?? ''),
  }));
  const models = writeRehearsal(town, programs, { homes, port: model.port });
  writeDesired(town.paths, 'up');
  await startDaemon({ town, main: mainPath() });
  const client = new TownClient(town);
  const startedMs = Date.now();
  const tasks = runtimes.map((runtime) => ({
    rig: 'stage',
    title: `Say hello by ${runtime}`,
    body: scriptOf(runtime),
    runtime,
    model: models.get(runtime),
    depends_on: [],
  }));
  const { id } = await client.post<ConvoyDetailItem>('convoys', { title: 'Rehearsal', tasks });
  const convoy = await watchConvoy(context, client, id);
  const tookMs = Date.now() - startedMs;
  const asked = model.seen.length;
  if (context.json)
    context.print(JSON.stringify({ status: convoy.status, runtimes, took_ms: tookMs, model_requests: asked }));
  else {
    context.print(`\n${plain(await graph(stage.bare))}`);
    context.print(
      `\nReal CLI, scripted replies: ${runtimes.join(', ')} ${convoy.status === 'landed' ? 'worked' : 'did not work'} here, ${String(asked)} requests to the script, ${(tookMs / 1_000).toFixed(1)} s.`,
    );
  }
  if (convoy.status === 'landed') return EXIT.ok;
  for (const { id: bead, merge_sha: merged } of convoy.beads)
    if (bead !== null && merged === null) await tellLast(context, client, bead);
  throw new TownError('internal', 'rehearsal_failed', {
    message: `The rehearsal is ${convoy.status}: ${convoy.why.sentence}`,
    next: 'Run the program by itself and look what it says; then "gt doctor".',
  });
}

/** The folder goes away with all its logs, so what is in them is said before. */
async function tellLast(context: Context, client: TownClient, bead: string): Promise<void> {
  try {
    const latest = (await client.get<BeadDetailItem>(`beads/${segment(bead)}`)).attempt_list.at(-1);
    if (latest === undefined) return;
    const { text } = await client.read(`agents/${segment(latest.id)}/transcript`);
    context.hint(`\n${latest.id} by ${latest.agent} (${latest.status}) said last:`);
    context.hint(plain(text.trimEnd().split('\n').slice(-LAST_LINES).join('\n')));
  } catch (error) {
    context.hint(`What the attempt at ${bead} said can't be read: ${error instanceof Error ? error.message : ''}`);
  }
}

function scriptOf(runtime: string): string {
  const file = `${runtime}.txt`;
  return scenarioLine({
    steps: [
      { say: 'I write a file.', write: { path: file, text: `Hello from ${runtime}.\n` } },
      { shell: `git add -A && git commit -q -m "Say hello by ${runtime}"` },
      { shell: `gt done --summary "${file} says hello"` },
      { say: 'Done.' },
    ],
  });
}

async function shutDown(town: Town): Promise<void> {
  writeDesired(town.paths, 'down');
  await stopDaemon(town, false);
  await stopRunner(town);
}
