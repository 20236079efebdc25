import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import type { DeltaFrame } from './frames.ts';
import type { JournalItem, SnapshotItem } from '../../src/api/contract/town.ts';
import { read, streamUrl, TownProblem } from './api.ts';

export type LiveWord = 'Connecting' | 'Live' | 'Catching up' | 'Reconnecting' | 'Offline' | 'Signed out';

export interface Live {
  readonly word: LiveWord;
  /** When the town said something last, in milliseconds of this browser's clock. */
  readonly asOf: number;
}

/** What a change of an entity of this kind may show in. */
const SHOWN_IN: Readonly<Record<string, readonly string[]>> = {
  bead: ['bead', 'beads', 'attention', 'status', 'mq', 'convoy', 'convoys', 'agents', 'costs'],
  attempt: ['bead', 'agents', 'agent', 'attention', 'status', 'costs'],
  agent: ['agents', 'agent', 'attention', 'status'],
  train: ['mq', 'attention', 'status'],
  convoy: ['convoy', 'convoys', 'attention', 'status'],
  escalation: ['attention', 'escalations', 'status'],
  budget: ['budgets', 'costs', 'attention'],
  mail: ['mail', 'attention'],
  mailbox: ['mail', 'attention'],
  runner: ['runners', 'attention', 'status'],
};
/** What is not named above changes the town as a whole, if anything. */
const ELSEWHERE = ['status', 'attention'];
/** What shows it takes the news itself, so it is not read again while it is on the screen, but when somebody comes back. */
const KEEPS_UP = ['feed'];

/** Changes within this time are read again together: below what a person notices. */
const GATHER_MS = 150;
/** So long at most is waited for a town that takes long to answer. */
const REST_MAX_MS = 5_000;
/** A stream that could not be opened is tried again after this long. */
const AGAIN_MS = 2_000;
/** So many refusals in a row by a town that answers everything else: it is the cursor that it does not take. */
const REFUSALS_MAX = 2;
/** Away for so long is not a short break. */
const OFFLINE_MS = 10_000;
const KEPT_MAX = 2_000;
/** Kept for a screen that is still reading the first page of what it shows. */
const RECENT_MAX = 200;

let state: Live = { word: 'Connecting', asOf: Date.now() };
const watchers = new Set<() => void>();
const taken = new Set<(items: readonly JournalItem[]) => void>();
let cursor: string | null = null;
let lostAt: number | null = null;
let recent: readonly JournalItem[] = [];

function say(word: LiveWord, asOf = state.asOf): void {
  state = { word, asOf };
  for (const tell of watchers) tell();
}

export const useLive = (): Live =>
  useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    () => state,
  );

/** Called with what happened just now, and with what happens, as it happens. The answer ends it. */
export function onDeltas(take: (items: readonly JournalItem[]) => void): () => void {
  taken.add(take);
  take(recent);
  return () => taken.delete(take);
}

/** Newest last, without what is there already, and not without end. */
export function withNews(known: readonly JournalItem[], news: readonly JournalItem[]): readonly JournalItem[] {
  const places = new Set(known.map((item) => `${item.actor}:${item.seq}`));
  const fresh = news.filter((item) => !places.has(`${item.actor}:${item.seq}`));
  return [...known, ...fresh].toSorted((a, b) => a.at - b.at).slice(-KEPT_MAX);
}

/**
 * What is read again soon. A town that takes long to answer has much to do, and many dashboards must not make it more: they wait
 * longer then, not all as long, and never have two such reads under way. A page that nobody looks at reads nothing; all that
 * changed meanwhile is read once when it is looked at again.
 */
class Stale {
  readonly #queries: QueryClient;
  #keys = new Set<string>();
  #isBusy = false;
  #tookMs = 0;

  constructor(queries: QueryClient) {
    this.#queries = queries;
    document.addEventListener('visibilitychange', () => this.add([]));
  }

  add(keys: readonly string[]): void {
    for (const key of keys) this.#keys.add(key);
    if (this.#isBusy || this.#keys.size === 0 || document.hidden) return;
    this.#isBusy = true;
    setTimeout(() => void this.#readAgain(), GATHER_MS + Math.min(REST_MAX_MS, (1 + Math.random()) * this.#tookMs));
  }

  async #readAgain(): Promise<void> {
    const keys = this.#keys;
    this.#keys = new Set();
    const began = performance.now();
    // One answer that does not come holds up nothing else.
    await Promise.race([
      this.#queries.invalidateQueries({ predicate: ({ queryKey }) => keys.has(String(queryKey[0])) }),
      new Promise((resolve) => setTimeout(resolve, REST_MAX_MS)),
    ]);
    this.#tookMs = performance.now() - began;
    this.#isBusy = false;
    this.add([]);
  }
}

/** One snapshot, and the stream from its cursor on: nothing is asked for at intervals. */
export function startLive(queries: QueryClient): void {
  const stale = new Stale(queries);
  let refusals = 0;
  const touch = (items: readonly JournalItem[]): void => {
    for (const key of KEEPS_UP) void queries.invalidateQueries({ queryKey: [key], refetchType: 'none' });
    stale.add(items.flatMap(({ entity }) => SHOWN_IN[entity.slice(0, entity.indexOf(':'))] ?? ELSEWHERE));
  };
  const again = (): void => {
    lostAt ??= Date.now();
    say(Date.now() - lostAt > OFFLINE_MS ? 'Offline' : 'Reconnecting');
    setTimeout(() => void open(), AGAIN_MS);
  };
  const open = async (): Promise<void> => {
    try {
      if (cursor === null) {
        const isAnew = refusals > 0;
        cursor = await readSnapshot(queries);
        // What happened between the two cursors is told to nobody.
        if (isAnew) await queries.invalidateQueries();
      }
    } catch (error) {
      if (error instanceof TownProblem && error.status === 401) say('Signed out');
      else again();
      return;
    }
    const source = new EventSource(streamUrl(`stream?after=${cursor}`));
    source.addEventListener('ready', (event) => {
      cursor = event.lastEventId;
      lostAt = null;
      refusals = 0;
      say('Live', Date.now());
    });
    source.addEventListener('delta', (event) => {
      const { items } = JSON.parse(String(event.data)) as DeltaFrame;
      cursor = event.lastEventId;
      say(state.word === 'Live' ? 'Live' : 'Catching up', Date.now());
      recent = [...recent, ...items].slice(-RECENT_MAX);
      for (const take of taken) take(items);
      touch(items);
    });
    source.addEventListener('reset', () => {
      void queries.invalidateQueries();
    });
    source.addEventListener('error', () => {
      source.close();
      void checkSignIn().then((answer) => {
        if (answer === 'out') return say('Signed out');
        // The browser does not say what was answered.
        if (answer === 'in') refusals += 1;
        if (refusals >= REFUSALS_MAX) cursor = null;
        return again();
      });
    });
    source.addEventListener('bye', () => {
      source.close();
      void open();
    });
  };
  void open();
}

async function readSnapshot(queries: QueryClient): Promise<string> {
  const snapshot = await read<SnapshotItem>('snapshot');
  queries.setQueryData(['status'], snapshot.status);
  queries.setQueryData(['agents'], { items: snapshot.agents, next: null });
  queries.setQueryData(['mq'], { items: snapshot.queue, next: null });
  queries.setQueryData(['attention'], { items: snapshot.status.attention, next: null });
  return snapshot.cursor;
}

async function checkSignIn(): Promise<'in' | 'out' | 'away'> {
  try {
    await read('me');
    return 'in';
  } catch (error) {
    return error instanceof TownProblem && error.status === 401 ? 'out' : 'away';
  }
}
