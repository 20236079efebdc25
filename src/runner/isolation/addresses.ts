import { BlockList, isIPv6 } from 'node:net';

/**
 * `never`: the link itself, where clouds keep the metadata and keys of a machine, and what is nobody's address.
 * `private`: this machine and networks around it. `public`: the rest.
 */
export type Reach = 'never' | 'private' | 'public';

const NEVER = subnets([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  // Metadata of one cloud, which lies among the addresses of carriers.
  ['100.100.100.200', 32],
  ['224.0.0.0', 3],
  ['::', 128],
  ['fe80::', 10],
  ['fd00:ec2::', 64],
  ['fd20:ce::', 64],
  ['ff00::', 8],
  // IPv4 addresses in disguise: translated, tunnelled.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['2001::', 32],
]);
const PRIVATE = subnets([
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['::1', 128],
  ['fc00::', 7],
  ['fec0::', 10],
]);

/** Where an IP address lies; an IPv4 address within IPv6 is judged as what it is. */
export function reachOf(address: string): Reach {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (NEVER.check(address, family)) return 'never';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

function subnets(rows: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of rows) list.addSubnet(net, prefix, isIPv6(net) ? 'ipv6' : 'ipv4');
  return list;
}
