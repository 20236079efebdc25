import { describe, expect, it } from 'vitest';
import { TownForge } from './town-forge.ts';

describe('an error of a code host', () => {
  it.each([240, 250, 260, 270, 280, 290])(
    'that repeats the token after %i characters shows no part of it',
    async (at) => {
      const token = 'secret-0123456789-abcdefghij';
      const message = `${'x'.repeat(at)}${token}`;
      const forge = new TownForge({
        secret: () => token,
        nowMs: () => 0,
        fetch: () => Promise.resolve(Response.json({ message }, { status: 401 })),
      });
      const site = { kind: 'github', apiUrl: 'https://api.forge.test', project: 'a/b', token: 'env:T' } as const;
      const answer = await forge.look({ site, number: 1 }, null);
      expect(answer).toMatchObject({ state: 'refused', code: 'no_right' });
      expect(JSON.stringify(answer)).not.toContain('secret');
      expect('error' in answer ? answer.error.length : 999).toBeLessThanOrEqual(300);
    },
  );

  it('that our own side makes of a token that is none shows no part of it', async () => {
    const token = 'secret-0123456789\nabc';
    const forge = new TownForge({ secret: () => token, nowMs: () => 0 });
    const site = { kind: 'github', apiUrl: 'http://127.0.0.1:9', project: 'a/b', token: 'env:T' } as const;
    const answer = await forge.look({ site, number: 1 }, null);
    expect(answer).toMatchObject({ state: 'later' });
    expect(JSON.stringify(answer)).not.toContain('secret-');
  });
});
