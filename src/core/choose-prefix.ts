import { conflict } from './errors.ts';
import { parsePrefix, PREFIX_CHARS_MAX, RESERVED_PREFIXES } from './model/ids.ts';

/** Tries `app`, `app2` … `app9` before asking. */
const PREFIX_TRIES_MAX = 9;

/**
 * The prefix of a new rig's ids: the one that was asked for, or one made from its name that nobody has. Ids are typed
 * often, so it is short. Errors: `prefix_taken`, `bad_prefix`.
 */
export function choosePrefix(name: string, wanted: string | undefined, taken: readonly string[]): string {
  if (wanted !== undefined) {
    const prefix = parsePrefix(wanted);
    if (taken.includes(prefix))
      throw conflict('prefix_taken', `The prefix "${prefix}" belongs to another rig.`, 'Choose another with --prefix.');
    return prefix;
  }
  const base = name.replaceAll(/[^a-z0-9]/g, '').slice(0, PREFIX_CHARS_MAX);
  for (let attempt = 1; attempt <= PREFIX_TRIES_MAX; attempt += 1) {
    const candidate = attempt === 1 ? base : `${base.slice(0, PREFIX_CHARS_MAX - 1)}${String(attempt)}`;
    if (!taken.includes(candidate) && !RESERVED_PREFIXES.has(candidate)) return parsePrefix(candidate);
  }
  throw conflict('prefix_taken', `No free prefix was found for "${name}".`, 'Choose one with --prefix.');
}
