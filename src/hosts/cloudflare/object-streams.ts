import { SSE_HEADERS, SSE_HEARTBEAT, sseOfOutput } from '../../api/stream/sse.ts';
import type { OutputOrder, Streams } from '../../api/stream/streams.ts';
import { TownError } from '../../core/errors.ts';
import type { Env } from './env.ts';

/** The stream is a WebSocket here: server-sent events would keep an object awake, and never notice that a reader left. */
export const objectStreams = (env: Env): Streams => ({
  deltas: (c, { cursor }) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
      throw new TownError('precondition', 'websocket_needed', {
        message: 'The stream of this town is a WebSocket.',
        next: 'Open it with wss:// and the same path; the frames are the same.',
      });
    const url = new URL(c.req.url);
    if (cursor !== null) url.searchParams.set('after', cursor);
    return env.STREAM.getByName(env.GT_TOWN_ID).fetch(new Request(url, { headers: { upgrade: 'websocket' } }));
  },
  output: (_, order) => new Response(outputOf(order), { headers: SSE_HEADERS }),
});

/** After an answer without output, which usually took seconds already. */
const OUTPUT_PAUSE_MS = 250;
/** Then a reader comes again, so that its right is checked anew. */
const OUTPUT_LIFE_MS = 5 * 60_000;

/**
 * Output of one attempt as it comes. The Worker holds it, no object: each page is one call to the town, made when the
 * reader has taken what was sent before, and none when it has left.
 */
function outputOf(order: OutputOrder): ReadableStream<Uint8Array> {
  const { attempt } = order;
  const bytes = new TextEncoder();
  const endsAtMs = Date.now() + OUTPUT_LIFE_MS;
  let { from } = order;
  return new ReadableStream({
    pull: async (reader) => {
      // Asked first: what an agent says last must not be taken for nothing.
      const isLive = await order.isLive();
      const { text, nextOffset: next } = await order.read(from);
      if (text !== '') reader.enqueue(bytes.encode(sseOfOutput({ type: 'output', attempt, from, next, text })));
      else if (isLive) reader.enqueue(bytes.encode(SSE_HEARTBEAT));
      else reader.enqueue(bytes.encode(sseOfOutput({ type: 'end', attempt, next })));
      from = next;
      if ((text === '' && !isLive) || Date.now() > endsAtMs) reader.close();
      else if (text === '') await pause(OUTPUT_PAUSE_MS);
    },
  });
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
