/** An order to the runner that is not done yet although it was tried: what everybody who waits for it is told. */
import { HOST_WORDS_CHARS_MAX } from './limits.ts';
import { withoutLogin, withoutLogins } from './remote-url.ts';
import { asSentence } from './sentence.ts';
import { duration, inert } from './text.ts';
import type { RigView } from './view.ts';

/**
 * Words of a program in one line, short enough to stand in a sentence beside others. Git names the address that it asked, and
 * leaves a part of a password with an `@` in it.
 */
export function inOneLine(words: string): string {
  const chars = Array.from(inert(withoutLogins(words).replaceAll(/\s+/g, ' ').trim()));
  return chars.length <= HOST_WORDS_CHARS_MAX ? chars.join('') : `${chars.slice(0, HOST_WORDS_CHARS_MAX).join('')}…`;
}

const times = (count: number): string => (count === 1 ? 'once' : `${String(count)} times`);

/** The same at any moment: for what is written down. Begins with a space; empty: nothing failed. */
export const troubleSaid = (view: RigView, key: string | null): string => {
  const trouble = key === null ? null : view.trouble(key);
  if (trouble === null) return '';
  return ` It was asked for ${times(trouble.tries)} at ${withoutLogin(view.config().url)}; the last try failed: ${asSentence(inOneLine(trouble.error))}`;
};

/** As it is now, with when it is tried again. Begins with a space; empty: nothing failed. */
export function troubleNow(view: RigView, key: string | null, nowMs: number): string {
  const trouble = key === null ? null : view.trouble(key);
  if (trouble === null) return '';
  const again = trouble.nextAtMs > nowMs ? `again within ${duration(trouble.nextAtMs - nowMs)}` : 'again now';
  return ` The last try at ${withoutLogin(view.config().url)} failed: ${inOneLine(trouble.error)} (asked ${times(trouble.tries)}, ${again}).`;
}

/** The first moment that is not over; null: none is known. */
export const nextOf = (nowMs: number, ...moments: readonly (number | null | undefined)[]): number | null =>
  moments.filter((at): at is number => typeof at === 'number' && at > nowMs).toSorted((a, b) => a - b)[0] ?? null;
