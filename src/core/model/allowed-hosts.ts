/** The hosts that agents may reach where `network` is a list: what an entry may say, and what it allows. */

/** Without a port in its entry a host is reached by TLS only. */
const PORT_DEFAULT = 443;
const PORT_MAX = 65_535;
const NAME = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME_CHARS_MAX = 253;
const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/;
/** All digits and dots, or like `0x7f.1`: some resolvers read such a name as an address. */
const LIKE_AN_ADDRESS = /^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*$/;

export interface AllowedHost {
  /** Small letters, without a final dot; `*.` at its start stands for any names before it. An IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isAddress: boolean;
  /** It may lie in a private network or on this machine. */
  readonly isPrivate: boolean;
}

/** Where somebody wants to go. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** `[private:]host[:port]`; null: it says something else. */
export function parseAllowed(entry: string): AllowedHost | null {
  const isPrivate = entry.startsWith('private:');
  const target = parseTarget(isPrivate ? entry.slice('private:'.length) : entry, PORT_DEFAULT);
  if (target === null) return null;
  const isAddress = isAddressText(target.host);
  if (!isAddress && (!NAME.test(target.host) || LIKE_AN_ADDRESS.test(target.host))) return null;
  // Who writes down an address means it, wherever it lies.
  return { ...target, isAddress, isPrivate: isPrivate || isAddress };
}

/** `host:port` as programs ask for it; null: it can't be read. */
export function parseTarget(text: string, portDefault: number | null): Target | null {
  const found = /^(\[[^\]]*\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text.toLowerCase());
  if (found === null) return null;
  const name = found[1] ?? '';
  const port = found[2] === undefined ? portDefault : Number(found[2]);
  if (port === null || port < 1 || port > PORT_MAX || name.length > NAME_CHARS_MAX) return null;
  if (name.startsWith('[')) return IPV6.test(name) ? { host: name.slice(1, -1), port } : null;
  return { host: name.endsWith('.') ? name.slice(0, -1) : name, port };
}

/** The entry that allows it; null: none does. An address is allowed by itself only, never by a name with a `*`. */
export function allowedBy(list: readonly AllowedHost[], { host, port }: Target): AllowedHost | null {
  const fits = (entry: AllowedHost): boolean => {
    if (entry.port !== port) return false;
    if (!entry.host.startsWith('*.')) return entry.host === host;
    return !isAddressText(host) && host.length > entry.host.length - 1 && host.endsWith(entry.host.slice(1));
  };
  return list.find(fits) ?? null;
}

const isAddressText = (host: string): boolean => host.includes(':') || IPV4.test(host);
