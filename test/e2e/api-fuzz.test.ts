/** A real daemon asked anything over HTTP, and things that are no HTTP; the long form is `npm run fuzz -- --daemon`. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonSide } from '../fuzz/daemon-side.ts';
import { EMPTIES_THE_TOWN, fuzz, show } from '../fuzz/run.ts';
import type { Side } from '../fuzz/side.ts';

const SEED = Number(process.env['GT_FUZZ_SEED'] ?? 20_261_121);
const CALLS = 60;

describe('the API of a daemon, asked anything', () => {
  let side: Side & { readonly port: number };
  beforeAll(async () => {
    side = await daemonSide();
  });
  afterAll(async () => {
    await side.close();
  });

  it('answers or refuses in plain words, and what it refuses changes no row', async () => {
    const outcome = await fuzz(side, { runs: CALLS, seed: SEED, leaveOut: EMPTIES_THE_TOWN });
    expect(outcome.findings.map((finding) => show(finding, SEED))).toEqual([]);
    expect(outcome.calls).toBe(CALLS);
    expect(outcome.accepted.size).toBeGreaterThan(3);
  });

  /** Sends bytes and answers what comes until the other end closes. */
  const raw = async (bytes: string): Promise<string> => {
    const socket = connect(side.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.on('error', () => undefined);
    socket.end(bytes);
    await once(socket, 'close');
    return text;
  };

  it('tells in the same words what is no request, and goes on', async () => {
    const host = 'Host: 127.0.0.1\r\n';
    const broken = [
      'rubbish\r\n\r\n',
      `GET / HTTP/9.9\r\n${host}\r\n`,
      `POST /api/v1/towns/_/beads HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`,
      `GET / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzzz`,
      `GET / HTTP/1.1\r\n${host}x:\0y\r\n\r\n`,
    ];
    for (const bytes of broken) {
      const answer = await raw(bytes);
      expect(answer, JSON.stringify(bytes)).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('application/problem+json');
      expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'bad_http', status: 400 });
    }
    const long = await raw(`GET /${'a'.repeat(40_000)} HTTP/1.1\r\n${host}\r\n`);
    expect(long).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(long.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'head_too_large', status: 431 });
    const alive = await side.send({ method: 'GET', path: '/livez', headers: {}, body: null });
    expect(alive.status).toBe(200);
  });
});
