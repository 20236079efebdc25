import { isUtf8 } from 'node:buffer';
import { createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';

import type { Clock } from '../../ports/clock.ts';
import { LAST_LINE_CHARS_MAX, TRANSCRIPT_BYTES_MAX, TRANSCRIPT_PAGE_BYTES_MAX } from '../limits.ts';
import { lastLine } from '../text.ts';

/** Characters kept of the end of the output, to find the last line in. */
const TAIL_CHARS = 8 * LAST_LINE_CHARS_MAX;

/** An agent's output on disk, cut at a fixed size; remembers when it last came and its last line. */
export class Transcript {
  readonly #stream: WriteStream;
  readonly #clock: Clock;
  #bytes = 0;
  #cut = false;
  #tail = '';
  #lastOutputAtMs: number | null = null;

  constructor(path: string, clock: Clock) {
    this.#stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
    // A full disk must not end the runner; the exit record still has the last line.
    this.#stream.on('error', () => {
      this.#cut = true;
    });
    this.#clock = clock;
  }

  get lastOutputAtMs(): number | null {
    return this.#lastOutputAtMs;
  }

  get lastLine(): string {
    return lastLine(this.#tail);
  }

  write(chunk: Buffer): void {
    this.#lastOutputAtMs = this.#clock.now();
    this.#tail = (this.#tail + chunk.toString('utf8')).slice(-TAIL_CHARS);
    if (this.#cut) return;
    this.#bytes += chunk.length;
    if (this.#bytes <= TRANSCRIPT_BYTES_MAX) {
      this.#stream.write(chunk);
      return;
    }
    this.#cut = true;
    this.#stream.write(`\n[transcript cut: more than ${String(TRANSCRIPT_BYTES_MAX)} bytes]\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed) resolve();
      else
        this.#stream.end(() => {
          resolve();
        });
    });
  }
}

/** A page of a transcript from a byte offset; empty text when there is nothing (more) there. */
export async function readTranscript(
  path: string,
  from: number,
): Promise<{ readonly text: Buffer; readonly next: number }> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return { text: Buffer.alloc(0), next: from };
  try {
    const buffer = Buffer.alloc(TRANSCRIPT_PAGE_BYTES_MAX);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const size = bytesRead < buffer.length ? bytesRead : wholeCharacters(buffer);
    return { text: readable(buffer.subarray(0, size)), next: from + size };
  } finally {
    await file.close();
  }
}

/** A byte that belongs to no character becomes `?`: what is read is as long as what is kept, so that places in it hold. */
function readable(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes;
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes[at] ?? 0);
    const isOne = at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length));
    if (!isOne) bytes[at] = 0x3f;
    at += isOne ? length : 1;
  }
  return bytes;
}

/** Bytes of a character that begins so. */
const characterLength = (lead: number): number => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1);

/** Length of a full page without a last character that the page's end cuts through; the next page begins with it. */
function wholeCharacters(page: Buffer): number {
  let start = page.length - 1;
  while (start > page.length - 4 && ((page[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start + characterLength(page[start] ?? 0) > page.length ? start : page.length;
}
