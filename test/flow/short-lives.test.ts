/** An object of a town is made anew by each call after some seconds of rest: what was put off outlives that. */
import { expect, it } from 'vitest';
import { BareActor } from '../support/bare-actor.ts';
import { MINUTE, newBead, human } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const LIFE_MS = 15_000;
const HOUR = 60 * MINUTE;

it('a host that said "not before an hour" is left alone for that hour, whoever makes the actor anew', async () => {
  const bare = await BareActor.open();
  bare.program.onPerform = () => Promise.resolve({ state: 'retry', error: 'rate limited', atMs: bare.nowMs + HOUR });
  await bare.actor.ask((turn) => {
    turn.effect({ key: 'call', kind: 'forge', lane: 'forge', payload: {} });
  });
  await bare.settle();
  for (let life = 0; life < 20; life += 1) {
    await bare.advance(LIFE_MS);
    await bare.reopen();
  }
  expect(bare.program.performed).toEqual(['call']);
  await bare.advance(HOUR);
  expect(bare.program.performed).toEqual(['call', 'call']);
});

it('a call that was under way when the process died is made again at once', async () => {
  const bare = await BareActor.open();
  bare.program.onPerform = () => new Promise(() => undefined);
  await bare.actor.ask((turn) => {
    turn.effect({ key: 'call', kind: 'job', lane: 'job', payload: {} });
  });
  await bare.settle();
  await bare.reopen();
  await bare.settle();
  expect(bare.program.performed).toEqual(['call', 'call']);
});

/** Calls of the webhook within three minutes of an escalation that it does not take, and how the escalation stands. */
async function tries(lives: boolean) {
  const town = new VirtualTown();
  const config = rigConfig('api', { runtime: 'command', command: 'agent' });
  await town.service.start([config]);
  await town.service.runnerChanged('runner-1');
  await town.service.createBead(newBead('one'), human);
  await town.settle();
  town.notifyOutcome = (route) =>
    route === 'webhook' ? { state: 'retry', error: 'it answered 503' } : { state: 'off', error: 'not set' };
  for (const lastLine of ['a', 'b', 'c', 'd', 'e']) {
    const [agent] = town.runner.running();
    if (agent !== undefined) town.runner.exit(agent.request.attempt, { exitCode: 1, lastLine });
    await town.advance(lastLine === 'e' ? 0 : 6 * MINUTE);
  }
  const calls = (): number => town.notified.filter(({ route }) => route === 'webhook').length;
  expect(calls()).toBeGreaterThan(0);
  for (let life = 0; life < 12; life += 1) {
    await town.advance(LIFE_MS);
    if (!lives) continue;
    town.crash();
    await town.service.start([config]);
    await town.settle();
  }
  const routes = (await town.service.listEscalations(true)).flatMap((one) => one.routes);
  return { calls: calls(), failed: routes.filter(({ state }) => state === 'failed').length };
}

it('a person is told of an escalation with the same patience, however short the lives of its town are', async () => {
  const [long, short] = [await tries(false), await tries(true)];
  expect(short.failed).toBe(0);
  expect(short.calls - long.calls).toBeLessThanOrEqual(1);
});
