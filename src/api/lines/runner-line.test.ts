import { describe, expect, it } from 'vitest';
import type { WireCall } from '../contract/frames.ts';
import { mintCapability } from '../capability.ts';
import { trusted } from '../../core/model/ids.ts';
import { serveRunner } from './runner-line.ts';

const CALL: WireCall = {
  method: 'POST',
  path: '/api/v1/towns/t/agent/beads',
  authorization: 'Bearer agent',
  body: '{}',
};

/** What reaches the town's application: its path, credential and key; or the refusal. */
async function served(over: Partial<WireCall>): Promise<string> {
  const answer = await serveRunner({ ...CALL, ...over }, 'line', (request) => {
    const { headers } = request;
    const shown = [new URL(request.url).pathname, headers.get('authorization'), headers.get('idempotency-key')];
    return new Response(shown.join(' '));
  });
  return answer.status === 200 ? answer.body : String(answer.status);
}

const sessionOf = (key: string): Promise<string> =>
  mintCapability(
    {
      role: 'mayor',
      town: 't',
      attempt: trusted.attempt('at-1'),
      epoch: 1,
      sitting: 1,
      verbs: [],
      expiresAtMs: 4_000_000_000_000,
    },
    key,
  );

describe('a call that a runner passes on', () => {
  it('keeps its idempotency key, so that its repeat on another connection is the same call', async () => {
    expect(await served({ key: 'words' })).toBe('/api/v1/towns/t/agent/beads Bearer agent words');
    expect(await served({})).toBe('/api/v1/towns/t/agent/beads Bearer agent ');
  });

  it('shows the proof of the line only where runners call', async () => {
    expect(await served({ path: '/api/v1/towns/t/runner/facts', authorization: null })).toBe(
      '/api/v1/towns/t/runner/facts Bearer line ',
    );
    expect(await served({ authorization: null })).toBe('403');
  });

  it('reaches what is for people only with the token of a session, which the town checks', async () => {
    const path = '/api/v1/towns/t/beads';
    const token = `Bearer ${await sessionOf('k'.repeat(32))}`;
    expect(await served({ path, authorization: token })).toBe(`${path} ${token} `);
    for (const authorization of [null, 'Bearer owner', 'Bearer a.b.c', 'Bearer '])
      expect(await served({ path, authorization })).toBe('403');
  });
});
