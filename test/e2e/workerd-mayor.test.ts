/**
 * The mayor of a town of Durable Objects, whose sessions run at the town's runners: a real workerd, runners as processes
 * of their own over WebSocket, and a scripted model that does what a message says.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { makeRemote } from '../../src/cli/demo/remotes.ts';
import { DEMO_REPOSITORIES } from '../../src/cli/demo/repositories.ts';
import type { MayorItem, MayorMessageItem } from '../../src/api/contract/mayor.ts';
import { marked } from '../../src/runner/process/sweep.ts';
import { until } from '../fixtures/runner/town.ts';
import { OWNER, TOWN_ID, WorkerdTown, type RunnerProcess } from '../support/workerd-town.ts';

/** Takes each message of its prompt, runs its line "do: …", and answers with the exit code and the output. */
const MODEL = `D=$1
cat > "$D/prompt.$GT_EPOCH"
echo "$GT_EPOCH $GT_SITTING" >> "$D/sessions"
for seq in $(sed -n 's/^Message \\([0-9]*\\) from .*/\\1/p' "$D/prompt.$GT_EPOCH"); do
  line=$(sed -n "/^Message $seq from /,\\$p" "$D/prompt.$GT_EPOCH" | sed -n 's/^do: //p' | head -1)
  out=$(eval "$line" 2>&1)
  gt mayor reply --to "$seq" "$? $out"
done
`;
/** For what is waited for, on a machine with ten times the work it has room for. */
const WAIT_MS = 180_000;
/** How long the town is gone. */
const DOWN_MS = 300;
/** The output is followed by then, so that its second part comes over the stream. */
const FOLLOWED_MS = 1_000;
const GT = join(import.meta.dirname, '..', '..', 'gt');

let folder: string;
let town: WorkerdTown;
let runner: RunnerProcess;
let rig = '';

const at = (name: string): string => join(folder, name);
const mayor = (): Promise<MayorItem> => town.call('GET', 'mayor');
const log = async (): Promise<readonly MayorMessageItem[]> =>
  (await town.call<{ items: MayorMessageItem[] }>('GET', 'mayor/messages')).items;
const say = (text: string): Promise<MayorMessageItem> => town.call('POST', 'mayor/messages', { text });
const titles = async (): Promise<readonly string[]> =>
  (await town.call<{ items: { title: string }[] }>('GET', 'beads')).items.map(({ title }) => title);
const sessions = (): readonly string[] => readFileSync(at('sessions'), 'utf8').split('\n').filter(Boolean);
const answers = async (count: number): Promise<readonly (string | null)[]> => {
  await until(async () => (await log()).slice(-count).every(({ status }) => status === 'answered'), 'answers', WAIT_MS);
  return (await log()).slice(-count).map(({ reply }) => reply);
};
/** The end of its process is known; a person does not wait until it is tried again. */
const goesOn = async (): Promise<void> => {
  await until(async () => (await mayor()).failures > 0, 'its end is known', WAIT_MS);
  await town.call('POST', 'mayor/start', {});
};
const met = (id: string): Promise<unknown> =>
  until(async () => (await town.runner(id))?.status === 'healthy', `${id} is met`, WAIT_MS);
/** Some of them have ended meanwhile. */
const killAgents = (where: { readonly runner?: string } = {}): void => {
  for (const pid of marked({ town: TOWN_ID, ...where }))
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone.
    }
};
const meanwhile = (file: string): string =>
  `touch ${at(`${file}.made`)}; until [ -e ${at(`${file}.go`)} ]; do sleep 0.05; done`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gt-workerd-mayor-'));
  writeFileSync(at('sessions'), '');
  writeFileSync(at('model.sh'), MODEL);
  const starting = WorkerdTown.start(folder);
  const [repository] = DEMO_REPOSITORIES;
  if (repository === undefined) throw new Error('the demo has no repository');
  rig = repository.name;
  const url = await makeRemote(folder, repository);
  town = await starting;
  await town.call('POST', 'rigs', { name: rig, url });
  const command = `sh ${at('model.sh')} ${folder}`;
  await town.call('POST', 'settings', { changes: [{ key: 'mayor.command', value: command }] });
}, 3 * WAIT_MS);

afterAll(async () => {
  await town.stop();
  killAgents();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
});

