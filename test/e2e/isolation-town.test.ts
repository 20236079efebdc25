/** A whole town whose rig asks for bubblewrap: with a sandbox that works, and with one that does not. */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive, Place, until } from './cli-support.ts';

const WAIT_MS = 120_000;
const hasBubblewrap = spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-user', 'true']).status === 0;

interface Doctor {
  readonly items: readonly { readonly name: string; readonly status: string; readonly what: string }[];
}
interface Escalations {
  readonly items: readonly { readonly message: string; readonly repeats: number; readonly category: string }[];
}

describe.skipIf(!hasBubblewrap)('a town whose rig asks for bubblewrap', () => {
  const place = new Place();
  const town = place.path('town');
  const broken = place.path('broken');
  const env = { PATH: `${broken}:${process.env['PATH'] ?? ''}` };
  const options = { env };
  const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', town], options);
  const gt = (...args: readonly string[]) => place.gt([...args, '--town', town], options);
  const doctor = async (name: string) =>
    (JSON.parse((await gt('doctor', '--json')).out) as Doctor).items.find((item) => item.name === name);

  beforeAll(async () => {
    execFileSync('mkdir', ['-p', broken]);
    await place.gt(['init', 'town']);
    expect((await gt('rig', 'add', 'app', place.origin('app'), '--gate', 'seen=test -f seen.txt')).code).toBe(0);
  }, WAIT_MS);

  afterAll(async () => {
    await gt('down');
    place.remove();
  }, WAIT_MS);

  it(
    'says so while it has none, refuses to start without it and tells once, and goes on when it works',
    async () => {
      expect(await doctor('isolation')).toMatchObject({ status: 'note', what: 'none for app' });
      expect((await gt('status')).out).toContain('isolation: none  agents of app run with all your rights');
      expect((await gt('config', 'set', 'rigs.app.isolation', 'bubblewrap')).code).toBe(0);
      const fake = '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n';
      writeFileSync(`${broken}/bwrap`, fake, { mode: 0o755 });
      expect(await doctor('bubblewrap')).toMatchObject({
        status: 'problem',
        what: expect.stringContaining('Permission denied'),
      });
      await json('up');
      expect((await gt('status')).out).not.toContain('isolation: none');

      const secrets = `${town}/.gastown/secrets.json`;
      const recipe = `cat ${secrets} > seen.txt 2>/dev/null || echo nothing > seen.txt; ls -A ~ >> seen.txt`;
      const body = place.file('body.md', `\`\`\`gt-script\n${recipe}\n\`\`\`\n`);
      const bead = await json<{ id: string }>('sling', 'Look around', '--rig', 'app', '--body-file', body);
      const open = async (): Promise<Escalations | null> => {
        const found = await json<Escalations>('escalation', 'list');
        return found.items.length === 0 ? null : found;
      };
      const told = await until(open, 'an escalation');
      expect(told.items).toMatchObject([{ category: 'infrastructure', repeats: 0 }]);
      expect(told.items[0]?.message).toMatch(/isolation_unavailable: .*Permission denied/);
      // It goes on trying; nothing runs outside meanwhile, nothing is charged, nobody is told again.
      const tried = async () => {
        const shown = await json<{ attempts: number; status: string }>('bead', 'show', bead.id);
        // Not in the moment of a try.
        return shown.attempts >= 2 && shown.status === 'open' ? shown : null;
      };
      expect(await until(tried, 'a second try', WAIT_MS / 2)).toMatchObject({ failures: 0 });
      expect((await json<Escalations>('escalation', 'list')).items).toMatchObject([{ repeats: 0 }]);

      rmSync(`${broken}/bwrap`);
      expect(await doctor('bubblewrap')).toMatchObject({ status: 'ok' });
      await gt('bead', 'retry', bead.id);
      const closed = async () => {
        const shown = await json<{ status: string; close_reason: string | null }>('bead', 'show', bead.id);
        return shown.status === 'closed' ? shown : null;
      };
      expect(await until(closed, 'merged', WAIT_MS / 2)).toMatchObject({ close_reason: 'merged' });
      const seen = execFileSync('git', ['--git-dir', place.path('app.git'), 'show', 'main:seen.txt'], {
        encoding: 'utf8',
      });
      // Of its home it sees the way to its worktree, and nothing else.
      expect(seen).toBe('nothing\ntown\n');
      expect((await json<{ items: readonly { isolation: string }[] }>('agents')).items).toMatchObject([
        { isolation: 'bubblewrap' },
      ]);
      const [only] = (await json<{ items: readonly { name: string }[] }>('agents')).items;
      expect((await gt('agent', 'show', only?.name ?? '')).out).toMatch(/isolation {2}bubblewrap/);
      expect((await json<Escalations>('escalation', 'list')).items).toEqual([]);
    },
    WAIT_MS,
  );

  it(
    'keeps its agents over kill -9 of the daemon: they hang on the runner',
    async () => {
      const { pid } = await json<{ pid: number }>('up');
      const body = place.file('long.md', '```gt-script\nsleep 3.25; echo x > long.txt\n```\n');
      const bead = await json<{ id: string }>('sling', 'Take long', '--rig', 'app', '--body-file', body);
      const sleeps = (): boolean => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes('sleep 3.25');
      await until(() => (sleeps() ? true : null), 'its agent works');
      process.kill(pid, 'SIGKILL');
      await until(() => (isAlive(pid) ? null : true), 'the end of the daemon');
      expect(sleeps()).toBe(true);
      await json('up');
      const closed = async () => {
        const shown = await json<{ status: string; attempts: number }>('bead', 'show', bead.id);
        return shown.status === 'closed' ? shown : null;
      };
      expect(await until(closed, 'merged', WAIT_MS / 2)).toMatchObject({ close_reason: 'merged', attempts: 1 });
    },
    WAIT_MS,
  );
});
