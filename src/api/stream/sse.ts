import type { OutputFrame, StreamFrame } from '../contract/stream.ts';

/** A browser that lost the stream waits so long before it comes again. */
const RETRY_MS = 1_000;

/** What every reader gets first. */
export const SSE_HELLO = `retry: ${String(RETRY_MS)}\n\n`;
/** A comment: keeps proxies and readers from taking silence for death. */
export const SSE_HEARTBEAT = ': here\n\n';

export const SSE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

/** A frame as one event. Its JSON has no line breaks, so it is one line of data. */
export const sseOfDelta = (frame: StreamFrame): string => event(frame.type, frame.cursor, frame);

/** The id of output: where its reader goes on. */
export const sseOfOutput = (frame: OutputFrame): string =>
  event(frame.type, `${frame.attempt}:${String(frame.next)}`, frame);

const event = (type: string, id: string, data: unknown): string =>
  `event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

/** The byte that a Last-Event-ID of this attempt's output says; null when it says nothing of it. */
export function offsetOf(attempt: string, lastEventId: string | undefined): number | null {
  const prefix = `${attempt}:`;
  if (lastEventId?.startsWith(prefix) !== true) return null;
  const value = Number(lastEventId.slice(prefix.length));
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}
