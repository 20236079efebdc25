import type { FeedPage, JournalEntry } from '../core/queries.ts';
import { decodeCursor, encodeCursor, type FeedCursor } from './cursor.ts';
import type { TownActors } from './town-actors.ts';

/** By time, and within an actor by its own order. */
const inOrder = (a: JournalEntry, b: JournalEntry): number =>
  a.atMs - b.atMs || (a.actor === b.actor ? a.seq - b.seq : a.actor < b.actor ? -1 : 1);

/** From a cursor on, or from the beginning. */
export async function readFeed(actors: TownActors, cursor: string | null, limit: number): Promise<FeedPage> {
  const places: Record<string, number> = cursor === null ? {} : { ...decodeCursor<FeedCursor>(cursor) };
  const items = await Promise.all(
    actors.all().map(async ({ address, kernel }) => {
      const rows = await kernel.journalAfter(places[address] ?? 0, limit);
      return rows.map((row): JournalEntry => ({ ...row, actor: address }));
    }),
  );
  const page = items.flat().toSorted(inOrder).slice(0, limit);
  for (const item of page) places[item.actor] = Math.max(places[item.actor] ?? 0, item.seq);
  return { items: page, cursor: encodeCursor(places) };
}

/** The newest entries, oldest of them first; the cursor goes on behind them. */
export async function readFeedTail(actors: TownActors, sinceMs: number, limit: number): Promise<FeedPage> {
  const places: Record<string, number> = {};
  const items = await Promise.all(
    actors.all().map(async ({ address, kernel }) => {
      const last = await kernel.lastSeq();
      places[address] = last;
      const rows = await kernel.journalTail(sinceMs, limit);
      // What was written between the two questions comes behind the cursor.
      return rows.filter((row) => row.seq <= last).map((row): JournalEntry => ({ ...row, actor: address }));
    }),
  );
  return { items: items.flat().toSorted(inOrder).slice(-limit), cursor: encodeCursor(places) };
}
