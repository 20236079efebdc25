import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { toProblem } from '../../api/errors.ts';
import { usage } from '../../core/errors.ts';

/** The code of Node's parser for a head that is longer than it takes (16 KiB). */
const TOO_LONG = 'HPE_HEADER_OVERFLOW';
const TOO_LONG_STATUS = 431;

/** What is no HTTP never comes to the application; its sender is told in the same words all the same. */
export function answerBroken(server: Server): void {
  server.on('clientError', (error: Error & { readonly code?: string }, stream) => {
    // Whoever is gone already is told nothing.
    if (!(stream instanceof Socket) || !stream.writable || error.code === 'ECONNRESET') {
      stream.destroy();
      return;
    }
    stream.end(error.code === TOO_LONG ? HEAD_TOO_LONG : NOT_HTTP);
  });
}

function answerOf(status: number, reason: string, problem: object): string {
  const body = JSON.stringify({ ...problem, status });
  const head = [
    `HTTP/1.1 ${String(status)} ${reason}`,
    'content-type: application/problem+json',
    `content-length: ${String(Buffer.byteLength(body))}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

const NOT_HTTP = answerOf(
  400,
  'Bad Request',
  toProblem(usage('bad_http', 'The request is not HTTP.', 'Send it with an HTTP client; see /openapi.json.')).problem,
);
const HEAD_TOO_LONG = answerOf(
  TOO_LONG_STATUS,
  'Request Header Fields Too Large',
  toProblem(usage('head_too_large', 'The address and headers are too long.', 'Keep them below 16 KiB together.'))
    .problem,
);
