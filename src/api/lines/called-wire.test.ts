import { expect, it } from 'vitest';
import type { WireAnswer, WireCall } from '../contract/frames.ts';
import { bearerToRunner, calledWire } from './called-wire.ts';

const CALL: WireCall = { method: 'GET', path: '/health', authorization: null, body: null };

/** A town with a runner whose token was rotated, and that runner, which takes the token of one serial. */
function rotating(taken: string | null, statusOfTaken = 200) {
  const serials: { current: string; next: string | null } = { current: 's1', next: 's2' };
  const town = {
    town: 'town-1',
    key: 'key of the town',
    gateway: () => ({
      serials: (id: string) => Promise.resolve(id === 'box' ? { ...serials } : null),
      rotated: () => {
        serials.current = serials.next ?? serials.current;
        serials.next = null;
        return Promise.resolve();
      },
    }),
  };
  let calls = 0;
  const send = async (bearer: string): Promise<WireAnswer> => {
    calls += 1;
    const isTaken = taken !== null && bearer === (await bearerToRunner(town, 'box', taken));
    return { status: isTaken ? statusOfTaken : 401, type: '', body: '', next: null };
  };
  return { serials, wire: calledWire(town, 'box', send), other: calledWire(town, 'gone', send), calls: () => calls };
}

it('a runner that listens and has the new token in its file is met with it, which ends the old one', async () => {
  const { serials, wire, calls } = rotating('s2');
  expect((await wire(CALL)).status).toBe(200);
  expect(serials).toEqual({ current: 's2', next: null });
  await wire(CALL);
  expect(calls()).toBe(3);
});

it('until then the old one is used, and nothing but a taken call changes that', async () => {
  const old = rotating('s1');
  expect((await old.wire(CALL)).status).toBe(200);
  expect(old.calls()).toBe(1);
  for (const one of [old, rotating(null), rotating('s2', 502)]) {
    await one.wire(CALL);
    expect(one.serials).toEqual({ current: 's1', next: 's2' });
  }
  await expect(old.other(CALL)).rejects.toThrow('removed');
});
