/** `gt rehearse` and what doctor says of runtimes, without any program of an AI agent on the machine. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Place } from './cli-support.ts';

const place = new Place();
const bin = place.path('bin');
/** Git, a shell and nothing else: whoever runs this may have a real agent program. */
const path = `${bin}:/usr/bin:/bin`;

afterAll(() => {
  place.remove();
});

describe('gt rehearse', () => {
  it('says what to install where there is nothing to rehearse, and what can be rehearsed', async () => {
    const none = await place.gt(['rehearse', 'claude'], { env: { PATH: path } });
    expect(none.code).toBe(3);
    expect(none.err).toContain('npm install -g @anthropic-ai/claude-code');
    const unknown = await place.gt(['rehearse', 'abacus'], { env: { PATH: path } });
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain('claude, codex, opencode');
  });
});

describe('gt doctor', () => {
  it('says which programs of agents are there, and whether somebody is logged in', async () => {
    const home = place.path('home');
    mkdirSync(bin, { recursive: true });
    mkdirSync(join(home, '.claude'), { recursive: true });
    for (const [name, version] of [
      ['claude', '9.9.1 (Claude Code)'],
      ['opencode', '8.8.1'],
    ] as const) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho "${version}"\n`);
      chmodSync(join(bin, name), 0o755);
    }
    writeFileSync(join(home, '.claude', '.credentials.json'), '{}');
    const root = place.path('town');
    await place.json(['init', root]);
    const env = { PATH: path, HOME: home, ANTHROPIC_API_KEY: '', OPENAI_API_KEY: '', OPENROUTER_API_KEY: '' };
    const answer = await place.gt(['doctor', '--json'], { cwd: root, env });
    const items = (JSON.parse(answer.out) as { items: { name: string; status: string; what: string }[] }).items;
    const of = (name: string): unknown => items.find((item) => item.name === name);
    expect(of('claude')).toMatchObject({ status: 'ok', what: '9.9.1 (Claude Code), a login is there' });
    expect(of('opencode')).toMatchObject({ status: 'note', what: '8.8.1, no login found' });
    expect(of('gemini')).toBeUndefined();
  });
});
