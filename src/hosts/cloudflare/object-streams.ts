import type { Streams } from '../../api/stream/streams.ts';
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
  output: () => {
    throw new TownError('precondition', 'no_stream', {
      message: 'Output of agents is not streamed here.',
      next: 'Read it page by page: the same path with "transcript" instead of "output".',
    });
  },
});
