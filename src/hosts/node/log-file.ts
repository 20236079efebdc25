import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log, LogFields } from '../../ports/log.ts';

/** A log file larger than this is set aside; one busy day is about a tenth of it. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** Older logs that are kept: `.1` is the youngest. */
const LOGS_KEPT = 3;

export interface LogFileOptions {
  readonly path: string;
  readonly bytesMax?: number | undefined;
  /** Repeats each line, for a daemon in the foreground. */
  readonly echo?: ((line: string) => void) | undefined;
}

/** A log of one line per event: time, level, constant text, then fields as `key=value`. Rotates by size. */
export class LogFile implements Log {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #echo: ((line: string) => void) | undefined;
  #file: number;
  #bytes: number;

  constructor(options: LogFileOptions) {
    this.#path = options.path;
    this.#bytesMax = options.bytesMax ?? LOG_BYTES_MAX;
    this.#echo = options.echo;
    mkdirSync(dirname(options.path), { recursive: true });
    this.#file = openSync(options.path, 'a');
    this.#bytes = fstatSync(this.#file).size;
  }

  info(text: string, fields?: LogFields): void {
    this.#write('info', text, fields);
  }

  warn(text: string, fields?: LogFields): void {
    this.#write('warn', text, fields);
  }

  error(text: string, fields?: LogFields): void {
    this.#write('error', text, fields);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(level: string, text: string, fields: LogFields | undefined): void {
    const line = formatLogLine({ level, text, fields: fields ?? {}, atMs: Date.now() });
    this.#echo?.(line);
    try {
      this.#rotateIfLarge();
      this.#bytes += writeSync(this.#file, `${line}\n`);
    } catch {
      // A full disk must not stop the town; the line is lost, the state is not.
    }
  }

  #rotateIfLarge(): void {
    if (this.#bytes < this.#bytesMax) return;
    for (let age = LOGS_KEPT - 1; age >= 1; age -= 1) {
      const older = `${this.#path}.${String(age)}`;
      if (existsSync(older)) renameSync(older, `${this.#path}.${String(age + 1)}`);
    }
    renameSync(this.#path, `${this.#path}.1`);
    const next = openSync(this.#path, 'a');
    closeSync(this.#file);
    this.#file = next;
    this.#bytes = 0;
  }
}

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly fields: LogFields;
  readonly atMs: number;
}

export function formatLogLine(line: LogLine): string {
  const parts = [new Date(line.atMs).toISOString(), line.level.padEnd(5), line.text];
  for (const [key, value] of Object.entries(line.fields)) {
    if (value === undefined) continue;
    const plain = typeof value === 'string' && /^[\w./:@+-]*$/.test(value) && value !== '';
    parts.push(`${key}=${plain ? value : JSON.stringify(value)}`);
  }
  return parts.join(' ');
}
