import { describe, expect, it } from 'vitest';
import { FRAME_BYTES_MAX, HEAD_CHARS_MAX, type WireAnswer, type WireCall } from './frames.ts';
import { Link, LinkLost } from './link.ts';
import { bearerFor, tokenOf, prove, readToken, runnerOfBearer } from './runner-auth.ts';

const call = (path: string, body: string | null = null): WireCall => ({
  method: 'POST',
  path,
  authorization: null,
  body,
});
const ok = (body: string): WireAnswer => ({ status: 200, type: 'text/plain', body, next: null });
const after = (ms: number, work: () => void): (() => void) => {
  const timer = setTimeout(work, ms);
  return () => {
    clearTimeout(timer);
  };
};

/** Two sides with what they sent in between, which the test delivers as it likes. */
function pair(serve: (call: WireCall) => Promise<WireAnswer> = (one) => Promise.resolve(ok(one.path))) {
  const sent: { left: string[]; right: string[] } = { left: [], right: [] };
  const aborted: string[] = [];
  const side = (name: 'left' | 'right'): Link =>
    new Link({ send: (text) => sent[name].push(text), serve, abort: (reason) => aborted.push(reason), after });
  return { left: side('left'), right: side('right'), sent, aborted };
}
const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 5);
  });

describe('a line of frames', () => {
  it('answers a repeated call from memory, and matches answers in any order', async () => {
    let served = 0;
    const { left, right, sent } = pair((one) => {
      served += 1;
      return Promise.resolve(ok(one.path));
    });
    const answers = [left.call(call('/a'), 1_000), left.call(call('/b'), 1_000)];
    for (const text of [...sent.left, ...sent.left].toReversed()) right.receive(text);
    await settle();
    expect(served).toBe(2);
    for (const text of [...sent.right].toReversed()) left.receive(text);
    expect((await Promise.all(answers)).map((answer) => answer.body)).toEqual(['/a', '/b']);
  });

  it('takes ids of its host, which remembers them longer than it', async () => {
    const { right, sent } = pair();
    const ids = [7, 1_007];
    const left = new Link({
      send: (text) => sent.left.push(text),
      serve: () => Promise.reject(new Error('never')),
      abort: () => undefined,
      after,
      nextId: () => ids.shift() ?? 0,
    });
    const answers = [left.call(call('/a'), 1_000), left.call(call('/b'), 1_000)];
    for (const text of sent.left) right.receive(text);
    await settle();
    expect(sent.right.map((text) => (JSON.parse(text) as { id: number }).id)).toEqual([7, 1_007]);
    for (const text of sent.right) left.receive(text);
    expect((await Promise.all(answers)).map((answer) => answer.body)).toEqual(['/a', '/b']);
  });

  it('ends every call when the line is cut', async () => {
    const { left, sent } = pair();
    const waiting = left.call(call('/a'), 60_000);
    left.end('cut');
    await expect(waiting).rejects.toThrow(LinkLost);
    await expect(left.call(call('/b'), 60_000)).rejects.toThrow('cut');
    expect(sent.left).toHaveLength(1);
  });

  it('gives a slow answer up at its deadline, and passes over it when it comes', async () => {
    const { left, right, sent, aborted } = pair();
    await expect(left.call(call('/a'), 10)).rejects.toThrow('no answer within 10 ms');
    right.receive(sent.left[0] ?? '');
    await settle();
    left.receive(sent.right[0] ?? '');
    expect(aborted).toEqual([]);
  });

  it('breaks the line for rubbish, and refuses what does not fit', async () => {
    for (const rubbish of ['', '{', '[]', '{"t":"call","id":0}', '{"t":"welcome"}', '{"t":"ready","proof":"x"}']) {
      const { right, aborted } = pair();
      right.receive(rubbish);
      expect(aborted, rubbish).toHaveLength(1);
    }
    const { left, sent } = pair();
    await expect(left.call(call('/a', 'x'.repeat(FRAME_BYTES_MAX)), 1_000)).rejects.toThrow('too large');
    expect(sent.left).toEqual([]);
    const big = pair(() => Promise.resolve(ok('x'.repeat(FRAME_BYTES_MAX))));
    const answer = big.left.call(call('/a'), 1_000);
    big.right.receive(big.sent.left[0] ?? '');
    await settle();
    big.left.receive(big.sent.right[0] ?? '');
    expect((await answer).status).toBe(413);
  });

  it('keeps no answer once it is sent', async () => {
    let served = 0;
    const { left, right, sent } = pair(() => Promise.resolve(ok(String((served += 1)))));
    void left.call(call('/a'), 1_000).catch(() => undefined);
    right.receive(sent.left[0] ?? '');
    await settle();
    right.receive(sent.left[0] ?? '');
    await settle();
    expect(served).toBe(2);
    left.end('over');
  });

  it('refuses the one call that no frame can carry, and that the other side could not read', async () => {
    const { left, right, sent, aborted } = pair();
    const long = 'a'.repeat(HEAD_CHARS_MAX + 1);
    for (const odd of [call(`/${long}`), { ...call('/a'), authorization: long }, { ...call('/a'), key: long }])
      expect(await left.call(odd, 1_000)).toMatchObject({
        status: 431,
        body: expect.stringContaining('head_too_large'),
      });
    expect(sent.left).toEqual([]);
    // As an older side sends it, and as a newer one may.
    const waiting = left.call(call('/a'), 1_000);
    const text = sent.left[0] ?? '';
    right.receive(text.replace('"/a"', JSON.stringify(`/${long}`)));
    right.receive(text.replace('"POST"', '"QUERY"'));
    await settle();
    expect(sent.right.map((answer) => (JSON.parse(answer) as { status: number }).status)).toEqual([400, 400]);
    left.receive(sent.right[0] ?? '');
    expect((await waiting).body).toContain('bad_call');
    expect(aborted).toEqual([]);
  });

  it('hides what went wrong on the other side', async () => {
    const { left, right, sent } = pair(() => Promise.reject(new Error('secret path')));
    const answer = left.call(call('/a'), 1_000);
    right.receive(sent.left[0] ?? '');
    await settle();
    left.receive(sent.right[0] ?? '');
    expect(await answer).toMatchObject({ status: 500 });
    expect((await answer).body).not.toContain('secret');
  });
});

