import { expect, it } from 'vitest';
import { systemClock } from './clock.ts';

it('the clock of the runner goes on when the machine is set back', () => {
  let wallMs = 1_000_000;
  let ranMs = 0;
  const clock = systemClock(
    () => wallMs,
    () => ranMs,
  );
  expect(clock.now()).toBe(1_000_000);
  wallMs = 0;
  ranMs = 10_000;
  expect(clock.now()).toBe(1_010_000);
  wallMs = 2_000_000;
  expect(clock.now()).toBe(2_000_000);
});
