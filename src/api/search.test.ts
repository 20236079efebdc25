import { describe, expect, it } from 'vitest';
import { TownError } from '../core/errors.ts';
import { byNewest, type AttemptFilter, type AttemptPlace } from '../core/model/attempt-filter.ts';
import { trusted } from '../core/model/ids.ts';
import { searchTranscripts } from './search.ts';

const PAGE_BYTES = 64;

/** A town whose transcripts are these texts, the later one the newer; null: its runner is away. */
function townOf(texts: readonly (string | null)[]) {
  const attempts = texts.map((_text, index): AttemptPlace => ({
    id: trusted.attempt(`at-${String(index).padStart(4, '0')}`),
    bead: trusted.bead(`app-${String(index % 2)}`),
    agent: trusted.agent('app/polecats/nux'),
    rig: trusted.rig('app'),
    // Several began in the same moment.
    startedAtMs: 1_000 + Math.floor(index / 3),
  }));
  const listed = (filter: AttemptFilter, limit: number): Promise<readonly AttemptPlace[]> => {
    const { before, bead, sinceMs } = filter;
    const fits = (each: AttemptPlace): boolean =>
      (bead === undefined || each.bead === bead) &&
      each.startedAtMs >= (sinceMs ?? 0) &&
      (before === undefined ||
        each.startedAtMs < before.startedAtMs ||
        (each.startedAtMs === before.startedAtMs && each.id < before.id));
    return Promise.resolve(attempts.filter(fits).toSorted(byNewest).slice(0, limit));
  };
  // Every second attempt ran at another runner.
  const ofAttempt = (attempt: string): Promise<string> =>
    Promise.resolve(Number(attempt.slice(3)) % 2 === 0 ? 'one' : 'two');
  const transcript = (attempt: string, from: number): Promise<{ text: string; nextOffset: number }> => {
    const text = texts[Number(attempt.slice(3))];
    if (text === null || text === undefined)
      return Promise.reject(new TownError('busy', 'runner_away', { message: 'The runner is away.', next: 'Wait.' }));
    const whole = Buffer.from(text);
    let end = from + PAGE_BYTES;
    // As the runner does: no character is cut.
    while (end < whole.length && ((whole[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    const bytes = whole.subarray(from, end);
    return Promise.resolve({ text: bytes.toString(), nextOffset: from + bytes.length });
  };
  return { gateway: { runners: { attempts: listed, ofAttempt } }, transcript } as never;
}

async function all(texts: readonly (string | null)[], text: string, limit: number, filter: AttemptFilter = {}) {
  const lines: string[] = [];
  const unread: string[] = [];
  let calls = 0;
  for (let cursor: string | null = null; ;) {
    const page = await searchTranscripts(townOf(texts), { text, filter, cursor, limit });
    calls += 1;
    expect(page.items.length).toBeLessThanOrEqual(limit);
    lines.push(...page.items.map((item) => `${item.attempt}:${String(item.line)} ${item.text}`));
    unread.push(...page.unread.map((each) => each.attempt));
    if (page.next === null) return { lines, unread, calls };
    cursor = page.next;
  }
}

describe('a search through all output', () => {
  it('finds each line once, newest attempt first, however small the pages are', async () => {
    const texts = Array.from({ length: 7 }, (_, index) =>
      Array.from(
        { length: 20 },
        (_line, line) => `${line % 5 === 0 ? 'Hit' : 'miss'} ${String(index)} ${String(line)} é`,
      ).join('\n'),
    );
    const whole = await all(texts, 'hit', 1_000);
    expect(whole.lines.length).toBe(28);
    expect(whole.lines[0]).toBe('at-0006:1 Hit 6 0 é');
    expect(whole.lines.at(-1)).toBe('at-0000:16 Hit 0 15 é');
    for (const limit of [1, 3, 5]) expect((await all(texts, 'hit', limit)).lines).toEqual(whole.lines);
    expect((await all(texts, 'HIT', 1_000)).lines).toEqual([]);
    expect((await all(texts, 'hit 6 0|hit 0 15', 1_000)).lines.length).toBe(2);
    expect((await all(texts, '.*', 1_000)).lines).toEqual([]);
  });

  it('keeps to its filters, and says what it could not read', async () => {
    const { lines, unread } = await all(['x', null, 'x', 'x'], 'x', 10, { bead: trusted.bead('app-1') });
    expect(lines).toEqual(['at-0003:1 x']);
    expect(unread).toEqual(['at-0001']);
  });

  it('does not wait again for a runner that did not answer', async () => {
    const { lines, unread } = await all(['x', 'x', 'x', 'x', null, 'x'], 'x', 10);
    expect(unread).toEqual(['at-0004', 'at-0002', 'at-0000']);
    expect(lines).toEqual(['at-0005:1 x', 'at-0003:1 x', 'at-0001:1 x']);
  });

  it('ends each call after so many bytes and attempts, and shows of a long line what is around the words', async () => {
    const long = `${'a'.repeat(3_000)} needle ${'b'.repeat(3_000)}`;
    const { lines } = await all([long], 'needle', 10);
    expect(lines[0]?.length).toBeLessThan(450);
    expect(lines[0]).toContain('needle');
    const many = Array.from({ length: 250 }, () => 'needle');
    const { lines: each, calls } = await all(many, 'needle', 1_000);
    expect(each.length).toBe(250);
    expect(calls).toBe(3);
    const none = await searchTranscripts(townOf(['y\n'.repeat(20_000)]), {
      text: 'x',
      filter: {},
      cursor: null,
      limit: 5,
    });
    expect(none).toMatchObject({ items: [], next: null, looked: { attempts: 1, bytes: 40_000 } });
  });
});
