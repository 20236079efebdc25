import { readFileSync } from 'node:fs';
import { precondition } from '../core/errors.ts';

const STDIN = 0;

/** Text of a file that an option names; `-` is stdin. Errors: `file_unreadable`. */
export function readText(file: string, option: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    throw precondition(
      'file_unreadable',
      `--${option}: ${JSON.stringify(file)} can't be read: ${error instanceof Error ? error.message : String(error)}.`,
      'Check the path.',
    );
  }
}
