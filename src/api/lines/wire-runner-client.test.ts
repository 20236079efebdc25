import { describe, expect, it } from 'vitest';
import type { WireAnswer } from '../contract/frames.ts';
import { factSchema } from '../contract/runner.ts';
import { WireRunnerClient } from './wire-runner-client.ts';

const answer = (body: unknown, status = 200): WireAnswer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
  next: null,
});
/** A runner that answers every call like this; what it was asked. */
function clientOf(say: (path: string) => WireAnswer): { readonly client: WireRunnerClient; readonly asked: string[] } {
  const asked: string[] = [];
  const client = new WireRunnerClient(
    ({ path }) => {
      asked.push(path);
      return Promise.resolve(say(path));
    },
    () => null,
  );
  return { client, asked };
}
const running = (attempt: string) => ({
  attempt,
  state: 'running',
  epoch: 1,
  pid: 1,
  base: null,
  lastOutputAtMs: null,
  exit: null,
});
const EXIT = {
  attempt: 'b',
  epoch: 1,
  exitCode: 0,
  signal: null,
  cause: 'exited',
  lastLine: '',
  startedAtMs: 1,
  endedAtMs: 2,
  head: null,
  base: null,
  ahead: null,
  dirty: false,
  rescueRef: null,
  doneIntent: false,
};

describe('a runner of another version', () => {
  it('is heard about all attempts but the one of which it speaks in unknown words', async () => {
    const odd = { ...running('b'), state: 'exited', exit: { ...EXIT, cause: 'oom_score' } };
    const { client } = clientOf(() => answer({ items: [running('a'), odd, running('c'), 7] }));
    expect((await client.report(['a', 'b', 'c'])).map(({ attempt }) => attempt)).toEqual(['a', 'c']);
  });

  it('without a call that ends a job lets it end by itself; any other failure is one', async () => {
    const none = { error: { code: 'route_not_found', message: 'no' } };
    await expect(clientOf(() => answer(none, 404)).client.cancelJob('k')).resolves.toBeUndefined();
    await expect(clientOf(() => answer(none, 500)).client.cancelJob('k')).rejects.toThrow('500');
    await expect(clientOf(() => answer(none, 404)).client.health()).rejects.toThrow('404');
  });

  it('may say more than we know', () => {
    const model = {
      model: null,
      tokensIn: 1,
      tokensOut: 1,
      tokensCached: 0,
      microUsd: null,
      unpricedIn: 0,
      unpricedOut: 0,
      unpricedCached: 0,
    };
    const of = { key: 'k', rig: 'r', attempt: 'a', epoch: 1, atMs: 1 };
    const usage = { ...of, type: 'agent_usage', models: [model] };
    const more = { ...usage, turns: 3, models: [{ ...model, tokensThought: 1 }] };
    expect(factSchema.parse(more)).toEqual(usage);
    const quota = { ...of, type: 'quota_limited', resetsAtMs: null, reason: 'x' };
    expect(factSchema.parse({ ...quota, account: 'a' })).toEqual(quota);
  });
});

it('many attempts are asked about in questions that fit into a frame', async () => {
  const ids = Array.from({ length: 450 }, (_, n) => `at-${String(n).padStart(24, '0')}`);
  const { client, asked } = clientOf((path) =>
    answer({ items: (path.split('=')[1] ?? '').split(',').map((id) => running(id)) }),
  );
  expect((await client.report(ids)).map(({ attempt }) => attempt)).toEqual(ids);
  expect(Math.max(...asked.map((path) => path.length))).toBeLessThan(8_192);
});
