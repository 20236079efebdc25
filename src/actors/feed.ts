import { decodePlaces, encodePlaces } from '../core/places.ts';
import type { FeedPage, JournalEntry } from '../core/queries.ts';
import type { StreamGateway, StreamPage } from '../ports/stream-gateway.ts';
import type { TownActors } from './town-actors.ts';

/** By time, and within an actor by its own order. */
const inOrder = (a: JournalEntry, b: JournalEntry): number =>
  a.atMs - b.atMs || (a.actor === b.actor ? a.seq - b.seq : a.actor < b.actor ? -1 : 1);

/** From a cursor on, or from the beginning. */
export async function readFeed(actors: TownActors, cursor: string | null, limit: number): Promise<FeedPage> {
  const places: Record<string, number> = cursor === null ? {} : decodePlaces(cursor);
  const items = await Promise.all(
    actors.all().map(async ({ address, kernel }) => {
      const rows = await kernel.journalAfter(places[address] ?? 0, limit);
      return rows.map((row): JournalEntry => ({ ...row, actor: address }));
    }),
  );
  return pageOf(items.flat(), places, limit);
}

function pageOf(items: readonly JournalEntry[], places: Record<string, number>, limit: number): FeedPage {
  const page = items.toSorted(inOrder).slice(0, limit);
  for (const item of page) places[item.actor] = Math.max(places[item.actor] ?? 0, item.seq);
  return { items: page, cursor: encodePlaces(places) };
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
  return { items: items.flat().toSorted(inOrder).slice(-limit), cursor: encodePlaces(places) };
}

/** The journals as the live stream reads them. */
export const townStream = (actors: TownActors): StreamGateway => ({
  now: async () => {
    const known = await Promise.all(
      actors.all().map(async ({ address, kernel }) => [address, await kernel.lastSeq()] as const),
    );
    return encodePlaces(Object.fromEntries(known));
  },
  after: (cursor, limit, only) => readStream(actors, { cursor, limit, only: only ?? null }),
});

async function readStream(
  actors: TownActors,
  wish: { readonly cursor: string; readonly limit: number; readonly only: readonly string[] | null },
): Promise<StreamPage> {
  const places = decodePlaces(wish.cursor);
  const asked = actors.all().filter(({ address }) => wish.only === null || wish.only.includes(address));
  const parts = await Promise.all(
    asked.map(async ({ address, kernel }) => {
      const rows = await kernel.journalBehind(places[address] ?? 0, wish.limit);
      return rows?.map((row): JournalEntry => ({ ...row, actor: address })) ?? null;
    }),
  );
  const page = pageOf(
    parts.flatMap((part) => part ?? []),
    places,
    wish.limit,
  );
  return { ...page, isGap: parts.includes(null), isMore: page.items.length === wish.limit };
}
