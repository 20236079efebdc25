import { spawn } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, Place, until } from './cli-support.ts';

interface Up {
  readonly running: boolean;
  readonly already: boolean;
  readonly pid: number;
  readonly url: string;
}

interface Status {
  readonly running: boolean;
  readonly pid: number | null;
  readonly heartbeat_count: number;
  readonly runner: { readonly running: boolean; readonly pid: number | null; readonly instance: string | null };
}

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the daemon', () => {
  const place = new Place();
  const town = place.path('town');
  const gt = (...args: readonly string[]) => place.gt([...args, '--town', town]);
  const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', town]);
  const status = (): Promise<Status> => json<Status>('daemon', 'status');
  const state = (): Record<string, unknown> => JSON.parse(place.read('town', 'daemon', 'state.json'));
  const runnerUp = (): Promise<Status> =>
    until(async () => ((await status()).runner.running ? status() : null), 'a runner');

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    expect((await gt('rig', 'add', 'app', place.origin('app'))).code).toBe(0);
  });

  beforeEach(async () => {
    await json<Up>('up');
  });

  afterAll(async () => {
    await gt('down');
    place.remove();
  });

  it('writes its state with the fields that older tools read', async () => {
    const { pid } = await json<Up>('up');
    expect(Object.keys(state())).toEqual(['running', 'pid', 'started_at', 'last_heartbeat', 'heartbeat_count']);
    expect(state()).toMatchObject({ running: true, pid });
    expect(state()['started_at']).toMatch(RFC_3339);
    expect(state()['last_heartbeat']).toMatch(RFC_3339);
    expect(Number(state()['heartbeat_count'])).toBeGreaterThan(0);
    expect(place.read('town', 'daemon', 'daemon.pid').trim()).toBe(String(pid));
    for (const file of ['town/daemon/endpoint.json', 'town/.gastown/secrets.json'])
      expect(statSync(place.path(file)).mode & 0o077, file).toBe(0);
  });

  it('names the file of a newer or damaged database, its rig and the way out, and calls neither a fault of gt', async () => {
    expect((await gt('down')).code).toBe(0);
    const file = place.path('town', '.gastown', 'rigs', 'app.db');
    const db = new DatabaseSync(file);
    db.exec("INSERT INTO migrations (id, name, checksum, applied_at) VALUES (999, 'later', 'x', 0)");
    const newer = await gt('up');
    expect(newer.code).toBe(3);
    expect(newer.err).toContain(`${file} is of a newer gt (step 999;`);
    expect(newer.err).toContain('It holds the rig app; until it is sound the whole town stays down with it.');
    expect(newer.err).toContain('Use the newer gt again');
    db.exec('DELETE FROM migrations WHERE id = 999');
    db.close();
    const sound = readFileSync(file);
    writeFileSync(file, Buffer.concat([sound.subarray(0, 4_096), Buffer.alloc(4_096, 65), sound.subarray(8_192)]));
    const broken = await gt('up');
    expect(broken.code).toBe(3);
    expect(broken.err).toContain(`${file} is damaged: `);
    expect(broken.err).toContain('gt restore');
    expect(`${newer.err}${broken.err}`).not.toMatch(/fault of gt|DbError|NewerDatabaseError/);
    writeFileSync(file, sound);
  });

  it('refuses a second one by its lock, whatever the files say (T46)', async () => {
    const { pid } = await json<Up>('up');
    writeFileSync(place.path('town', 'daemon', 'daemon.pid'), '1\n');
    for (const args of [
      ['daemon', 'start'],
      ['daemon', 'run'],
    ]) {
      const second = await gt(...args, '--json');
      expect(second.code).toBe(5);
      expect(JSON.parse(second.err)).toMatchObject({ error: { code: 'daemon_running' } });
    }
    expect(await json<Up>('up')).toMatchObject({ running: true, already: true, pid });
    expect((await status()).pid).toBe(pid);
  });

  it('recovers by itself from kill -9, with the same runner', async () => {
    const { pid } = await json<Up>('up');
    const before = await runnerUp();
    process.kill(pid, 'SIGKILL');
    await until(() => (isAlive(pid) ? null : true), 'the end of the daemon');
    expect(state()['running']).toBe(true);
    expect(await status()).toMatchObject({ running: false, pid: null });
    const second = await json<Up>('daemon', 'start');
    expect(second.pid).not.toBe(pid);
    expect(await runnerUp()).toMatchObject({ running: true, pid: second.pid, runner: before.runner });
  });

  it('starts over stale files of a process that is gone', async () => {
    await gt('daemon', 'stop');
    writeFileSync(place.path('town', 'daemon', 'daemon.pid'), `${String(process.pid)}\n`);
    writeFileSync(place.path('town', 'daemon', 'state.json'), '{"running": true, "pid":');
    expect(await status()).toMatchObject({ running: false, pid: null, heartbeat_count: 0 });
    expect((await gt('daemon', 'start')).code).toBe(0);
    expect(isAlive(process.pid)).toBe(true);
  });

  it('stops at SIGTERM and leaves the runner running', async () => {
    const { pid } = await json<Up>('up');
    const { runner } = await runnerUp();
    process.kill(pid, 'SIGTERM');
    await until(() => (isAlive(pid) ? null : true), 'the end of the daemon');
    expect(state()).toMatchObject({ running: false, pid });
    for (const file of ['daemon.pid', 'endpoint.json'])
      expect(existsSync(place.path('town', 'daemon', file)), file).toBe(false);
    expect(isAlive(runner.pid ?? 0)).toBe(true);
    expect((await status()).runner).toEqual(runner);
  });

  it('starts a new runner when the runner is gone', async () => {
    const { runner } = await runnerUp();
    process.kill(runner.pid ?? 0, 'SIGKILL');
    await until(async () => {
      const now = (await status()).runner;
      return now.running && now.instance !== runner.instance ? now : null;
    }, 'another runner');
  });

  it("tells why its runner can't start: in the inbox, the status and gt up, until it starts", async () => {
    const { runner } = await runnerUp();
    const secrets = place.path('town', '.gastown', 'secrets.json');
    const inbox = async () => (await json<{ items: { kind: string; severity: string }[] }>('inbox')).items;
    chmodSync(secrets, 0o644);
    process.kill(runner.pid ?? 0, 'SIGKILL');
    const told = await until(async () => (await inbox()).find((item) => item.kind === 'runner') ?? null, 'the item');
    const sentence = /^The runner beside the daemon does not start \(tried .*secrets\.json can be read by other users/;
    expect(told).toMatchObject({ severity: 'high', command: 'gt doctor', sentence: expect.stringMatching(sentence) });
    expect(await json('status')).toMatchObject({ runner: { status: 'down' } });
    const { code, err } = await gt('up');
    expect([code, err]).toEqual([0, expect.stringContaining('does not start')]);
    expect(err).not.toContain('gt sling');
    chmodSync(secrets, 0o600);
    await runnerUp();
    await until(async () => ((await inbox()).length === 0 ? true : null), 'an empty inbox');
    expect((await gt('up')).err).toContain('gt sling');
  });

  it('reloads its configuration at SIGHUP, and keeps the old one when the new one is wrong', async () => {
    const { pid } = await json<Up>('up');
    const config = place.read('town', 'gastown.toml');
    appendFileSync(place.path('town', 'gastown.toml'), '\n[rigs.bad]\nurll = "x"\n');
    process.kill(pid, 'SIGHUP');
    await until(
      () => (place.read('town', 'daemon', 'daemon.log').includes('configuration not reloaded') ? true : null),
      'the refusal',
    );
    writeFileSync(
      place.path('town', 'gastown.toml'),
      `${config}\n[rigs.lib]\nurl = "${place.origin('lib')}"\nprefix = "lib"\n`,
    );
    process.kill(pid, 'SIGHUP');
    await until(
      async () => ((await json<{ items: { id: string }[] }>('rig', 'list')).items.length === 2 ? true : null),
      'the new rig',
    );
    expect((await json<Up>('up')).pid).toBe(pid);
    writeFileSync(place.path('town', 'gastown.toml'), config);
  });

  it('refuses a setting that the town would not take where it is set, and tells of a refused file until it is mended', async () => {
    await json<Up>('up');
    const path = place.path('town', 'gastown.toml');
    const config = place.read('town', 'gastown.toml');
    expect(await gt('config', 'set', 'rigs.app.prefix', 'zz')).toMatchObject({ code: 5 });
    expect(await gt('config', 'set', 'rigs.app.runtime', 'nosuch')).toMatchObject({ code: 2 });
    expect(await gt('config', 'set', 'rigs.app.url', '/nonexistent/x')).toMatchObject({ code: 3 });
    expect(await gt('config', 'set', 'rigs.app.gates.a', '{ run = "true"')).toMatchObject({ code: 2 });
    const token = 'glpat-Zx9cVb8nM7aSdF6gH5jK';
    const withToken = await gt('config', 'set', 'rigs.app.url', `https://${token}@127.0.0.1:9/a/b`);
    expect([withToken.code, withToken.err.includes(token)]).toEqual([2, false]);
    expect(place.read('town', 'gastown.toml')).toBe(config);
    await gt('config', 'set', 'rigs.app.gates.a', '{ run = "true", timeout = "10s" }');
    expect(place.read('town', 'gastown.toml')).toContain('a = { run = "true", timeout = "10s" }');
    writeFileSync(path, config.replace(/url = .*/, `url = "https://${token}@127.0.0.1:9/a/b"`));
    const edited = await gt('daemon', 'reload', '--json');
    expect([edited.code, JSON.parse(edited.err), edited.err.includes(token)]).toMatchObject([
      2,
      { error: { code: 'password_in_url' } },
      false,
    ]);
    writeFileSync(path, config.replace('prefix = "app"', 'prefix = "zz"'));
    const reload = await gt('daemon', 'reload', '--json');
    expect(reload.code).toBe(5);
    expect(JSON.parse(reload.err)).toMatchObject({
      error: { code: 'prefix_fixed', next: 'Set prefix = "app" for it.' },
    });
    type Told = { kind: string; subject: string; sentence: string };
    const told = {
      kind: 'settings',
      subject: 'daemon',
      sentence: expect.stringContaining('a prefix never changes. Set'),
    };
    const inbox = async () => (await json<{ items: Told[] }>('inbox')).items;
    expect(await inbox()).toMatchObject([told]);
    expect((await gt('doctor')).out).toContain('problem  configuration: The rig "app" has the prefix "app"');
    expect((await gt('up')).err).toContain('The rig "app" has the prefix "app"');
    await gt('daemon', 'stop');
    expect(await inbox()).toMatchObject([told]);
    expect(await gt('up')).toMatchObject({ code: 5, err: expect.stringContaining('Set prefix = "app" for it.') });
    writeFileSync(path, config);
    await json<Up>('up');
    expect(await inbox()).toEqual([]);
  });

  it('does not start with a wrong configuration, and says why; but can be looked at and stopped (T27)', async () => {
    const config = place.read('town', 'gastown.toml');
    writeFileSync(place.path('town', 'gastown.toml'), config.replace('polecats_max', 'polecat_max'));
    expect(await json('daemon', 'status')).toMatchObject({ running: true });
    expect((await gt('daemon', 'logs', '-n', '1')).code).toBe(0);
    expect((await gt('daemon', 'stop')).code).toBe(0);
    const answer = await gt('up', '--json');
    expect(answer.code).toBe(3);
    expect(JSON.parse(answer.err)).toMatchObject({
      error: { code: 'unknown_setting', next: 'Did you mean "polecats_max"?' },
    });
    writeFileSync(place.path('town', 'gastown.toml'), config);
  });

  it('answers on its loopback port only with the right Host, Origin and token', async () => {
    const { url } = await json<Up>('up');
    const owner = JSON.parse(place.read('town', '.gastown', 'secrets.json')).owner as string;
    const get = async (headers: Record<string, string>, path = '/api/v1/towns/_/status'): Promise<number> =>
      (await fetch(`${url}${path}`, { headers })).status;
    expect(await get({}, '/livez')).toBe(200);
    expect(await get({}, '/readyz')).toBe(200);
    expect(await get({})).toBe(401);
    expect(await get({ authorization: `Bearer ${owner}x` })).toBe(401);
    expect(await get({ authorization: `Bearer ${owner}` })).toBe(200);
    expect(await get({ authorization: `Bearer ${owner}`, origin: 'http://evil.example' })).toBe(403);
  });

  it('stays down after "gt down", also when a service manager runs it, until it is asked for (T43)', async () => {
    const { pid } = await json<Up>('up');
    const { runner } = await runnerUp();
    expect(await json('down')).toMatchObject({ running: false });
    expect([isAlive(pid), isAlive(runner.pid ?? 0)]).toEqual([false, false]);
    const managed = await gt('daemon', 'run');
    expect([managed.code, (await status()).running]).toEqual([0, false]);
    expect(managed.err).toContain('gt up');
    expect(await json('down')).toMatchObject({ running: false, already: true });
    expect((await gt('daemon', 'start')).code).toBe(0);
    expect((await status()).running).toBe(true);
  });

  it('runs in the foreground until it is interrupted', async () => {
    await gt('daemon', 'stop');
    const child = spawn(process.execPath, [MAIN, 'daemon', 'run', '--town', town], {
      env: place.env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => {
      child.on('exit', resolve);
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    await until(() => (out.includes('daemon is up') ? true : null), 'the daemon in the foreground');
    expect((await status()).pid).toBe(child.pid);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(state()['running']).toBe(false);
  });

  it('shows its log', async () => {
    const answer = await gt('daemon', 'logs', '-n', '3');
    expect(answer.code).toBe(0);
    expect(answer.out.trimEnd().split('\n')).toHaveLength(3);
  });
});
