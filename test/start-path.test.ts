/** What a process loads before it does anything decides how soon it is back: no servers and no contract on that way. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
/** `import … from` and `export … from`, types left out: those are gone when the program runs. */
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm;

/** Packages and files that are loaded when this file is. */
function loaded(entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const match of readFileSync(file, 'utf8').matchAll(STATIC)) {
      const to = match[1] ?? '';
      const names = /\{([^}]*)\}/.exec(match[0])?.[1];
      const onlyTypes = names !== undefined && names.split(',').every((name) => /^\s*(type\b.*)?$/s.test(name));
      if (onlyTypes) continue;
      if (to.startsWith('.')) visit(resolve(dirname(file), to));
      else seen.add(to);
    }
  };
  visit(join(root, entry));
  return seen;
}

const SERVERS = ['hono', '@hono/node-server', '@hono/zod-openapi', 'ws', 'jose', 'execa', '@octokit/core'];

describe('the way to the first turn', () => {
  it('sees what is loaded', () => {
    expect([...loaded('src/api/app.ts')]).toEqual(expect.arrayContaining(['@hono/zod-openapi']));
    expect(loaded('src/hosts/node/run-daemon.ts').size).toBeGreaterThan(100);
  });

  it.each([
    // The settings are checked by schemas of their own.
    ['src/hosts/node/run-daemon.ts', SERVERS],
    ['src/cli/main.ts', [...SERVERS, 'zod']],
  ])('of %s loads no servers and no wire schemas', (entry, heavy) => {
    const all = loaded(entry);
    expect(heavy.filter((name) => all.has(name))).toEqual([]);
    const contract = join(root, 'src', 'api', 'contract');
    const schemas = [...all].filter((file) => file.startsWith(contract) && !file.endsWith('protocol.ts'));
    expect(schemas).toEqual([]);
  });
});
