import type { Duplex } from 'node:stream';

import type { RawData, WebSocket } from 'ws';

import { PING_EVERY_MS, PROTOCOL_HEADER, SILENCE_MAX_MS } from '../../api/contract/frames.ts';
import { protocolRange } from '../../api/contract/protocol.ts';

export function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('utf8') : data.toString('utf8');
}

/** Says no before there is a socket; which protocols we speak is no secret and tells the other side what to install. */
export function refuse(socket: Duplex, status: number, text: string): void {
  const ours = `${PROTOCOL_HEADER}: ${protocolRange()}`;
  socket.end(`HTTP/1.1 ${String(status)} ${text}\r\n${ours}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Ends a connection that is silent; whoever is there answers pings. */
export function watchLife(connection: WebSocket): void {
  let heardAtMs = performance.now();
  for (const sign of ['ping', 'pong', 'message'] as const)
    connection.on(sign, () => {
      heardAtMs = performance.now();
    });
  const pings = setInterval(() => {
    if (performance.now() - heardAtMs > SILENCE_MAX_MS) connection.terminate();
    else connection.ping();
  }, PING_EVERY_MS);
  pings.unref();
  connection.once('close', () => {
    clearInterval(pings);
  });
}
