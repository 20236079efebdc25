/** A town moves with the real command from a folder into a real workerd, and back into another folder. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleWorker, startWorkerd, type RunningWorkerd } from '../../scripts/workerd.ts';
import { Place, type Answer } from './cli-support.ts';

const OWNER = 'o'.repeat(32);
const classes = [
  { binding: 'STREAM', className: 'StreamDO' },
  { binding: 'TOWN', className: 'TownDO' },
  { binding: 'RIG', className: 'RigDO' },
  { binding: 'MAYOR', className: 'MayorDO' },
];

const place = new Place();
let workerd: RunningWorkerd;

beforeAll(async () => {
  const folder = place.path('workerd');
  mkdirSync(folder);
  const bundle = join(folder, 'worker.js');
  await bundleWorker(join(import.meta.dirname, '..', '..', 'src', 'hosts', 'cloudflare', 'worker.ts'), bundle);
  workerd = await startWorkerd({
    bundle,
    folder,
    classes,
    texts: {
      GT_TOWN_ID: 'town-there',
      GT_TOWN_NAME: 'there',
      GT_OWNER_TOKEN: OWNER,
      GT_RUNNER_SECRET: 'r'.repeat(32),
      GT_CAPABILITY_KEY: 'k'.repeat(32),
    },
    port: 0,
    loud: false,
  });
}, 60_000);

afterAll(async () => {
  for (const town of ['town', 'again']) if (existsSync(place.path(town))) await run(town, ['down']);
  await workerd.stop('SIGTERM');
  rmSync(place.root, { recursive: true, force: true });
});

/** A file of a token that only its owner reads, as a town elsewhere asks for. */
function tokenFile(name: string, token: string): string {
  const path = place.path(`${name}.token`);
  writeFileSync(path, token, { mode: 0o600 });
  return path;
}

const run = (town: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  place.gt(args, { cwd: place.path(town), env: { GT_OWNER_TOKEN_FILE: tokenFile('owner', OWNER), ...env } });

const recipe = (line: string): string => `\`\`\`gt-script\n${line}\n\`\`\`\n`;

async function until(work: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + 60_000;
  while (!(await work())) {
    if (Date.now() > untilMs) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function beadsIn(town: string): Promise<readonly { id: string; status: string; phase: string; title: string }[]> {
  const { out } = await run(town, ['bead', 'list', '--json']);
  return (JSON.parse(out) as { items: { id: string; status: string; phase: string; title: string }[] }).items;
}

describe('a town that moves', () => {
  it('goes from a folder to Durable Objects and back into another folder, and works on', async () => {
    const remote = place.origin('app');
    mkdirSync(place.path('town'));
    await run('town', ['init', '.']);
    await run('town', ['rig', 'add', 'app', remote, '--gate', 'test=true']);
    await run('town', ['up']);
    await run('town', ['sling', 'one', '--rig', 'app', '--body', recipe('echo one > one.txt')]);
    await run('town', [
      'sling',
      'slow',
      '--rig',
      'app',
      '--body',
      recipe('[ "$GT_EPOCH" -gt 2 ] || sleep 600\necho slow > slow.txt'),
    ]);
    await until(async () => {
      const beads = await beadsIn('town');
      const phaseOf = (title: string): string | undefined => beads.find((bead) => bead.title === title)?.phase;
      return phaseOf('one') === 'merged' && phaseOf('slow') === 'running';
    });
    // A town that works is not exported from under its daemon.
    expect(await run('town', ['town', 'export', 'x.town'])).toMatchObject({ code: 5 });
    await run('town', ['down']);
    expect(await run('town', ['town', 'export', 'x.town'])).toMatchObject({ code: 0 });
    expect((await run('town', ['up'])).err).toContain('is held');
    expect((await run('town', ['status'])).out).toMatch(/town .*held.*gt town resume --not-imported/);
    expect((await run('town', ['bead', 'list'])).err).not.toContain('gt up');

    const x = place.path('town', 'x.town');
    const wrong = await place.gt(['town', 'import', x, workerd.url], {
      env: { GT_OWNER_TOKEN_FILE: tokenFile('wrong', 'x'.repeat(32)) },
    });
    expect(wrong.code).not.toBe(0);
    for (const said of ['goes on there', 'was there already'])
      expect((await run('town', ['town', 'import', 'x.town', workerd.url])).out).toContain(said);
    const there = (await (
      await fetch(`${workerd.url}/api/v1/towns/_/beads`, { headers: { authorization: `Bearer ${OWNER}` } })
    ).json()) as { items: { title: string; phase: string }[] };
    // What the runner had not handed over came along: the agent is known to be gone.
    expect(there.items.map((bead) => [bead.title, bead.phase])).toEqual([
      ['one', 'merged'],
      ['slow', 'ready'],
    ]);

    const back = place.path('back.town');
    // What the refusal of a held town tells works with the address where the how-to puts it.
    const far = { GT_TOWN_ROOT: workerd.url };
    expect(await run('town', ['town', 'export', back], far)).toMatchObject({ code: 0 });
    expect((await run('town', ['sling', 'three', '--rig', 'app'], far)).err).toContain('gt town resume --not-imported');
    expect(await run('town', ['town', 'resume', '--not-imported'], far)).toMatchObject({ code: 0 });
    expect(await run('town', ['town', 'export', back, '--town', workerd.url])).toMatchObject({ code: 0 });
    expect(await run('town', ['town', 'import', back, place.path('again')])).toMatchObject({ code: 0 });
    expect(place.read('again', 'gastown.toml')).toBe(place.read('town', 'gastown.toml'));
    await run('again', ['up']);
    await until(async () => (await beadsIn('again')).every((bead) => bead.status === 'closed'));
  }, 180_000);

  it('refuses a damaged file and a folder that is not empty, and is taken back only by a clear word', async () => {
    const bad = place.file('bad.town', '{"kind":"gastown-town"}\n');
    expect((await place.gt(['town', 'import', bad, place.path('new')])).err).toContain('no whole export');
    expect((await place.gt(['town', 'import', place.path('back.town'), place.root])).err).toContain('not empty');
    expect(await run('town', ['town', 'resume'])).toMatchObject({ code: 2 });
    expect(await run('town', ['town', 'resume', '--not-imported'])).toMatchObject({ code: 0 });
    // A town elsewhere is reached by the same rules as by every other command.
    const open = tokenFile('open', OWNER);
    chmodSync(open, 0o644);
    const far = (file: string) => place.gt(['town', 'import', bad, workerd.url, '--token-file', file]);
    expect((await far(open)).err).toContain('can be read by other users');
    expect((await far(place.path('none'))).err).toContain("can't be read");
    expect((await place.gt(['town', 'import', bad, 'http://example.org'])).err).toContain('readable by everybody');
  }, 60_000);
});
