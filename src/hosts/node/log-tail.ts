import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** Enough for the last words of a program that could not start. */
const TAIL_BYTES = 8_192;

/** What is written to a file from now on. */
export class LogTail {
  readonly #path: string;
  readonly #fromBytes: number;

  constructor(path: string) {
    this.#path = path;
    this.#fromBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** The last line that has words, of a log line in JSON its text; null: nothing was written, or it can't be read. */
  lastLine(): string | null {
    const line = this.#text().trimEnd().split('\n').at(-1)?.trim() ?? '';
    return line === '' ? null : (logText(line) ?? line);
  }

  #text(): string {
    try {
      const file = openSync(this.#path, 'r');
      try {
        const { size } = fstatSync(file);
        const from = Math.max(this.#fromBytes, size - TAIL_BYTES);
        const buffer = Buffer.alloc(Math.max(0, size - from));
        return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, from));
      } finally {
        closeSync(file);
      }
    } catch {
      // Whoever asks says what else is known.
      return '';
    }
  }
}

function logText(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('text' in value) || typeof value.text !== 'string')
      return null;
    const error = 'error' in value && typeof value.error === 'string' ? `: ${value.error}` : '';
    return `${value.text}${error}`;
  } catch {
    return null;
  }
}
