/**
 * The smallest HTTP/1.1 client that a command needs: one request over a unix socket, on `node:net` alone. Loading
 * Node's own HTTP client takes as long as starting Node.
 */
import { connect } from 'node:net';

/** An answer that takes longer than this means a hung daemon. */
const TIMEOUT_MS = 60_000;
/** A page of 500 beads with long bodies stays below this. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** Small answers are looked at as they come; a large one once, at its end. */
const ANSWER_BYTES_EARLY = 256 * 1024;

export interface SocketRequest {
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
  readonly token: string;
  /** JSON text. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface SocketAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** Nobody listens on the socket: the process is not there, so the request was not taken. */
export class NotListening extends Error {
  override readonly name = 'NotListening';
}

/** No whole answer came; whether the request was carried out is unknown. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly timedOut: boolean;

  constructor(message: string, timedOut: boolean) {
    super(message);
    this.timedOut = timedOut;
  }
}

/** Sends one request. Throws `NotListening` or `NoAnswer`. */
export function socketRequest(input: SocketRequest): Promise<SocketAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let connected = false;
    const socket = connect(input.socketPath);
    socket.setTimeout(input.timeoutMs ?? TIMEOUT_MS, () => {
      socket.destroy(new NoAnswer('no answer in time', true));
    });
    socket.on('connect', () => {
      connected = true;
      // Not `end`: a half-closed connection makes the server drop the request.
      socket.write(requestText(input));
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) socket.destroy(new NoAnswer('the answer is too large', false));
      const answer = bytes < ANSWER_BYTES_EARLY ? parseAnswer(Buffer.concat(chunks)) : null;
      if (answer === null || !answer.headers.has('content-length')) return;
      // Whole already: do not wait for the other side to close.
      resolve(answer);
      socket.destroy();
    });
    socket.on('error', (error) => {
      if (error instanceof NoAnswer) reject(error);
      else reject(connected ? new NoAnswer(error.message, false) : new NotListening(error.message));
    });
    socket.on('close', () => {
      const answer = parseAnswer(Buffer.concat(chunks));
      if (answer === null) reject(new NoAnswer('the connection ended before the answer', false));
      else resolve(answer);
    });
  });
}

function requestText(input: SocketRequest): string {
  const lines = [
    `${input.method} ${input.path} HTTP/1.1`,
    'host: localhost',
    `authorization: Bearer ${input.token}`,
    'connection: close',
  ];
  for (const [key, value] of Object.entries(input.headers ?? {})) lines.push(`${key}: ${value}`);
  if (input.body !== undefined)
    lines.push('content-type: application/json', `content-length: ${String(Buffer.byteLength(input.body))}`);
  return `${lines.join('\r\n')}\r\n\r\n${input.body ?? ''}`;
}

/** Reads a whole answer; null when it is cut short. */
function parseAnswer(data: Buffer): SocketAnswer | null {
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first = '', ...lines] = data.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
  if (!Number.isInteger(status)) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const body = bodyOf(data.subarray(end + 4), headers);
  return body === null ? null : { status, headers, text: body.toString('utf8') };
}

function bodyOf(data: Buffer, headers: ReadonlyMap<string, string>): Buffer | null {
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return unchunk(data);
  const length = headers.get('content-length');
  if (length === undefined) return data;
  return data.length < Number(length) ? null : data.subarray(0, Number(length));
}

function unchunk(data: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = data.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(data.subarray(at, lineEnd).toString('latin1'), 16);
    if (!Number.isInteger(size)) return null;
    if (size === 0) return Buffer.concat(parts);
    const start = lineEnd + 2;
    if (data.length < start + size) return null;
    parts.push(data.subarray(start, start + size));
    at = start + size + 2;
  }
}
