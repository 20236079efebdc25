import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { privateEntries } from './private-files.ts';

/** One thing that a sandbox shows. */
export type Mount =
  /** A folder or file of the host. */
  | { readonly type: 'read' | 'write'; readonly from: string; readonly at: string }
  /** Nothing: what lies there on the host is hidden. */
  | { readonly type: 'hide'; readonly at: string };

/**
 * What programs need of a machine: no home, no data of services, nothing below `/var` and `/run` but the resolver's
 * settings. What is missing on a machine is left out.
 */
const SYSTEM = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/opt',
  '/nix/store',
  '/gnu/store',
  '/run/current-system',
  '/run/systemd/resolve',
  '/run/resolvconf',
  '/var/lib/ca-certificates',
];
const SETTINGS_OF_MACHINE = '/etc';
/** A new key of a service appears now and then: for so long it may be shown, at most. A walk takes milliseconds. */
const PRIVATE_LOOK_MS = 60_000;

export function systemMounts(): readonly Mount[] {
  return [
    ...SYSTEM.filter((path) => existsSync(path)).map((at): Mount => ({ type: 'read', from: at, at })),
    ...privateFiles()
      .filter((path) => existsSync(path))
      .map((at): Mount => hidden(at)),
    ...programMounts(),
  ];
}

let looked: { readonly atMs: number; readonly paths: readonly string[] } | null = null;

/** What the kernel keeps from others it shows to root, inside too. A user's runner can't read it in the first place. */
function privateFiles(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const nowMs = performance.now();
  if (looked === null || nowMs - looked.atMs > PRIVATE_LOOK_MS)
    looked = { atMs: nowMs, paths: privateEntries(SETTINGS_OF_MACHINE) };
  return looked.paths;
}

/** Node and this package, so that `gt` runs: they may lie in somebody's home. */
export function programMounts(): readonly Mount[] {
  const node = dirname(dirname(realpathSync(process.execPath)));
  return [node, packageFolder()].map((at): Mount => ({ type: 'read', from: at, at }));
}

/** What Node compiled for us, to read: programs of ours inside need not do it again. */
export function cacheMounts(): readonly Mount[] {
  const at = process.env['NODE_COMPILE_CACHE'];
  return at === undefined || !existsSync(at) ? [] : [{ type: 'read', from: at, at }];
}

export function cacheEnvironment(): Record<string, string> {
  const at = process.env['NODE_COMPILE_CACHE'];
  return at === undefined ? {} : { NODE_COMPILE_CACHE: at };
}

/** An empty folder or file in the place of what must not be seen. */
const hidden = (at: string): Mount =>
  lstatSync(at).isDirectory() ? { type: 'hide', at } : { type: 'read', from: '/dev/null', at };

/** The package's root, in source and build alike. */
export function packageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** How strong a mount is at a place that two name: what is written wins over what is hidden, that over what is read. */
const STRENGTH = { read: 0, hide: 1, write: 2 } as const;

/** Parents before what lies in them; at one place the strongest last. */
export function inOrder(mounts: readonly Mount[]): readonly Mount[] {
  const key = ({ at }: Mount): string => `${at}/`;
  return mounts.toSorted((a, b) =>
    key(a) === key(b) ? STRENGTH[a.type] - STRENGTH[b.type] : key(a) < key(b) ? -1 : 1,
  );
}

/** Symlinks at the root, as most systems have them (`/bin`), stay symlinks. */
export function linkAt(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}
