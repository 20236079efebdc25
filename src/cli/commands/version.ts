import { readFileSync } from 'node:fs';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const version: CommandSpec = {
  usage: 'gt version',
  summary: 'print the version of gt and of the Node it runs on',
  examples: ['gt version', 'gt --version --json'],
  run: (context) => {
    const own = ownVersion();
    const { node } = process.versions;
    context.print(context.json ? JSON.stringify({ version: own, node }) : `gt ${own} (node ${node})`);
    return EXIT.ok;
  },
};

/** The version in the package's own manifest, two folders up in source and in a build. */
export function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' &&
    manifest !== null &&
    'version' in manifest &&
    typeof manifest.version === 'string'
    ? manifest.version
    : 'unknown';
}
