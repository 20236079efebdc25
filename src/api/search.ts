import { TownError } from '../core/errors.ts';
import type { AttemptFilter, AttemptPlace } from '../core/model/attempt-filter.ts';
import type { SearchPage } from './contract/search.ts';
import type { Deps } from './handlers/shared.ts';

/** Of one call: what a runner reads and sends in about a second. More is another call. */
const BYTES_MAX = 8 * 1_024 * 1_024;
const ATTEMPTS_MAX = 100;
/** A line of output may be a whole file; this much of it is shown around the words. */
const SHOWN_CHARS_MAX = 400;
/** A line that does not end within so many characters is searched in pieces of that size. */
const LINE_CHARS_MAX = 1_024 * 1_024;

export interface Search {
  readonly text: string;
  readonly filter: AttemptFilter;
  readonly cursor: string | null;
  /** Lines that match, at most. */
  readonly limit: number;
}

type Found = SearchPage['items'][number];
interface Place {
  readonly attempt: AttemptPlace;
  readonly byte: number;
  /** Lines before it. */
  readonly line: number;
}

/**
 * Searches transcripts of the town, newest attempt first, in each from its start on. Bounded by bytes, attempts and matches:
 * the page says where the next one goes on. Plain words instead of patterns: a pattern of somebody can hold up whoever tries it.
 */
export async function searchTranscripts(
  deps: Pick<Deps, 'gateway' | 'transcript'>,
  search: Search,
): Promise<SearchPage> {
  const start = placeOf(search.cursor);
  const filter = start === null ? search.filter : { ...search.filter, before: startOf(start) };
  const attempts = await deps.gateway.runners.attempts(filter, ATTEMPTS_MAX + 1);
  const page = new Page(deps, search);
  for (const attempt of attempts.slice(0, ATTEMPTS_MAX)) {
    const { byte, line } = attempt.id === start?.id ? start : { byte: 0, line: 0 };
    const stopped = await page.look({ attempt, byte, line });
    if (stopped !== null) return page.ended(cursorOf(stopped));
  }
  const more = attempts[ATTEMPTS_MAX];
  return page.ended(more === undefined ? null : cursorOf({ attempt: more, byte: 0, line: 0 }));
}

/** What one call found. */
class Page {
  readonly #deps: Pick<Deps, 'gateway' | 'transcript'>;
  /** Runners that did not answer. */
  readonly #away = new Set<string>();
  readonly #limit: number;
  readonly #matches: (line: string) => number;
  readonly #items: Found[] = [];
  readonly #unread: SearchPage['unread'][number][] = [];
  #attempts = 0;
  #bytes = 0;

  constructor(deps: Pick<Deps, 'gateway' | 'transcript'>, search: Search) {
    this.#deps = deps;
    this.#limit = search.limit;
    this.#matches = matcherOf(search.text);
  }

  ended(next: string | null): SearchPage {
    const looked = { attempts: this.#attempts, bytes: this.#bytes };
    return { items: this.#items, next, looked, unread: this.#unread };
  }

  /** Looks at one attempt from a place on; the place where the page was full, null: to its end. */
  async look(from: Place): Promise<Place | null> {
    this.#attempts += 1;
    const attempt = from.attempt.id;
    try {
      // One that hung once is not waited for again and again, attempt by attempt.
      const isAway = this.#away.size > 0 && this.#away.has(await this.#runnerOf(attempt));
      if (!isAway) return await this.#lines(from);
    } catch (error) {
      if (!(error instanceof TownError)) throw error;
      if (error.code !== 'runner_away') {
        this.#unread.push({ attempt, reason: error.message });
        return null;
      }
    }
    const runner = await this.#runnerOf(attempt);
    this.#away.add(runner);
    this.#unread.push({ attempt, reason: `The runner "${runner}" does not answer now.` });
    return null;
  }

  #runnerOf(attempt: string): Promise<string> {
    return this.#deps.gateway.runners.ofAttempt(attempt);
  }

  async #lines(from: Place): Promise<Place | null> {
    const { attempt } = from;
    let { byte, line } = from;
    for await (const next of linesOf(this.#deps, from)) {
      if (this.#items.length >= this.#limit || this.#bytes >= BYTES_MAX) return { attempt, byte, line };
      const index = this.#matches(next.text);
      if (index >= 0) this.#items.push(found(attempt, line + 1, around(next.text, index)));
      this.#bytes += next.bytes;
      byte += next.bytes;
      line += next.isWhole ? 1 : 0;
    }
    return null;
  }
}

const found = (attempt: AttemptPlace, line: number, text: string): Found => ({
  attempt: attempt.id,
  rig: attempt.rig,
  bead: attempt.bead,
  agent: attempt.agent,
  started_at: attempt.startedAtMs,
  line,
  text,
});

interface Line {
  readonly text: string;
  /** With its end. */
  readonly bytes: number;
  /** False: it goes on, or the output ends without an end of the line. */
  readonly isWhole: boolean;
}

async function* linesOf(deps: Pick<Deps, 'transcript'>, from: Place): AsyncGenerator<Line, void> {
  let rest = '';
  for (let byte = from.byte; ;) {
    const page = await deps.transcript(from.attempt.id, byte);
    // A runner that answers the same again and again is not asked for ever.
    if (page.text === '' || page.nextOffset <= byte) break;
    byte = page.nextOffset;
    const parts = (rest + page.text).split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) yield { text, bytes: bytesOf(text) + 1, isWhole: true };
    if (rest.length < LINE_CHARS_MAX) continue;
    yield { text: rest, bytes: bytesOf(rest), isWhole: false };
    rest = '';
  }
  if (rest !== '') yield { text: rest, bytes: bytesOf(rest), isWhole: false };
}

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;

/** Where one of the words stands; -1: none does. */
function matcherOf(text: string): (line: string) => number {
  const words = text.split('|').filter((word) => word !== '');
  const ignoresCase = text === text.toLowerCase();
  return (line) => {
    const given = ignoresCase ? line.toLowerCase() : line;
    const places = words.map((word) => given.indexOf(word)).filter((index) => index >= 0);
    return places.length === 0 ? -1 : Math.min(...places);
  };
}

function around(line: string, index: number): string {
  if (line.length <= SHOWN_CHARS_MAX) return line;
  const start = Math.max(0, index - SHOWN_CHARS_MAX / 4);
  return `${start > 0 ? '…' : ''}${line.slice(start, start + SHOWN_CHARS_MAX)}…`;
}

const cursorOf = ({ attempt, byte, line }: Place): string =>
  [attempt.startedAtMs, attempt.id, byte, line].map(String).join('.');

function placeOf(cursor: string | null) {
  if (cursor === null) return null;
  const [startedAt = '', id = '', byte = '', line = ''] = cursor.split('.');
  return { startedAtMs: Number(startedAt), id, byte: Number(byte), line: Number(line) };
}

/** Just before the attempt itself: it is the first one of the page. */
const startOf = ({
  startedAtMs,
  id,
}: {
  readonly startedAtMs: number;
  readonly id: string;
}): AttemptFilter['before'] => ({
  startedAtMs,
  id: `${id}\uffff`,
});
