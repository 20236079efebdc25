import { OpenAPIHono } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import type { AppEnv } from './auth.ts';
import { sameAnswer } from './same-answer.ts';

/** An application whose reads count, and wait until they are let go. */
function world() {
  let turns = 0;
  let nowMs = 1_000;
  let computed = 0;
  let gate: Promise<void> = Promise.resolve();
  const app = new OpenAPIHono<AppEnv>();
  app.onError((_error, c) => c.json({ code: 'internal' }, 500));
  app.use(
    '/api/*',
    sameAnswer(() => turns, { now: () => nowMs }),
  );
  app.all('/api/v1/towns/:town/:what', async (c) => {
    computed += 1;
    const mine = computed;
    await gate;
    if (c.req.query('rig') === 'broken') throw new Error('broken');
    return c.json({ answer: mine, turns });
  });
  return {
    ask: async (path: string, method = 'GET') => {
      const answer = await app.request(`/api/v1/towns/_/${path}`, { method });
      return { status: answer.status, json: (await answer.json()) as { answer: number; turns: number } };
    },
    turn: () => (turns += 1),
    wait: (ms: number) => (nowMs += ms),
    hold: (): (() => void) => {
      let open: () => void = () => undefined;
      gate = new Promise((resolve) => (open = resolve));
      return open;
    },
    computed: () => computed,
  };
}

describe('what many dashboards ask at the same moment', () => {
  it('is computed once, also while it is being computed', async () => {
    const { ask, hold, computed } = world();
    const open = hold();
    const asked = Array.from({ length: 200 }, () => ask('status'));
    await new Promise((resolve) => setImmediate(resolve));
    open();
    const answers = await Promise.all(asked);
    expect(computed()).toBe(1);
    expect(new Set(answers.map(({ status, json }) => `${String(status)} ${String(json.answer)}`))).toEqual(
      new Set(['200 1']),
    );
    expect((await ask('status')).json.answer).toBe(1);
  });

  it('is computed again after any turn, for whoever asks after it', async () => {
    const { ask, turn, hold, computed } = world();
    const open = hold();
    const early = ask('status');
    turn();
    const late = ask('status');
    open();
    expect([(await early).json.answer, (await late).json.answer]).toEqual([1, 2]);
    // The answer that was begun before the turn is nobody's any more.
    expect((await ask('status')).json.answer).toBe(2);
    expect(computed()).toBe(2);
  });

  it('is looked at again after a second: not everything is told by a turn', async () => {
    const { ask, wait } = world();
    await ask('status');
    wait(1_000);
    expect((await ask('status')).json.answer).toBe(1);
    wait(1);
    expect((await ask('status')).json.answer).toBe(2);
  });

  it('is one question with its parameters', async () => {
    const { ask } = world();
    const answers = [await ask('mq?rig=a'), await ask('mq?rig=b'), await ask('mq'), await ask('mq?rig=a')];
    expect(answers.map(({ json }) => json.answer)).toEqual([1, 2, 3, 1]);
  });

  it('keeps no failure, and asks for those who waited for it', async () => {
    const { ask, hold, computed } = world();
    const open = hold();
    const asked = [ask('mq?rig=broken'), ask('mq?rig=broken')];
    await new Promise((resolve) => setImmediate(resolve));
    open();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([500, 500]);
    await ask('mq?rig=broken');
    expect(computed()).toBe(3);
  });

  it('is nothing else: changes and reads of one thing are always done', async () => {
    const { ask, computed } = world();
    for (const what of ['rigs', 'beads']) for (let at = 0; at < 2; at += 1) await ask(what, 'POST');
    for (let at = 0; at < 2; at += 1) await ask('feed');
    expect(computed()).toBe(6);
  });
});
