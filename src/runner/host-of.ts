/** The host of an address as sockets want it: one of IPv6 without its brackets. */
export const hostOf = (url: URL): string => url.hostname.replaceAll(/^\[|\]$/g, '');
