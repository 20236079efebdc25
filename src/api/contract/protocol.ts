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

/** Both sides send a ping this often; NAT tables forget silent connections after some minutes. */
export const PING_EVERY_MS = 10_000;
/** Two lost pings and some: then the connection is given up. */
export const SILENCE_MAX_MS = 25_000;
/** Asks a runner that listens, on a call that is held open, for a sign of life so often; its answer says that it gives them. */
export const BEAT_HEADER = 'x-gt-beat';
