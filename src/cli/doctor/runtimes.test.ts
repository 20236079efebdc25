import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { townPaths } from '../../hosts/node/town-files.ts';
import { runtimeChecks } from './runtimes.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gt-doctor-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

it.each([
  ['runtime = "gpt"', 'There is no runtime "gpt".', 'gt rig config app --runtime <name>'],
  [
    'runtime = "command"',
    'The runtime "command" needs a program, and the rig "app" names none.',
    'gt rig config app --command "<line>"',
  ],
  [
    'runtime = "script"\nreview_agent = "gpt"',
    'There is no runtime "gpt".',
    'gt config set rigs.app.review_agent <name>',
  ],
])('a rig that somebody wrote with %s is a problem', async (line, what, fix) => {
  writeFileSync(join(root, 'gastown.toml'), `[rigs.app]\nurl = "/r/app.git"\nprefix = "app"\n${line}\n`);
  const found = await runtimeChecks({ paths: townPaths(root) });
  expect(found.filter((check) => check.status === 'problem')).toMatchObject([{ name: 'rig app', what, fix }]);
});

it('a program that an open bead asks for, and that is not here, is a problem with its own way out', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = root;
  try {
    writeFileSync(join(root, 'gastown.toml'), `[rigs.app]\nurl = "/r/app.git"\nprefix = "app"\nruntime = "script"\n`);
    const town = { paths: townPaths(root) };
    expect((await runtimeChecks(town)).map(({ status }) => status)).toEqual(['note']);
    const asked = new Set(['codex', 'script']);
    expect(await runtimeChecks(town, { asked, hasOthers: false })).toMatchObject([
      {
        name: 'codex',
        status: 'problem',
        why: 'an open bead asks for this runtime',
        fix: expect.stringContaining('codex'),
      },
    ]);
    // Where agents run elsewhere too, nobody here can say what is missing there.
    expect(await runtimeChecks(town, { asked, hasOthers: true })).toMatchObject([{ name: 'codex', status: 'note' }]);
  } finally {
    process.env['PATH'] = path;
  }
});
