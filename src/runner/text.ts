import { LAST_LINE_CHARS_MAX } from './limits.ts';

/** The end of a text, at most `charsMax`, with a mark where it was cut. */
export function tail(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const mark = '[... cut ...]\n';
  return mark + text.slice(text.length - (charsMax - mark.length));
}

/** Last line that says something, without control characters and terminal sequences. */
export function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/);
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = plain(lines[index] ?? '').trim();
    if (line !== '') return line.slice(0, LAST_LINE_CHARS_MAX);
  }
  return '';
}

/** Text without ANSI sequences and control characters (tabs and line ends stay). */
export function plain(text: string): string {
  return text.replaceAll(/\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
}

/** Message of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
