/** Apart from the schemas: who only compares versions need not load them, and the daemon's start does not. */

/**
 * Version of the calls and frames. Added when an older side could misunderstand a newer one, not for new fields. 2: a start
 * may ask for a sandbox, which an older runner would pass over.
 */
export const PROTOCOL_VERSION = 2;
/** The oldest version that this side understands. */
export const PROTOCOL_OLDEST = 2;

/** What this side speaks, for people and for the header of a refusal. */
export const protocolRange = (): string =>
  PROTOCOL_OLDEST === PROTOCOL_VERSION
    ? String(PROTOCOL_VERSION)
    : `${String(PROTOCOL_OLDEST)} to ${String(PROTOCOL_VERSION)}`;
