import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePlaces, encodePlaces } from './places.ts';

describe('the cursor of the feed and the stream', () => {
  it('comes back as it was', () => {
    const address = fc.oneof(
      fc.constantFrom('town', 'mayor'),
      fc.stringMatching(/^[a-z][a-z0-9_-]{0,31}$/).map((name) => `rig/${name}`),
    );
    fc.assert(
      fc.property(fc.dictionary(address, fc.maxSafeNat()), (places) => {
        expect(decodePlaces(encodePlaces(places))).toEqual({ ...places });
      }),
    );
  });

  it('needs no escapes in an address and little room', () => {
    const places = Object.fromEntries(
      Array.from({ length: 100 }, (_, at) => [`rig/service-${String(at)}`, 10_000 + at]),
    );
    const cursor = encodePlaces(places);
    expect(encodeURIComponent(cursor)).toBe(cursor);
    expect(cursor.length).toBeLessThan(2_000);
  });

  it.each([
    '',
    'nonsense',
    'g1.t',
    'g1.t.-1',
    'g1.t.zzzzzzzzzzzz',
    'g1.x.1',
    'g1.r.1',
    'g1.r__proto__.1',
    '7b7d',
    'g2.t.1',
    'g1.t.1.m',
    'g1.ra!.1',
    `g1.r${'a'.repeat(33)}.1`,
  ])('refuses %j', (text) => {
    let thrown: unknown = null;
    try {
      decodePlaces(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      kind: 'usage',
      code: 'bad_cursor',
      message: 'This cursor does not come from here.',
      next: 'Start without a cursor.',
      field: 'after',
    });
  });
});
