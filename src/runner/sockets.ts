/** WebSockets of the `ws` library, for both ends that use it: the runner that dials, and a town on Node. */
import { WebSocket, type RawData } from 'ws';

import { PING_EVERY_MS, SILENCE_MAX_MS } from '../api/contract/protocol.ts';

export function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('utf8') : data.toString('utf8');
}

/**
 * Ends a connection that is silent; whoever is there answers a sign of life. `beat`: a text to send for it instead of a
 * ping, read each time.
 */
export function watchLife(socket: WebSocket, beat: () => string | null = () => null): void {
  let heardAtMs = performance.now();
  for (const sign of ['open', 'ping', 'pong', 'message'] as const)
    socket.on(sign, () => {
      heardAtMs = performance.now();
    });
  const pings = setInterval(() => {
    const text = beat();
    if (performance.now() - heardAtMs > SILENCE_MAX_MS) socket.terminate();
    else if (socket.readyState !== WebSocket.OPEN) return;
    else if (text === null) socket.ping();
    else socket.send(text);
  }, PING_EVERY_MS);
  pings.unref();
  socket.once('close', () => {
    clearInterval(pings);
  });
}
