import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestTown } from '../fixtures/runner/town.ts';

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const words = (attempt: string, epoch: number, over: object = {}): object => ({
  attempt,
  epoch,
  key: 'k1',
  text: 'Mind the tests',
  mode: 'immediate',
  ...over,
});

it('a runtime that takes no words says so, and so does a session that is not there', async () => {
  await town.start();
  const start = town.commandRequest('echo ready; while :; do sleep 0.05; done');
  await town.post(start);
  await town.printed(start, 'ready');
  const tell = (attempt: string, epoch: number) => town.call('POST', '/agents/messages', words(attempt, epoch));
  expect(await tell(start.attempt, start.epoch)).toMatchObject({
    status: 200,
    json: { state: 'not_possible', reason: 'the runtime "command" takes no words in mid-session' },
  });
  expect((await tell(start.attempt, start.epoch + 1)).json).toMatchObject({ state: 'not_possible' });
  expect((await tell('at-0000000000000000', 1)).json).toMatchObject({ reason: 'there is no live session' });
});

it('refuses words without a text, in an unknown mode, or without the secret', async () => {
  await town.start();
  for (const wrong of [{ text: '' }, { mode: 'queue' }, { text: 'x'.repeat(4_001) }])
    expect((await town.call('POST', '/agents/messages', words('at-1', 1, wrong))).status).toBe(400);
  expect((await town.call('POST', '/agents/messages', words('at-1', 1), 'agent-token')).status).toBe(401);
});
