/** Bounds on what outsiders write: it is stored, shown and put before agents. */
import { PULL_COMMENT_CHARS_MAX } from '../core/limits.ts';

const LINE_CHARS_MAX = 300;
/** Threads, reviews, failing checks: more than a person reads. */
const LIST_MAX = 50;
const NAME_CHARS_MAX = 200;

/** One line without control characters. */
export const line = (text: string | null | undefined): string =>
  cut((text ?? '').replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim(), LINE_CHARS_MAX);

/** A name as a host has it, or another when it has none. */
export const name = (text: string | null | undefined, without = ''): string =>
  cut(line(text ?? without), NAME_CHARS_MAX);

/** What hosts call somebody whose account is gone. */
export const author = (login: string | null | undefined): string => name(login, 'ghost');

/** Text with line breaks, without other control characters. */
export const body = (text: string | null | undefined): string =>
  cut(
    (text ?? '')
      .replace(/\r\n?/g, '\n')
      .replace(/[^\P{Cc}\n\t]/gu, '')
      .trim(),
    PULL_COMMENT_CHARS_MAX,
  );

export const list = <T>(items: readonly T[]): readonly T[] => items.slice(0, LIST_MAX);

/** An address that may be shown as a link; anything else is none. */
export const webAddress = (text: string | null | undefined): string | null =>
  text !== null &&
  text !== undefined &&
  text.length <= PULL_COMMENT_CHARS_MAX &&
  /^https?:\/\/[^\s\p{Cc}]+$/iu.test(text)
    ? text
    : null;

/** Whole characters only. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
