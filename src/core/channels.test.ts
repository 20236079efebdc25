import { describe, expect, it } from 'vitest';
import { checkChannel, type ChannelEnd } from './channels.ts';

const end = (sent: number, received: number, waiting = 0): ChannelEnd => ({ sent, received, waiting });
const texts = (other: ChannelEnd, before: ChannelEnd, after = before): readonly string[] =>
  checkChannel(other, { before, after }).map(({ text }) => text);

describe('the two ends of a channel', () => {
  it('agree, also with messages on their way and while both go on (I17)', () => {
    expect(texts(end(5, 7), end(7, 5))).toEqual([]);
    // Two of the town's wait, one of which has arrived; one of the other's waits.
    expect(texts(end(5, 8, 1), end(9, 4, 2))).toEqual([]);
    // Between the two looks the town sent and took some.
    expect(texts(end(6, 9), end(7, 5), end(9, 6))).toEqual([]);
  });

  it('disagree when one database was lost, or is of an earlier moment', () => {
    expect(texts(end(0, 0), end(7, 5)).join('\n')).toMatchInlineSnapshot(`
      "its database is older than the town's: the town has 5 messages of it, and it knows of 0. Bring all databases of the town back from one backup, into a new folder ("gt restore")
      its database is older than the town's: it had 7 messages of the town, and knows of 0; it hears nothing more. Bring all databases of the town back from one backup, into a new folder ("gt restore")"
    `);
    expect(texts(end(5, 6), end(7, 5, 0))).toHaveLength(1);
    expect(texts(end(5, 1), end(9, 5, 6)).join()).toContain('it had 3 messages of the town');
    expect(texts(end(0, 7), end(7, 1)).join()).toContain('the town has 1 message of it');
    expect(checkChannel(end(4, 7), { before: end(7, 5), after: end(7, 5) })[0]?.code).toBe('I17');
    expect(texts(end(4, 7), end(7, 5))).toHaveLength(1);
    expect(texts(end(5, 7), end(1, 1)).join('\n')).toMatchInlineSnapshot(`
      "the town's database is older than its own: it has 7 messages of the town, which knows of 1. Bring all databases of the town back from one backup, into a new folder ("gt restore")
      the town's database is older than its own: the town had 5 messages of it, and knows of 1; it hears nothing more. Bring all databases of the town back from one backup, into a new folder ("gt restore")"
    `);
    expect(texts(end(5, 7), end(6, 5))).toHaveLength(1);
    expect(texts(end(5, 7), end(7, 4))).toHaveLength(1);
    expect(texts(end(9, 7, 4), end(7, 4)).join()).toContain('the town had 5 messages of it');
  });
});
