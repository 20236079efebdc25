import { describe, expect, it } from 'vitest';
import { CALL_BYTES_MAX, TURN_BATCH_MAX, TURN_INPUT_BYTES_MAX } from '../../core/limits.ts';
import { BareActor } from '../../../test/support/bare-actor.ts';
import { takeJobs } from './turn-jobs.ts';

const KIB = 1024;
const job = (bytes: number) => ({ call: ['x', 'y'.repeat(bytes)] as const, reject: () => undefined });

describe('what a turn takes in', () => {
  it('is bounded by count and by size, and a single large call is always taken', () => {
    const many = Array.from({ length: TURN_BATCH_MAX + 1 }, () => job(1));
    expect([takeJobs(many).jobs.length, many.length]).toEqual([TURN_BATCH_MAX, 1]);
    const large = [job(TURN_INPUT_BYTES_MAX + 10), job(1), job(TURN_INPUT_BYTES_MAX - 100), job(200)];
    expect([takeJobs(large), takeJobs(large), takeJobs(large)].map(({ jobs }) => jobs.length)).toEqual([1, 2, 1]);
  });

  it('is counted in bytes, as the database counts', () => {
    const wide = [
      { ...job(0), call: ['x', '世'.repeat(TURN_INPUT_BYTES_MAX / 4)] as const },
      job(TURN_INPUT_BYTES_MAX / 2),
    ];
    expect(takeJobs(wide).jobs.length).toBe(1);
  });
});

describe('large calls that come together', () => {
  const record = (bare: BareActor, key: string, bytes: number): Promise<void> =>
    bare.actor.record([{ key, type: 'x', subject: key, payload: { text: 'z'.repeat(bytes) } }]);

  it('are all recorded, and cost nobody beside them anything', async () => {
    const bare = await BareActor.open();
    const all = Array.from({ length: 12 }, (_, n) => record(bare, `k${String(n)}`, 256 * KIB));
    expect(await Promise.all([...all, bare.actor.ask(() => 'innocent')])).toHaveLength(13);
    expect(bare.notes()).toHaveLength(12);
  });

  it('that can not be recorded are refused alone, and named as such', async () => {
    const bare = await BareActor.open();
    const [tooLarge, fine] = await Promise.allSettled([record(bare, 'a', CALL_BYTES_MAX), record(bare, 'b', 10)]);
    expect(tooLarge).toMatchObject({ status: 'rejected', reason: { kind: 'usage', code: 'body_too_large' } });
    expect([fine.status, bare.notes()]).toEqual(['fulfilled', ['b']]);
  });

  it('and what is nested too deeply end no loop', async () => {
    const bare = await BareActor.open();
    let deep: readonly unknown[] = [];
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const [first, second] = await Promise.allSettled([bare.actor.ask(() => 1, ['x', deep]), record(bare, 'b', 10)]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  });
});
