/** A town as a file of JSON lines: what it is, its rows in pieces, and a last line that says what must have arrived. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import {
  MOVE_FORMAT,
  moveEndSchema,
  moveHeaderSchema,
  movePieceSchema,
  type MoveEnd,
  type MoveHeader,
  type MovePiece,
} from '../../../api/contract/transfer.ts';
import { precondition, usage } from '../../../core/errors.ts';
import { PRIVATE_MODE } from '../atomic-file.ts';

const halfOf = (path: string): string => `${path}.half`;

function openHalf(path: string): number {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('it is a folder');
    rmSync(halfOf(path), { force: true });
    return openSync(halfOf(path), 'wx', PRIVATE_MODE);
  } catch (error) {
    throw precondition(
      'export_unwritable',
      `${path} can't be written: ${error instanceof Error ? error.message : String(error)}. Nothing was changed.`,
      'Name a file in a folder that exists and is yours.',
    );
  }
}

/** Before anything is done for a file that could not be written. Errors: `export_unwritable`. */
export function mustBeWritable(path: string): void {
  closeSync(openHalf(path));
  rmSync(halfOf(path), { force: true });
}

/** Writes a file that is there only when it is whole. It holds everything that the town knows: only the owner reads it. */
export class MoveWriter {
  readonly #path: string;
  readonly #half: string;
  readonly #hash: Hash = createHash('sha256');
  readonly #fd: number;
  #lines = 0;

  /** Errors: `export_unwritable`. */
  constructor(path: string) {
    this.#path = path;
    this.#half = halfOf(path);
    this.#fd = openHalf(path);
  }

  header(header: Omit<MoveHeader, 'kind' | 'format'>): void {
    this.#line({ kind: 'gastown-town', format: MOVE_FORMAT, ...header });
  }

  /** Nothing of the half file stays. */
  drop(): void {
    closeSync(this.#fd);
    rmSync(this.#half, { force: true });
  }

  piece(piece: MovePiece): void {
    this.#line(piece);
  }

  end(actors: MoveEnd['actors']): { readonly lines: number } {
    const sha256 = this.#hash.copy().digest('hex');
    const lines = this.#lines;
    this.#line({ end: true, actors, lines, sha256 });
    fsyncSync(this.#fd);
    renameSync(this.#half, this.#path);
    closeSync(this.#fd);
    return { lines };
  }

  #line(value: unknown): void {
    const line = `${JSON.stringify(value)}\n`;
    this.#hash.update(line);
    this.#lines += 1;
    writeSync(this.#fd, line);
  }
}

const broken = (path: string, why: string): Error =>
  usage('bad_export', `${path} is no whole export of a town: ${why}.`, 'Use a file that "gt town export" wrote.');

/** Reads a file to its end before anybody uses it. Errors: `bad_export`. */
export async function readMove(path: string): Promise<{ readonly header: MoveHeader; readonly end: MoveEnd }> {
  const hash = createHash('sha256');
  let header: MoveHeader | null = null;
  let end: MoveEnd | null = null;
  let lines = 0;
  for await (const line of linesOf(path)) {
    if (end !== null) throw broken(path, 'there is something behind its end');
    if (line.startsWith('{"end":true')) {
      end = parsed(moveEndSchema, line, path);
      if (end.lines !== lines || end.sha256 !== hash.digest('hex')) throw broken(path, 'it is not what was written');
      continue;
    }
    hash.update(`${line}\n`);
    if (lines === 0) header = parsed(moveHeaderSchema, line, path);
    lines += 1;
  }
  if (header === null || end === null) throw broken(path, 'its end is missing');
  return { header, end };
}

/** Its pieces, in order. */
export async function* piecesOf(path: string): AsyncGenerator<MovePiece> {
  let lines = 0;
  for await (const line of linesOf(path)) {
    if (lines > 0 && !line.startsWith('{"end":true')) yield parsed(movePieceSchema, line, path);
    lines += 1;
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, 'utf8');
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) yield line;
  } catch (error) {
    throw broken(path, error instanceof Error ? error.message : String(error));
  } finally {
    stream.destroy();
  }
}

function parsed<T>(schema: z.ZodType<T>, line: string, path: string): T {
  let data: unknown = null;
  try {
    data = JSON.parse(line);
  } catch {
    throw broken(path, 'a line of it is no JSON');
  }
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw broken(path, result.error.issues[0]?.message ?? 'a line of it is not as it should be');
}
