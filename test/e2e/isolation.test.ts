/** Escape tests: agents and gates in real bubblewrap try to reach what is not theirs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ExitRecord } from '../../src/api/contract/exit-record.ts';
import type { Job, StartAgent } from '../../src/api/contract/runner.ts';
type Sandbox = NonNullable<StartAgent['sandbox']>;
import { marked } from '../../src/runner/process/sweep.ts';
import { TestTown, until } from '../fixtures/runner/town.ts';

const hasBubblewrap = spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-user', 'true']).status === 0;
const BOX: Sandbox = { kind: 'bubblewrap', network: 'off', command: null, image: null, read: [], write: [] };

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const inBox = (command: string, part: Partial<StartAgent> = {}, box: Partial<Sandbox> = {}): StartAgent =>
  town.commandRequest(command, { sandbox: { ...BOX, ...box }, ...part });

/** Runs an agent to its end; answers what it printed and how it ended. */
async function run(start: StartAgent): Promise<{ readonly said: string; readonly exit: ExitRecord }> {
  await town.post(start);
  const { exit } = await town.fact('agent_exited', start);
  return { said: town.transcript(start), exit };
}

/** A file that must stay unknown, and its content. */
const CANARY = ['canary', 'of', 'the', 'owner'].join('-');

describe.skipIf(!hasBubblewrap)('an agent in bubblewrap', () => {
  it('commits and hands in as any other, and leaves nothing of its own behind', async () => {
    await town.start();
    const start = inBox('echo two >> a.txt; git commit -qam two; echo new > b.txt; gt done --commit more --summary ok');
    const { said } = await run(start);
    const done = await town.fact('agent_done', start);
    expect(said).toContain('accepted');
    const files = town.git(['show', '--stat', '--format=%an <%ae>', done.head], town.bare);
    expect(files).toContain('b.txt');
    expect(files).toContain(start.author.name);
    expect(town.git(['rev-parse', `refs/gt/attempts/${start.bead}/${String(start.epoch)}`], town.bare)).toBe(done.head);
    expect(town.brain.recorded.find((fact) => fact.type === 'agent_started')).toMatchObject({
      isolation: 'bubblewrap',
    });
    await until(() => readdirSync(join(town.root, '.gastown', 'boxes')).length === 0, 'its folders are gone');
  });

  it("can't read the home, the town's databases and secrets, other worktrees, other attempts or their output", async () => {
    const home = mkdtempSync(join(homedir(), '.gt-test-'));
    try {
      writeFileSync(join(home, 'key'), CANARY);
      writeFileSync(join(town.root, 'gastown.toml'), CANARY);
      await town.start();
      const other = town.commandRequest(`echo ${CANARY} > hidden.txt; echo ${CANARY}; echo up; exec sleep 100`);
      await town.post(other);
      await town.printed(other, 'up');
      const data = join(town.root, '.gastown');
      const places = [join(home, 'key'), town.root, data, join(data, 'secrets.json'), join(data, 'runner.db')];
      places.push(join(town.root, 'gastown.toml'), join(town.socketDir, 'brain.sock'), town.bare, town.origin);
      places.push(join(data, 'worktrees', 'app', 'w1'), join(data, 'attempts', other.attempt, 'prompt.md'));
      places.push(join(data, 'transcripts', `${other.attempt}.log`));
      for (const place of places) expect(existsSync(place), place).toBe(true);
      const look = places.map((place) => `cat ${place}; ls -A ${place}`).join('; ');
      const find = `grep -rls ${CANARY} / --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr --exclude-dir=node_modules; cat /etc/shadow /etc/ssl/private/* /etc/ssh/ssh_host_*_key; env | grep -i secret | grep -v ^GT_TOKEN=`;
      const start = inBox(
        `(${look}; ls -A ${homedir()}; ${find}) 2>/dev/null; echo looked; ls -A ${data}/worktrees/app`,
      );
      const { said } = await run(start);
      const [found = '', after = ''] = said.split('looked');
      // What lies there are mount points of what is its own.
      expect(
        found.replaceAll(/^(\.gastown|attempts|repos|worktrees|app\.git|objects|s|runner\.sock)$/gm, '').trim(),
      ).toBe('');
      expect(after.trim()).toMatch(/^w[2-9]$/);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it("can't change the shared clone: no hook, no setting, no object, no ref of anybody else", async () => {
    await town.start();
    await run(inBox('true'));
    const before = town.git(['for-each-ref'], town.bare);
    const start = inBox(
      [
        'mkdir -p "$(git rev-parse --git-common-dir)/hooks"; printf "#!/bin/sh\\ntouch /tmp/ran\\n" > "$(git rev-parse --git-dir)/hooks/post-checkout"',
        'git config core.fsmonitor "touch /tmp/ran; false"; git config core.hooksPath /tmp; git config core.sshCommand "touch /tmp/ran"',
        'git config filter.x.clean "touch /tmp/ran; cat"; echo "*.txt filter=x" > .gitattributes',
        'git update-ref refs/heads/main HEAD; git update-ref refs/gt/attempts/app-x/9 HEAD; git update-ref refs/gt/rescue/x/y HEAD',
        `for f in ${town.bare}/objects/x ${town.bare}/config ${town.bare}/hooks/x ${town.bare}/refs/heads/x; do echo bad > $f && echo WROTE $f; done`,
        `rm -rf ${town.bare}/objects/* 2>/dev/null; rm .git && echo REMOVED; echo gitdir: /tmp > .git && echo TURNED`,
        `git push -q ${town.origin} HEAD:refs/heads/evil && echo PUSHED; git push -q origin HEAD:refs/heads/evil && echo PUSHED`,
        'echo more >> a.txt; git add -A; git commit -qm more; gt done --summary ok',
      ].join('\n'),
    );
    const config = readFileSync(join(town.root, '.gastown', 'boxes', '..', 'town.json'), 'utf8');
    const { said } = await run(start);
    expect(said).not.toMatch(/WROTE|REMOVED|TURNED|PUSHED/);
    expect(said).toContain('accepted');
    const { head } = await town.fact('agent_done', start);
    const ref = `refs/gt/attempts/${start.bead}/${String(start.epoch)}`;
    const others = (refs: string): readonly string[] => refs.split('\n').filter((line) => !line.includes(start.bead));
    expect(others(town.git(['for-each-ref'], town.bare))).toEqual(others(before));
    expect(town.git(['rev-parse', ref], town.bare)).toBe(head);
    expect(town.git(['for-each-ref', 'refs/heads'])).not.toContain('evil');
    expect(readFileSync(join(town.bare, 'config'), 'utf8')).not.toMatch(/fsmonitor|hooksPath|sshCommand|filter/);
    expect(existsSync(join(town.bare, 'hooks', 'post-checkout'))).toBe(false);
    expect(town.git(['fsck', '--strict'], town.bare)).not.toMatch(/error|missing/);
    expect(readFileSync(join(town.root, '.gastown', 'town.json'), 'utf8')).toBe(config);
    expect(existsSync('/tmp/ran')).toBe(false);
  });

  it('hands in a link and never what it points to', async () => {
    await town.start();
    const secrets = join(town.root, '.gastown', 'secrets.json');
    const start = inBox(`ln -s ${secrets} leak.json; gt done --commit leak --summary ok`);
    await run(start);
    const { head } = await town.fact('agent_done', start);
    expect(town.git(['ls-tree', head, 'leak.json'], town.bare)).toMatch(/^120000 /);
    expect(town.git(['show', `${head}:leak.json`], town.bare)).toBe(secrets);
  });

  it('sets no trap in its folder for what the runner reads and writes there', async () => {
    await town.start();
    const victim = join(town.root, 'victim');
    const into = (name: string): string => `"$GT_STATE_DIR/${name}"`;
    const traps = `ln -s ${victim} ${into('exit.json.new')}; ln -s ${victim} ${into('done.json.new')}; rm -f ${into('usage.jsonl')}; mkfifo ${into('usage.jsonl')}`;
    const claim = `require('http').request({ socketPath: process.env.GT_RUNNER_SOCKET, method: 'POST', path: '/agent/done', headers: { authorization: 'Bearer ' + process.env.GT_TOKEN, 'content-type': 'application/json' } }, (answer) => console.log('claimed', answer.resume().statusCode)).end(JSON.stringify({ noChange: 'written through a link' }))`;
    const start = inBox(`${traps}; node -e "${claim}"; mkfifo ${into('done.json')}`);
    const { said } = await run(start);
    expect(said).toContain('claimed 200');
    expect(existsSync(victim)).toBe(false);
    const pipe = await run(
      inBox(`mkfifo ${into('done.json')}; ln -s ${town.root}/.gastown/secrets.json ${into('usage.jsonl')}; exit 3`),
    );
    expect(pipe.exit).toMatchObject({ cause: 'exited', exitCode: 3, doneIntent: false });
  });

  it('sees no process outside, and signals none', async () => {
    await town.start();
    const other = town.commandRequest('echo up; exec sleep 100');
    await town.post(other);
    await town.printed(other, 'up');
    const { pid } = await town.report(other);
    const start = inBox(
      `ls -d /proc/[0-9]* | wc -l; cat /proc/${String(pid)}/environ /proc/${String(process.pid)}/cmdline 2>&1 | head -c 300; for p in ${String(pid)} ${String(process.pid)}; do kill -9 $p && echo HIT; done; (setsid sleep 99 &); kill -9 -1; echo not reached`,
    );
    const { said } = await run(start);
    expect(Number(said.split('\n')[0])).toBeLessThan(12);
    expect(said).not.toMatch(/HIT|sleep 100|GT_TOWN|vitest/);
    expect((await town.report(other)).state).toBe('running');
    expect(marked({ town: town.id, attempt: start.attempt })).toEqual([]);
  });

  it('reaches the runner, and the network only where it is on', async () => {
    const server = createServer((socket) => socket.end('reached'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await town.start();
      const call = `node -e 'require("net").connect(${String(port)}, "127.0.0.1").on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))'; gt done --no-change no`;
      const off = await run(inBox(call));
      const on = await run(inBox(call, {}, { network: 'on' }));
      expect(off.said).toMatch(/ECONNREFUSED[^]*accepted/);
      expect(on.said).toMatch(/reached[^]*accepted/);
    } finally {
      server.close();
    }
  });

  it('reaches what a list names, by its proxy, and nothing by any other way (T48)', async () => {
    const server = createHttpServer((request, response) => {
      response.end(`reached ${request.url ?? ''}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const here = `127.0.0.1:${String(port)}`;
      await town.start();
      const script = join(import.meta.dirname, '../fixtures/runner/escape.mjs');
      const call = `${process.execPath} ${script} ${here}; git ls-remote https://evil.example/x.git; gt done --no-change no`;
      const start = inBox(call, {}, { network: [here, 'localhost:1', 'api.invalid'] });
      const { said } = await run(start);
      const lines = said.split('\n');
      // What is listed, by Node's own client, by an explicit proxy, and through a tunnel.
      for (const way of ['fetch', 'proxy', 'tunnel']) expect(lines).toContain(`${way}: reached /${way}`);
      for (const way of ['direct', 'direct6', 'dns', 'metadata-direct', 'udp', 'abstract', 'other-socket'])
        expect(
          lines.find((line) => line.startsWith(`${way}: `)),
          way,
        ).toMatch(/: (?:E[A-Z]+|refused)/);
      for (const way of ['evil', 'metadata', 'metadata-name', 'private', 'rebound', 'decimal', 'mapped', 'smuggled'])
        expect(
          lines.find((line) => line.startsWith(`${way}: `)),
          way,
        ).toMatch(/: (?:403|400)/);
      expect(said).toMatch(/evil\.example[^]*accepted/);
      expect(said).toContain('[network] refused: evil.example:443: it is not in the list');
      const told = town.brain.recorded.filter((fact) => fact.type === 'agent_event');
      expect(told.map((fact) => fact.eventType)).toContain('network_refused');
      // The way is shut behind it.
      await until(() => !existsSync(join(town.root, '.gastown', 'boxes', start.attempt)), 'its folder is gone');
    } finally {
      server.close();
    }
  });

  it('reaches the server that it starts itself, though its network is a list, and gates one after the other', async () => {
    await town.start();
    const own = `${process.execPath} -e 'const s = require("http").createServer((q, a) => a.end("own server")).listen(0, "127.0.0.1", () => fetch("http://127.0.0.1:" + s.address().port).then((a) => a.text()).then(console.log, (e) => console.log("lost", e.cause?.code)).then(() => process.exit()))'`;
    const { said } = await run(inBox(`${own}; gt done --no-change no`, {}, { network: ['api.invalid'] }));
    expect(said).toMatch(/own server[^]*accepted/);
    const result = await town.job({
      kind: 'gates',
      key: 'gates:own',
      repo: town.repo,
      commit: town.targetSha,
      gates: [
        { name: 'one', run: `${own}; mkdir -p /tmp/.gt-way /tmp/way`, timeoutMs: 30_000 },
        { name: 'two', run: own, timeoutMs: 30_000 },
      ],
      sandbox: { ...BOX, network: ['api.invalid'] },
    });
    const tails = result.result === 'gates' ? result.runs.map((each) => each.tail.trim().split('\n').at(-1)) : [];
    expect(tails).toEqual(['own server', 'own server']);
  });

  it('keeps its way out while it is asked to end, and gates have theirs', async () => {
    const server = createHttpServer((_request, response) => {
      response.end('reached');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const here = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      const get = `${process.execPath} -e 'fetch("http://${here}/").then((a) => a.text()).then(console.log, (e) => console.log("lost", e.cause?.code))'`;
      await town.start({ stopGraceMs: 10_000 });
      const polite = inBox(
        `trap '${get.replaceAll("'", `'\\''`)}; exit 3' TERM; echo up; while :; do sleep 0.05; done`,
        {},
        { network: [here] },
      );
      await town.post(polite);
      await town.printed(polite, 'up');
      await town.stop(polite);
      expect((await town.fact('agent_exited', polite)).exit).toMatchObject({ exitCode: 3 });
      expect(town.transcript(polite)).toContain('reached');
      const result = await town.job({
        kind: 'gates',
        key: 'gates:way',
        repo: town.repo,
        commit: town.targetSha,
        gates: [
          { name: 'one', run: get, timeoutMs: 30_000 },
          {
            name: 'two',
            run: `${get}; git ls-remote http://evil.example/x.git || true`,
            timeoutMs: 30_000,
          },
        ],
        sandbox: { ...BOX, network: [here] },
      });
      const tails = result.result === 'gates' ? result.runs.map((each) => each.tail.split('\n')) : [];
      expect(tails.length).toBe(2);
      for (const tail of tails) expect(tail).toContain('reached');
      expect(tails[1]?.join('\n')).toMatch(/evil\.example[^]*403/);
    } finally {
      server.close();
    }
  });

  it('is asked to end before it is killed, and takes with it what it hid', async () => {
    await town.start({ stopGraceMs: 5_000 });
    const polite = inBox(`trap 'echo bye; echo late >> a.txt; exit 3' TERM; echo up; while :; do sleep 0.05; done`);
    await town.post(polite);
    await town.printed(polite, 'up');
    expect((await town.stop(polite)).exit).toMatchObject({ cause: 'stopped', exitCode: 3, dirty: true });
    expect(town.transcript(polite)).toContain('bye');
    const hiding = inBox(`env -i setsid sh -c 'sleep 4242 & trap "" TERM; sleep 4242' & echo up; exec sleep 4242`);
    await town.post(hiding);
    await town.printed(hiding, 'up');
    await town.stop(hiding, 'now');
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('sleep 4242');
  });

  it('dies with its runner, and the next one keeps its work: commits, changes, stash (T16)', async () => {
    const child = await town.spawnRunner();
    const start = inBox(
      'echo c >> a.txt; git commit -qam kept; echo s > s.txt; git stash -qu; echo u > u.txt; echo up; env -i sleep 4343',
    );
    await town.post(start);
    await town.printed(start, 'up');
    child.kill('SIGKILL');
    await until(
      () => !execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes('sleep 4343'),
      'gone by itself',
    );
    await town.killRunner();
    await town.start();
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({ cause: 'runner_lost', ahead: 1, dirty: true });
    const ref = exit.rescueRef ?? '';
    expect(town.git(['show', `${ref}:u.txt`], town.bare)).toBe('u');
    expect(town.git(['log', '--format=%s', `${ref}^1`], town.bare)).toContain('kept');
    expect(town.git(['show', `${ref}^2^3:s.txt`], town.bare)).toBe('s');
  });

  it('without a repository, as the mayor, has its folder and its token and nothing of the town', async () => {
    await town.start();
    const look = `cat ${town.root}/.gastown/secrets.json; ls -A ${town.root}/.gastown; test -n "$GT_TOKEN" && echo has-token`;
    const start = inBox(`${look}; echo note > note.txt; cat note.txt "$GT_STATE_DIR/prompt.md"`, {
      repo: null,
      rig: 'MAYOR',
      bead: 'MAYOR',
      sourceBead: 'MAYOR',
    });
    const { said, exit } = await run(start);
    expect(exit).toMatchObject({ cause: 'exited', exitCode: 0 });
    expect(said).not.toContain('owner-secret');
    expect(said).toMatch(/^attempts\nsessions\n?[^]*has-token\nnote\ndo it/m);
    expect(readFileSync(join(town.root, '.gastown', 'sessions', 'mayor', 'note.txt'), 'utf8')).toBe('note\n');
  });

  it('has what the settings show, and nothing of the town that way', async () => {
    const shown = mkdtempSync(join(homedir(), '.gt-test-'));
    try {
      writeFileSync(join(shown, 'tool.conf'), 'shown');
      await town.start();
      const read = await run(
        inBox(`cat ${shown}/tool.conf; echo x > ${shown}/new || echo refused`, {}, { read: [shown] }),
      );
      expect(read.said).toMatch(/shown[^]*refused/);
      await run(inBox(`echo x > ${shown}/new`, {}, { write: [shown] }));
      expect(readFileSync(join(shown, 'new'), 'utf8')).toBe('x\n');
      const wide = await run(
        inBox(
          `cat ${town.root}/.gastown/secrets.json; echo done`,
          {},
          { read: [town.root.split('/').slice(0, -1).join('/')] },
        ),
      );
      expect(wide.said).not.toContain('owner-secret');
      const into = inBox('true', {}, { read: [join(town.root, '.gastown')] });
      await town.post(into);
      expect((await town.fact('agent_exited', into)).exit).toMatchObject({
        cause: 'spawn_failed',
        failed: 'isolation',
        lastLine: expect.stringContaining('isolation_path'),
      });
    } finally {
      rmSync(shown, { recursive: true });
    }
  });
});

describe.skipIf(!hasBubblewrap)('gates in bubblewrap', () => {
  it('run on the tree with git, without a token, a socket or a way to the town', async () => {
    await town.start();
    const run = [
      'git log --oneline | head -1; git status --porcelain; touch made; cat a.txt',
      `env | grep -E "GT_TOKEN|GT_RUNNER_SOCKET" && echo TOKEN; cat ${town.root}/.gastown/secrets.json && echo READ; ls ${town.socketDir}/*.sock && echo SOCKET`,
      `echo x > ${town.bare}/config && echo WROTE; test "$GT_ISOLATION" = bubblewrap`,
    ].join('\n');
    const result = await town.job({
      kind: 'gates',
      key: 'gates:1',
      repo: town.repo,
      commit: town.targetSha,
      gates: [{ name: 'test', run, timeoutMs: 30_000 }],
      sandbox: BOX,
    });
    expect(result).toMatchObject({ result: 'gates', green: true });
    const tail = result.result === 'gates' ? (result.runs[0]?.tail ?? '') : '';
    expect(tail).toMatch(/first[^]*one/);
    expect(tail.replaceAll(/^\$.*$/gm, '')).not.toMatch(/^(TOKEN|READ|SOCKET|WROTE)$/m);
  });
});

describe('without bubblewrap', () => {
  it('a start that asks for it is refused with what to do, and nothing runs outside', async () => {
    const fake = mkdtempSync(join(town.root, 'bin-'));
    writeFileSync(
      join(fake, 'bwrap'),
      '#!/bin/sh\necho "bwrap: No permissions to create a new namespace" >&2\nexit 1\n',
      { mode: 0o755 },
    );
    const before = process.env['PATH'];
    process.env['PATH'] = `${fake}:${before ?? ''}`;
    try {
      await town.spawnRunner();
    } finally {
      process.env['PATH'] = before;
    }
    const start = inBox('touch "$GT_STATE_DIR/ran"');
    await town.post(start);
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({ cause: 'spawn_failed', failed: 'isolation', startedAtMs: null });
    expect(exit.lastLine).toMatch(/^isolation_unavailable: .*No permissions to create a new namespace.*gt doctor/);
    expect(existsSync(join(town.root, '.gastown', 'attempts', start.attempt, 'ran'))).toBe(false);
    const gates = await town.call('POST', '/jobs', {
      kind: 'gates',
      key: 'gates:2',
      repo: town.repo,
      commit: town.targetSha,
      gates: [{ name: 'test', run: 'true', timeoutMs: 30_000 }],
      sandbox: BOX,
    });
    expect(gates.json).toEqual({ state: 'accepted' });
    const told = await town.fact('job_finished');
    expect(told.result).toMatchObject({ result: 'error', message: expect.stringContaining('isolation_unavailable') });
  });
});

const MIB = 1024 ** 2;
const limits = (over: Partial<NonNullable<StartAgent['limits']>>): Partial<StartAgent> => ({
  limits: { memoryBytes: null, diskBytes: null, ...over },
});
const ALLOCATE = `node -e 'const kept = []; setInterval(() => kept.push(Buffer.alloc(20e6, 1)), 20)'`;

describe('an agent that uses too much', () => {
  it('of memory is ended, its children counted with it, and says so; what it did is kept', async () => {
    await town.start({ memoryLookMs: 100 });
    const modest = town.commandRequest('echo up; exec sleep 100', limits({ memoryBytes: 300 * MIB }));
    await town.post(modest);
    const start = town.commandRequest(`echo kept > k.txt; ${ALLOCATE} & wait`, limits({ memoryBytes: 300 * MIB }));
    const { exit } = await run(start);
    expect(exit).toMatchObject({ cause: 'memory', dirty: true });
    expect(exit.lastLine).toMatch(/^It used \d+ MiB of memory, and may use 300 MiB \(memory_max\)\.$/);
    expect(town.git(['show', `${exit.rescueRef ?? ''}:k.txt`], town.bare)).toBe('kept');
    expect((await town.report(modest)).state).toBe('running');
  });

  it('of the disk is ended and says so', async () => {
    await town.start({ diskLookMs: 100 });
    const write = 'while :; do dd if=/dev/zero of=big.$i bs=1M count=8 status=none; i=$((i + 1)); sleep 0.05; done';
    const { exit } = await run(town.commandRequest(`i=1; ${write}`, limits({ diskBytes: 40 * MIB })));
    expect(exit).toMatchObject({ cause: 'disk' });
    expect(exit.lastLine).toMatch(/^It used \d+ MiB of disk, and may use 40 MiB \(disk_max\)\.$/);
  });

  it.skipIf(!hasBubblewrap)('in bubblewrap: no memory hidden in another session, no file larger than all', async () => {
    await town.start({ memoryLookMs: 100, diskLookMs: 60_000 });
    const hidden = await run(
      inBox(`env -i "PATH=$PATH" setsid ${ALLOCATE} & sleep 100`, limits({ memoryBytes: 300 * MIB })),
    );
    expect(hidden.exit.cause).toBe('memory');
    const big = `dd if=/dev/zero of=/tmp/big bs=1M count=100 status=none; echo "ended $?"; stat -c %s /tmp/big`;
    const written = await run(inBox(big, limits({ diskBytes: 20 * MIB })));
    expect(written.said).toContain(`ended 153`);
    expect(written.said).toContain(String(20 * MIB));
  });

  it.skipIf(!hasBubblewrap)('and one whose program is missing inside charges the program', async () => {
    await town.start();
    const start = inBox('no-such-agent', limits({ diskBytes: 20 * MIB }));
    expect((await run(start)).exit).toMatchObject({ exitCode: 127, failed: 'program' });
    expect((await run(inBox('no-such-agent', limits({})))).exit).toMatchObject({ exitCode: 127, failed: 'program' });
  });
});

/** What a person would write as a wrapper: by its whole path, since the runner is to find none. */
const WRAPPER = [
  '/usr/bin/bwrap --unshare-user --unshare-pid --die-with-parent --ro-bind / / --proc /proc --dev /dev --tmpfs /tmp',
  '--bind "$GT_BOX_WORKTREE" "$GT_BOX_WORKTREE" --bind "$GT_BOX_STATE" "$GT_BOX_STATE"',
  '--bind "$GT_BOX_GIT" "$GT_BOX_GIT_LINK" --ro-bind "$GT_BOX_OBJECTS" "$GT_BOX_OBJECTS"',
  '--bind "$GT_RUNNER_SOCKET" "$GT_RUNNER_SOCKET" --ro-bind "$PWD_OF_TEST" "$PWD_OF_TEST"',
].join(' ');

/** Understands the options of podman that are used, and makes the container with bubblewrap. */
const PODMAN = `#!/bin/bash
echo "$@" | grep -q cap- && echo "a token in a command line" >> "$PODMAN_LOG"
[ "$1" = rm ] && { echo "rm $3" >> "$PODMAN_LOG"; exit 0; }
shift; args=(--unshare-user --unshare-pid --die-with-parent --ro-bind / / --proc /proc --dev /dev)
while [ $# -gt 0 ]; do case "$1" in
  --rm|--interactive|--init) shift ;;
  --name) echo "run $2" >> "$PODMAN_LOG"; shift 2 ;;
  --network) args+=(--unshare-net); shift 2 ;;
  --workdir) args+=(--chdir "$2"); shift 2 ;;
  --volume) IFS=: read -r from at mode <<< "$2"; [ "$mode" = ro ] && args+=(--ro-bind "$from" "$at") || args+=(--bind "$from" "$at"); shift 2 ;;
  --env) [ "$2" = PATH ] && exit 1; shift 2 ;;
  *) break ;;
esac; done
[ "$1" = image-of-test ] || exit 125
shift; export PATH=/usr/bin:/bin; exec /usr/bin/bwrap "\${args[@]}" -- "$@"
`;

describe.skipIf(!hasBubblewrap)('other ways to be shut in', () => {
  const work =
    'echo two >> a.txt; git config core.fsmonitor "touch /tmp/ran; false"; git commit -qam two; gt done --summary ok';

  it('a wrapper of the user: its own git directory, looked at here with settings of ours when there is no bubblewrap', async () => {
    const fake = mkdtempSync(join(town.root, 'bin-'));
    writeFileSync(join(fake, 'bwrap'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const before = process.env['PATH'];
    process.env['PATH'] = `${fake}:${before ?? ''}`;
    try {
      await town.spawnRunner();
    } finally {
      process.env['PATH'] = before;
    }
    const command = WRAPPER.replaceAll('$PWD_OF_TEST', process.cwd());
    const start = inBox(work, {}, { kind: 'wrapper', command });
    const { said } = await run(start);
    expect(said).toContain('accepted');
    const { head } = await town.fact('agent_done', start);
    expect(town.git(['log', '--format=%s', `${town.targetSha}..${head}`], town.bare)).toBe('two');
    expect(readFileSync(join(town.bare, 'config'), 'utf8')).not.toContain('fsmonitor');
    expect(existsSync('/tmp/ran')).toBe(false);
    expect(town.brain.recorded.find((fact) => fact.type === 'agent_started')).toMatchObject({ isolation: 'wrapper' });
  });

  it('a container (a stand-in for podman): mounts, variables by name, and nothing left of it', async () => {
    const program = join(town.root, 'podman');
    const log = join(town.root, 'podman.log');
    writeFileSync(program, PODMAN.replaceAll('$PODMAN_LOG', log), { mode: 0o755 });
    await town.start();
    const box = { kind: 'container', command: `${program} run`, image: 'image-of-test' } as const;
    const start = inBox(`${work}; ls ${town.root}/.gastown/secrets.json`, {}, box);
    const { said } = await run(start);
    expect(said).toContain('accepted');
    expect(readFileSync(log, 'utf8')).toBe(`run gt-${start.attempt}\nrm gt-${start.attempt}\n`);
    const wrong = await run(inBox('true', {}, { ...box, image: 'no-such-image' }));
    expect(wrong.exit).toMatchObject({ cause: 'exited', exitCode: 125, failed: 'isolation' });
    const missing = await run(inBox('true', {}, { ...box, command: 'no-such-docker run' }));
    expect(missing.exit).toMatchObject({ cause: 'spawn_failed', failed: 'isolation' });
    expect(missing.exit.lastLine).toContain('no-such-docker');
    const gates = (key: string, image: string, command: string): Extract<Job, { kind: 'gates' }> => ({
      kind: 'gates',
      key,
      repo: town.repo,
      commit: town.targetSha,
      gates: [{ name: 'test', run: command, timeoutMs: 30_000 }],
      sandbox: { ...BOX, ...box, image },
    });
    // Exit code 125 of the engine is no red of the gate; of the gate itself it is.
    await town.call('POST', '/jobs', gates('gates:none', 'no-such-image', 'true'));
    expect((await town.fact('job_finished')).result).toMatchObject({
      result: 'error',
      message: expect.stringContaining('isolation_unavailable'),
    });
    const red = await town.job(gates('gates:red', 'image-of-test', 'echo red; exit 125'));
    expect(red).toMatchObject({ result: 'gates', green: false, runs: [{ exitCode: 125 }] });
    expect(red.result === 'gates' ? red.runs[0]?.tail : '').toBe('$ echo red; exit 125\nred\n');
  });
});
