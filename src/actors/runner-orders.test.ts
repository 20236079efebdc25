import { describe, expect, it } from 'vitest';
import { concernsRunner } from './runner-orders.ts';

describe('what waits, when something became of a runner', () => {
  const concerns = (kind: string, key: string): boolean =>
    concernsRunner({ kind, key }, 'a', (attempt) => (attempt === 'at-1' ? 'a' : 'b'));

  it.each([
    ['start', 'start:at-1', true],
    ['stop', 'stop:at-1', true],
    ['start', 'start:at-2', false],
    ['stop', 'stop:at-2', false],
    ['job', 'job:verify:at-2:0:c', true],
    ['cancel_job', 'cancel:gates:x', true],
    ['nudge', 'nudge:n', true],
    ['forge', 'forge:open:app-1', false],
    ['notify', 'hq-esc-1:webhook', false],
    ['message', 'to:rig/api:4', false],
  ])('%s (%s): %s', (kind, key, is) => {
    expect(concerns(kind, key)).toBe(is);
  });
});