describe('proofs', () => {
  it('fit one role, one runner, one town and one pair of nonces', async () => {
    const { token, verifier } = await tokenOf('key', { town: 'town-1', runner: 'box', serial: 's1' });
    expect(await readToken(`${token}\n`)).toEqual({ town: 'town-1', runner: 'box', verifier });
    expect(token).not.toContain(verifier);
    for (const other of [
      await tokenOf('key 2', { town: 'town-1', runner: 'box', serial: 's1' }),
      await tokenOf('key', { town: 'town-1', runner: 'box', serial: 's2' }),
    ])
      expect(other.verifier).not.toBe(verifier);
    const about = { town: 'town-1', runner: 'box', runnerNonce: 'a', townNonce: 'b' };
    const all = await Promise.all([
      prove(verifier, 'hello', about),
      prove(verifier, 'welcome', about),
      prove(verifier, 'ready', about),
      prove(verifier, 'ready', { ...about, townNonce: 'c' }),
      prove(verifier, 'ready', { ...about, runnerNonce: 'c' }),
      prove(verifier, 'ready', { ...about, runner: 'other' }),
      prove(verifier, 'ready', { ...about, town: 'other' }),
      prove('other', 'ready', about),
      bearerFor(verifier, 'box', 'to-town'),
      bearerFor(verifier, 'box', 'to-runner'),
    ]);
    expect(new Set(all).size).toBe(all.length);
    expect(runnerOfBearer(await bearerFor(verifier, 'box', 'to-town'))).toBe('box');
    await expect(readToken('gtr1.town-1.box.short')).rejects.toMatchObject({ code: 'bad_runner_token' });
  });
});
