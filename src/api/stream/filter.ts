import type { JournalItem } from '../contract/town.ts';
import type { StreamQuery } from '../contract/stream.ts';

/** Which rows a reader wants. Plain data, so that it can be kept beside a socket. */
export interface StreamFilter {
  readonly actors: readonly string[] | null;
  readonly kinds: readonly string[] | null;
  readonly entities: readonly string[] | null;
}

export const EVERYTHING: StreamFilter = { actors: null, kinds: null, entities: null };

export function filterOf(query: StreamQuery): StreamFilter {
  const actors = [...(query.actor ?? []), ...(query.rig ?? []).map((rig) => `rig/${rig}`)];
  return {
    actors: actors.length === 0 ? null : actors,
    kinds: query.kind ?? null,
    entities: query.entity ?? null,
  };
}

/** Readers with the same key get the same bytes. */
export const filterKey = (filter: StreamFilter): string => JSON.stringify(filter);

const has = (list: readonly string[] | null, value: string): boolean => list === null || list.includes(value);

export function wanted(filter: StreamFilter, item: JournalItem): boolean {
  return (
    has(filter.actors, item.actor) &&
    has(filter.entities, item.entity) &&
    (filter.kinds === null || filter.kinds.includes(item.entity.slice(0, item.entity.indexOf(':'))))
  );
}
