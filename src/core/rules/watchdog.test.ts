import { describe, expect, it } from 'vitest';
import { WATCHDOG_LAG_MAX_MS, WATCHDOG_MISSES_TO_DOWN } from '../limits.ts';
import type { Health, Seen } from '../model/health.ts';
import { judgeHealth } from './watchdog.ts';

const NOW = 5_000_000;
const fresh: Health = {
  subject: 'rig:api',
  state: 'unknown',
  missed: 0,
  answeredAtMs: null,
  askedAtMs: null,
  detail: null,
};
const silent: Seen = { subject: 'rig:api', ok: false, detail: 'no answer' };
const well: Seen = { subject: 'rig:api', ok: true, detail: 'instance a', lagMs: 0 };

const run = (answers: readonly Seen[]) =>
  answers.reduce(
    (sum, seen, index) => {
      const { after, news } = judgeHealth(sum.health, seen, NOW + index);
      return {
        health: after,
        states: [...sum.states, after.state],
        raised: [...sum.raised, ...news.filter((item) => item.type === 'raise').map((item) => item.causeKey)],
      };
    },
    { health: fresh, states: [] as string[], raised: [] as string[] },
  );

describe('judgeHealth', () => {
  it('suspects after one missed answer, says down after three, and tells a person once', () => {
    const { states, raised } = run([silent, silent, silent, silent]);
    expect(states).toEqual(['suspect', 'suspect', 'down', 'down']);
    expect(raised).toEqual(['health:rig:api']);
    expect(WATCHDOG_MISSES_TO_DOWN).toBe(3);
  });

  it('forgets misses at the first answer, and takes the alarm back', () => {
    expect(run([silent, silent, well, silent]).states).toEqual(['suspect', 'suspect', 'ok', 'suspect']);
    const down = run([silent, silent, silent]).health;
    const { after, news } = judgeHealth(down, well, NOW);
    expect(after).toMatchObject({ state: 'ok', missed: 0, answeredAtMs: NOW });
    expect(news).toContainEqual({ type: 'resolve', causeKey: 'health:rig:api' });
  });

  it('shows a runner that is down, whose rigs tell people by themselves', () => {
    const runner = { ...fresh, subject: 'runner' };
    const { after, news } = judgeHealth({ ...runner, state: 'suspect', missed: 2 }, silent, NOW);
    expect(after.state).toBe('down');
    expect(news).toEqual([]);
  });

  it('tells of work that stays due although the rig answers, but not of a machine that slept once', () => {
    const late: Seen = { ...well, ok: true, lagMs: WATCHDOG_LAG_MAX_MS + 1 };
    const once = judgeHealth({ ...fresh, state: 'ok' }, late, NOW);
    expect(once).toMatchObject({ after: { state: 'suspect', missed: 0 }, news: [] });
    expect(judgeHealth(once.after, well, NOW)).toMatchObject({
      after: { state: 'ok' },
      news: [{ type: 'resolve', causeKey: 'lag:rig:api' }],
    });
    const twice = judgeHealth(once.after, late, NOW);
    expect(twice.news).toMatchObject([{ type: 'raise', causeKey: 'lag:rig:api' }]);
    expect(judgeHealth(fresh, { ...late, lagMs: WATCHDOG_LAG_MAX_MS }, NOW)).toMatchObject({
      after: { state: 'ok' },
      news: [],
    });
  });

  describe('keeps what was said', () => {
    it('of a question that nobody answered', () => {
      const before: Health = { ...fresh, state: 'suspect', missed: 2, answeredAtMs: 7 };
      expect(judgeHealth(before, silent, NOW)).toEqual({
        after: { ...before, state: 'down', missed: 3, askedAtMs: NOW, detail: 'no answer' },
        news: [
          {
            type: 'raise',
            causeKey: 'health:rig:api',
            message: 'rig:api has not answered 3 times in a row: no answer.',
          },
        ],
      });
    });

    it('of an answer', () => {
      expect(judgeHealth({ ...fresh, state: 'suspect', missed: 2 }, well, NOW)).toEqual({
        after: { ...fresh, state: 'ok', missed: 0, askedAtMs: NOW, answeredAtMs: NOW, detail: 'instance a' },
        news: [],
      });
    });

    it('of work that stays due', () => {
      const late: Seen = { ...well, ok: true, lagMs: WATCHDOG_LAG_MAX_MS + 60_000 };
      expect(judgeHealth({ ...fresh, state: 'suspect' }, late, NOW).news).toEqual([
        {
          type: 'raise',
          causeKey: 'lag:rig:api',
          message: 'rig:api answers, but work has been due there for 6 min, and waking it did not help.',
        },
      ]);
      // Suspect because it did not answer is not the same as late.
      expect(judgeHealth({ ...fresh, state: 'suspect', missed: 1 }, late, NOW).news).toEqual([]);
      expect(judgeHealth({ ...fresh, state: 'down', missed: 0 }, late, NOW).news).toEqual([
        { type: 'resolve', causeKey: 'health:rig:api' },
      ]);
    });
  });
});
