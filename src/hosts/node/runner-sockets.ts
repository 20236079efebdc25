import type { Duplex } from 'node:stream';

import { PROTOCOL_HEADER } from '../../api/contract/frames.ts';
import { protocolRange } from '../../api/contract/protocol.ts';
import { REFUSAL_TEXT, type Refusal } from '../../api/lines/admission.ts';

/** Says no before there is a socket; which protocols we speak is no secret and tells the other side what to install. */
export function refuse(socket: Duplex, status: Refusal): void {
  const ours = `${PROTOCOL_HEADER}: ${protocolRange()}`;
  socket.end(
    `HTTP/1.1 ${String(status)} ${REFUSAL_TEXT[status]}\r\n${ours}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
