/** Must be shown: four beads, three real programs at once, one of them killed -9 and resumed, all merged. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { scenarioLine, type Step } from '../../src/cli/rehearse/model/scenario.ts';
import { type ScriptedModel, startScriptedModel } from '../../src/cli/rehearse/model/server.ts';
import { writeRehearsal } from '../../src/cli/rehearse/sections.ts';
import { stopDaemon, stopRunner } from '../../src/hosts/node/daemon-control.ts';
import { callUntilAnswered, gtDaemon, makeTown, type RealTown, startDaemonProcess } from '../support/real-town.ts';
import { expectTrue } from './bench.ts';
import type { Program } from './programs.ts';

const DAEMON_WAIT_MS = 60_000;
/** A killed program waits half a minute for its next try; the rest is slow starts on a busy machine. */
const CONVOY_WAIT_MS = 4 * 60_000;
const CALL_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 250;

interface ConvoyView {
  readonly status: string;
  readonly beads: readonly {
    readonly id: string | null;
    readonly status: string;
    readonly bead: { readonly attempts: number } | null;
  }[];
}

/** Runs it and says what was seen. Errors: with what was not. */
export async function convoyOfFour(programs: readonly Program[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'gt-agents-'));
  const model = await startScriptedModel();
  let stage: RealTown | null = null;
  try {
    stage = await makeTown(folder, [{ name: 'app', files: { 'a.txt': 'one\n' }, gate: 'test -s a.txt' }]);
    return await play(stage, model, programs);
  } finally {
    if (stage !== null) {
      await stopDaemon(stage.town, false);
      await stopRunner(stage.town);
    }
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(stage: RealTown, model: ScriptedModel, programs: readonly Program[]): Promise<string> {
  const { town, folder } = stage;
  const rehearsed = programs.map(({ runtime, path }) => ({ runtime, program: path }));
  const models = writeRehearsal(town, rehearsed, { homes: join(folder, 'homes'), port: model.port });
  await startDaemonProcess(town, gtDaemon(town), DAEMON_WAIT_MS);
  const tasks = [0, 1, 2, 3].map((number) => {
    const { runtime } = programs[number % programs.length] ?? { runtime: '' };
    const body = scenarioLine({ steps: stepsOf(number) });
    return {
      rig: 'app',
      title: `Write file ${String(number)}`,
      body,
      runtime,
      model: models.get(runtime),
      depends_on: [],
    };
  });
  const call = <T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> =>
    callUntilAnswered<T>(town, { method, path, ...(body === undefined ? {} : { body }) }, CALL_WAIT_MS);
  const { id } = await call<{ id: string }>('POST', 'convoys', { title: 'Four files', tasks });
  let killed = '';
  let together = 0;
  const began = performance.now();
  for (;;) {
    const convoy = await call<ConvoyView>('GET', `convoys/${id}`);
    // Some programs start children in groups of their own, under another home: those are no agents.
    const running = agents(town.identity.id).filter((each) => models.has(each.runtime));
    together = Math.max(together, new Set(running.map((each) => each.runtime)).size);
    const victim = running.find((each) => each.bead === convoy.beads[0]?.id);
    if (killed === '' && victim !== undefined && together === programs.length && begun(stage)) {
      process.kill(victim.pid, 'SIGKILL');
      killed = victim.runtime;
    }
    if (['landed', 'failed', 'cancelled'].includes(convoy.status)) {
      expectTrue(convoy.status === 'landed', `the convoy ${convoy.status}`);
      return verdict(stage, model, {
        killed,
        together,
        attempts: convoy.beads[0]?.bead?.attempts ?? 0,
        tookMs: performance.now() - began,
      });
    }
    if (performance.now() - began > CONVOY_WAIT_MS) throw new Error(`not landed\n${outputs(stage)}`);
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_EVERY_MS);
    });
  }
}

/** The first one takes its time, so that it can be killed in the middle; all of them wait for one another. */
function stepsOf(number: number): readonly Step[] {
  const file = `file${String(number)}.txt`;
  const slow =
    number === 0
      ? 'echo begun > begun.txt; for i in $(seq 300); do sleep 1; done'
      : 'for i in $(seq 15); do sleep 1; done';
  return [
    { shell: slow, first: true },
    { write: { path: file, text: `by agent ${String(number)}\n` } },
    // Codex refuses "rm -f".
    { shell: `test ! -e begun.txt || unlink begun.txt; git add -A && git commit -q -m "Write ${file}"` },
    { shell: `gt done --summary "${file} is there"` },
    { say: 'Done.' },
  ];
}

interface Running {
  readonly pid: number;
  readonly runtime: string;
  readonly bead: string;
}

/** Leaders of agents' process groups, by what their environment says. */
function agents(town: string): readonly Running[] {
  const found: Running[] = [];
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const env = new Map(
        readFileSync(`/proc/${name}/environ`, 'utf8')
          .split('\0')
          .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const),
      );
      const group = Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[2]);
      const home = env.get('HOME') ?? '';
      if (env.get('GT_TOWN') === town && env.has('GT_BEAD') && group === Number(name))
        found.push({
          pid: Number(name),
          runtime: home.slice(home.lastIndexOf('/') + 1),
          bead: env.get('GT_BEAD') ?? '',
        });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** The end of what each attempt said. */
function outputs({ town }: RealTown): string {
  const folder = join(town.paths.root, '.gastown/transcripts');
  const files = readdirSync(folder).filter((name) => name.startsWith('at-'));
  return files.map((name) => `--- ${name}\n${readFileSync(join(folder, name), 'utf8').slice(-1_500)}`).join('\n');
}

/** Worktrees come and go while we look. */
const begun = ({ town }: RealTown): boolean =>
  globSync('.gastown/worktrees/**/begun.txt', { cwd: town.paths.root }).length > 0;

function verdict(
  stage: RealTown,
  model: ScriptedModel,
  seen: {
    readonly killed: string;
    readonly together: number;
    readonly attempts: number;
    readonly tookMs: number;
  },
): string {
  const { killed, together, attempts, tookMs } = seen;
  const bare = stage.remotes.get('app') ?? '';
  for (const number of [0, 1, 2, 3]) {
    const text = execFileSync('git', ['--git-dir', bare, 'show', `main:file${String(number)}.txt`], {
      encoding: 'utf8',
    });
    expectTrue(text === `by agent ${String(number)}\n`, `file${String(number)}.txt has ${JSON.stringify(text)}`);
  }
  expectTrue(killed !== '', 'nobody was killed: the programs never ran at the same time');
  expectTrue(attempts === 2, `the killed bead had ${String(attempts)} attempts`);
  expectTrue(
    model.seen.some((each) => each.orders === 2),
    'the killed session was not taken up again',
  );
  return `${String(together)} programs at once, ${killed} killed -9 and resumed, 4 of 4 merged, ${(tookMs / 1_000).toFixed(0)} s`;
}
