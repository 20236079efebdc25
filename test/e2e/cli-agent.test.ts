import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Place } from './cli-support.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly token: string | undefined;
  readonly body: unknown;
  /** Whether the intent was on disk when the call came. */
  readonly intentFirst: boolean;
}

describe("an agent's commands", () => {
  const place = new Place();
  const stateDir = place.path('state');
  const socket = place.path('r.sock');
  const env = { GT_RUNNER_SOCKET: socket, GT_TOKEN: 'token-1', GT_STATE_DIR: stateDir };
  let server: Server;
  let seen: Seen[] = [];
  let reply: { status: number; body: unknown } = { status: 200, body: {} };
  const gt = (args: readonly string[], input = '') => place.gt(args, { env, input });
  const intent = (): Record<string, unknown> => JSON.parse(place.read('state', 'done.json'));

  beforeAll(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on('end', () => {
        seen.push({
          method: request.method ?? '',
          path: request.url ?? '',
          token: request.headers.authorization,
          body: text === '' ? null : JSON.parse(text),
          intentFirst: existsSync(place.path('state', 'done.json')),
        });
        response.writeHead(reply.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(reply.body));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(socket, resolve);
    });
  });

  beforeEach(() => {
    seen = [];
    rmSync(stateDir, { recursive: true, force: true });
    mkdirSync(stateDir);
  });

  afterAll(() => {
    server.close();
    place.remove();
  });

  it('done writes its intent first, then asks; accepted is exit 0', async () => {
    reply = { status: 200, body: { verdict: 'accepted', message: 'It is in review.' } };
    const answer = await gt(['done', '--summary', 'done it', '--commit', 'All of it']);
    expect(answer).toMatchObject({ code: 0, out: 'accepted: It is in review.\n' });
    expect(intent()).toMatchObject({ summary: 'done it', commit: 'All of it', noChange: null, at: expect.any(Number) });
    expect(seen).toMatchObject([
      {
        method: 'POST',
        path: '/agent/done',
        token: 'Bearer token-1',
        intentFirst: true,
        body: { summary: 'done it', commit: 'All of it' },
      },
    ]);
    expect(readdirSync(stateDir)).toEqual(['done.json']);
  });

  it.each([
    [
      { status: 200, body: { verdict: 'refused', code: 'no_commits', message: 'Nothing was committed.' } },
      3,
      'no_commits',
    ],
    [{ status: 200, body: { verdict: 'superseded', message: 'Another attempt has it.' } }, 5, 'superseded'],
    [{ status: 409, body: { error: { code: 'superseded', message: 'Over.', next: 'Stop.' } } }, 5, 'superseded'],
    [{ status: 401, body: { error: { code: 'bad_token', message: 'Unknown token.', next: 'Stop.' } } }, 6, 'bad_token'],
  ])('done says no: %j', async (answered, code, name) => {
    reply = answered;
    const answer = await gt(['done', '--json']);
    expect([answer.code, answer.out]).toEqual([code, '']);
    expect(JSON.parse(answer.err).error.code).toBe(name);
  });

  it.each([
    [{ status: 200, body: { verdict: 'pending', message: 'Not decided yet.' } }],
    [{ status: 503, body: { error: { code: 'brain_away', message: 'Away.', next: 'Wait.' } } }],
    [{ status: 500, body: {} }],
  ])('done that is not decided is pending, exit 0: %j', async (answered) => {
    reply = answered;
    const answer = await gt(['done', '--json']);
    expect(answer.code).toBe(0);
    expect(JSON.parse(answer.out)).toMatchObject({ verdict: 'pending' });
  });

  it('done without a runner is pending as well: the intent counts', async () => {
    const answer = await place.gt(['done', '--no-change', 'fixed already'], {
      env: { ...env, GT_RUNNER_SOCKET: place.path('none.sock') },
    });
    expect(answer.code).toBe(0);
    expect(answer.out).toMatch(/^pending: /);
    expect(intent()).toMatchObject({ noChange: 'fixed already', commit: null });
  });

  it.each([
    [['done', '--commit', 'a', '--no-change', 'b'], 2, 'commit_and_no_change'],
    [['done', '--no-change', '  '], 2, 'empty_text'],
    [['done', '--summary', 'x'.repeat(2_001)], 2, 'too_long'],
    [['done', 'extra'], 2, 'too_many_arguments'],
    [['checkpoint'], 2, 'missing_argument'],
    [['checkpoint', '{'], 2, 'bad_json'],
    [['checkpoint', `"${'x'.repeat(65_600)}"`], 2, 'too_large'],
    [['checkpoint', '@/nonexistent'], 3, 'file_unreadable'],
  ])('refuses wrong input %# before anything is written or sent', async (args, code, name) => {
    const answer = await gt([...args, '--json']);
    expect([answer.code, JSON.parse(answer.err).error.code]).toEqual([code, name]);
    expect(seen).toEqual([]);
    expect(readdirSync(stateDir)).toEqual([]);
  });

  it('done says it when the intent can not be written', async () => {
    rmSync(stateDir, { recursive: true });
    const answer = await gt(['done', '--json']);
    expect([answer.code, JSON.parse(answer.err).error.code]).toEqual([3, 'state_dir_unwritable']);
  });

  it('hook, prime and checkpoint ask the runner with the own token', async () => {
    reply = {
      status: 200,
      body: { bead: { id: 'app-7k3qf', title: 'T', body: 'B' }, prompt: 'Do it.', checkpoint: null, saved: true },
    };
    expect((await gt(['hook'])).out).toBe('app-7k3qf  T\n\nB\n');
    expect((await gt(['prime'])).out).toBe('Do it.\n');
    expect((await gt(['checkpoint', '{"step":1}'])).out).toBe('saved\n');
    expect((await gt(['checkpoint', '-'], '{"step":2}')).code).toBe(0);
    expect(seen.map((one) => [one.method, one.path, one.body])).toEqual([
      ['GET', '/agent/hook', null],
      ['GET', '/agent/prime', null],
      ['POST', '/agent/checkpoint', { data: { step: 1 } }],
      ['POST', '/agent/checkpoint', { data: { step: 2 } }],
    ]);
    expect(seen.every((one) => one.token === 'Bearer token-1')).toBe(true);
    const away = await place.gt(['hook', '--json'], { env: { ...env, GT_RUNNER_SOCKET: place.path('none.sock') } });
    expect([away.code, JSON.parse(away.err).error.code]).toEqual([75, 'runner_unreachable']);
  });
});
