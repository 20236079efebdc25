import { expect, it } from 'vitest';
import { landingRigs } from './landing-order.ts';
import { trusted } from './model/ids.ts';

const order = (named: readonly string[], ...rigs: readonly string[]): readonly string[] =>
  landingRigs(
    { landingOrder: named },
    rigs.map((rig) => ({ rig: trusted.rig(rig) })),
  );

it('lands rigs as named, then as they first appear, each once', () => {
  expect(order([], 'api', 'web', 'api')).toEqual(['api', 'web']);
  expect(order(['web'], 'api', 'web', 'docs')).toEqual(['web', 'api', 'docs']);
  expect(order(['web', 'web', 'gone'], 'api', 'web')).toEqual(['web', 'api']);
  expect(order(['web'])).toEqual([]);
});
