import { EVENT_LINE_BYTES_MAX } from '../limits.ts';

const NEWLINE = 0x0a;

/** Whole lines of a program's output. One that is too long is dropped and said once: no protocol sends such. */
export class LineReader {
  readonly #to: { readonly line: (text: string) => void; readonly tooLong: (note: string) => void };
  readonly #bytesMax: number;
  /** Of a line that is not whole yet; joined once, at its end. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isSkipping = false;

  constructor(
    to: { readonly line: (text: string) => void; readonly tooLong: (note: string) => void },
    bytesMax: number = EVENT_LINE_BYTES_MAX,
  ) {
    this.#to = to;
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      this.#end();
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(part: Buffer): void {
    if (this.#isSkipping) return;
    this.#bytes += part.length;
    if (this.#bytes <= this.#bytesMax) {
      if (part.length > 0) this.#chunks.push(part);
      return;
    }
    this.#isSkipping = true;
    this.#chunks = [];
    this.#to.tooLong(`[a line of more than ${String(this.#bytesMax)} bytes is left out]`);
  }

  #end(): void {
    const chunks = this.#chunks;
    const wasSkipped = this.#isSkipping;
    this.#chunks = [];
    this.#bytes = 0;
    this.#isSkipping = false;
    if (!wasSkipped) this.#to.line(Buffer.concat(chunks).toString('utf8'));
  }
}
