import type { ServerResponse } from 'node:http';

import { BEAT_HEADER, PING_EVERY_MS } from '../../api/contract/protocol.ts';

/**
 * An answer that stays open for as long as this process lives; its end is what the caller waits for. `beats`: the caller
 * is on another machine, and takes silence for our end too.
 */
export function beginWatch(
  response: ServerResponse,
  { instance, beats }: { readonly instance: string; readonly beats: boolean },
  everyMs: number = PING_EVERY_MS,
): void {
  const type = { 'content-type': 'text/plain', 'cache-control': 'no-store' };
  response.writeHead(200, beats ? { ...type, [BEAT_HEADER]: '1' } : type);
  response.write(`${instance}\n`);
  const beat = beats ? setInterval(() => response.write('\n'), everyMs).unref() : null;
  response.once('close', () => {
    if (beat !== null) clearInterval(beat);
  });
}