describe('the mayor of a town of Durable Objects', () => {
  it(
    'keeps a message until a runner is there, says why it waits, and answers then with its own token',
    { timeout: 2 * WAIT_MS },
    async () => {
      await say(`do: gt bead create "From the mayor" --rig ${rig} > /dev/null 2>&1 && gt bead list | grep -c mayor`);
      expect(await mayor()).toMatchObject({
        status: 'waiting',
        waiting_messages: 1,
        no_runner: 'no runner is registered',
      });
      await town.register('a');
      runner = town.startRunner('a');
      expect(await answers(1)).toEqual(['0 1']);
      expect(await titles()).toEqual(['From the mayor']);
      expect(await mayor()).toMatchObject({ waiting_messages: 0, open_messages: 0, no_runner: null });
      await say('do: gt rig remove app > /dev/null 2>&1; echo $?');
      expect(await answers(1), 'what is for people it may not do').toEqual(['0 6']);
    },
  );

  it(
    'loses and doubles nothing when workerd and then its runner are killed in the middle of a session',
    { timeout: 3 * WAIT_MS },
    async () => {
      const before = sessions().length;
      await say(`do: gt bead create Once --rig ${rig} > /dev/null 2>&1; ${meanwhile('first')}; echo first`);
      await until(() => existsSync(at('first.made')), 'the mayor is in the middle', WAIT_MS);
      expect(await mayor()).toMatchObject({ status: 'working', runner: 'a' });
      await say('do: echo second');
      await town.crash(DOWN_MS);
      await met('a');
      expect(sessions(), 'its session lives on').toHaveLength(before + 1);
      runner.child.kill('SIGKILL');
      killAgents({ runner: 'a' });
      writeFileSync(at('first.go'), '');
      runner = town.startRunner('a');
      await goesOn();
      await say('do: echo third');
      expect(await answers(3)).toEqual(['0 first', '0 second', '0 third']);
      expect((await log()).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
      expect((await titles()).filter((title) => title === 'Once')).toHaveLength(1);
      const [first, second] = sessions().slice(before);
      expect(second?.split(' ')[1], 'the same sitting goes on').toBe(first?.split(' ')[1]);
    },
  );

  it('goes on at another runner when a person says that the first is lost', { timeout: 3 * WAIT_MS }, async () => {
    await town.register('b');
    town.startRunner('b');
    await met('b');
    await say(`do: ${meanwhile('moved')}; echo moved`);
    await until(() => existsSync(at('moved.made')), 'the mayor is in the middle', WAIT_MS);
    expect(await mayor()).toMatchObject({ runner: 'a' });
    runner.child.kill('SIGKILL');
    await until(async () => (await town.runner('a'))?.status === 'suspect', 'the cut is noticed', WAIT_MS);
    await expect(town.call('POST', 'runners/a/remove', {})).rejects.toThrow('runner_has_work');
    await town.call('POST', 'runners/a/remove', { lost: true });
    killAgents({ runner: 'a' });
    await goesOn();
    await until(async () => (await mayor()).runner === 'b', 'a session at the other', WAIT_MS);
    writeFileSync(at('moved.go'), '');
    expect(await answers(1)).toEqual(['0 moved']);
    expect((await town.call<{ violations: string[] }>('GET', 'status')).violations).toEqual([]);
  });
});

describe('gt for a town at an address', () => {
  const gt = (...args: readonly string[]): string =>
    execFileSync(GT, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, GT_TOWN_ROOT: town.url, GT_OWNER_TOKEN_FILE: at('owner.token') },
    });

  it('changes settings there, which are checked and kept by the town', { timeout: WAIT_MS }, async () => {
    writeFileSync(at('owner.token'), `${OWNER}\n`, { mode: 0o600 });
    expect(gt('config', 'set', `rigs.${rig}.polecats_max`, '3', '--json')).toContain('"value":3');
    expect(gt('config', 'get', `rigs.${rig}.polecats_max`)).toBe('3\n');
    expect(() => gt('config', 'set', `rigs.${rig}.polecats_max`, 'many')).toThrow('nothing was changed');
    gt('config', 'set', `rigs.${rig}.polecats_max`, '--unset');
    const { text } = await town.call<{ text: string }>('GET', 'settings');
    expect(text).not.toContain('polecats_max');
    expect(() => gt('daemon', 'status'), 'what needs files says so').toThrow('GT_TOWN_ROOT names an address');
  });

  it('follows the output of an agent until it ends, and sits down beside it', { timeout: 2 * WAIT_MS }, async () => {
    const body = `\`\`\`gt-script\necho begun; ${meanwhile('output')}; echo ended; date +%N > f; git add -A; git commit -qm made\n\`\`\`\n`;
    const bead = await town.call<{ id: string }>('POST', 'beads', { rig, title: 'Talk', body, sling: true });
    await until(() => existsSync(at('output.made')), 'it works', WAIT_MS);
    setTimeout(() => {
      writeFileSync(at('output.go'), '');
    }, FOLLOWED_MS);
    const [log, beside] = await Promise.all([run('logs', bead.id, '-f'), run('attach', bead.id, '--read-only')]);
    for (const { out } of [log, beside])
      expect(out.split('\n').filter((line) => line === 'begun' || line === 'ended')).toEqual(['begun', 'ended']);
    expect(beside.hints).toMatch(/attached, read-only[^]*has ended: gt logs at-/);
  });

  const run = (...args: readonly string[]): Promise<{ readonly out: string; readonly hints: string }> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, GT_TOWN_ROOT: town.url, GT_OWNER_TOKEN_FILE: at('owner.token') };
      execFile(GT, args, { cwd: folder, env }, (error, out, hints) => {
        if (error === null) resolve({ out, hints });
        else reject(error);
      });
    });
});
