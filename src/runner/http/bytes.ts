import type { Readable } from 'node:stream';

/** A stream ended up longer than its reader allows. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}

/** The whole text of a stream. Errors: `TooLong`; those of the stream. */
export function readText(stream: Readable, bytesMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bytesMax) chunks.push(chunk);
      else reject(new TooLong(`more than ${String(bytesMax)} bytes`));
    });
    stream.on('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    stream.on('error', reject);
    stream.on('close', () => {
      reject(new Error('the connection was closed'));
    });
  });
}
