/** What is deployed by files that nothing here runs: the Worker's configuration and the runner's image. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../src/cli/commands/runner-run.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Wrangler {
  readonly main: string;
  readonly compatibility_date: string;
  readonly durable_objects: { readonly bindings: readonly { readonly name: string; readonly class_name: string }[] };
  readonly migrations: readonly { readonly new_sqlite_classes: readonly string[] }[];
  readonly vars: Readonly<Record<string, string>>;
}

describe('wrangler.jsonc', () => {
  const text = read('wrangler.jsonc');
  const config = JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll(/,(\s*[\]}])/g, '$1')) as Wrangler;

  it('binds every class that the Worker exports, with SQLite, and names what the environment needs', () => {
    const worker = read(config.main);
    const exported = [...worker.matchAll(/^export \{ ([^}]+) \}/gm)].flatMap((match) => (match[1] ?? '').split(', '));
    const bound = config.durable_objects.bindings.map((one) => one.class_name);
    expect(bound.toSorted()).toEqual(exported.toSorted());
    expect(config.migrations.flatMap((one) => one.new_sqlite_classes).toSorted()).toEqual(bound.toSorted());
    const env = read('src/hosts/cloudflare/env.ts');
    const needed = [...env.matchAll(/^ {2}readonly ([A-Z_]+):/gm)].map((match) => match[1] ?? '');
    const secrets = [...(/Secrets, each by.*: ([^.]*)\./.exec(text)?.[1] ?? '').matchAll(/GT_[A-Z_]+/g)].map(String);
    const given = [...config.durable_objects.bindings.map((one) => one.name), ...Object.keys(config.vars), ...secrets];
    expect(given.toSorted()).toEqual(needed.toSorted());
  });

  it('runs on the platform of the day that the tests run on', () => {
    expect(/COMPATIBILITY_DATE = '([^']+)'/.exec(read('scripts/workerd.ts'))?.[1]).toBe(config.compatibility_date);
  });
});

describe('deploy/runner.Dockerfile', () => {
  const text = read('deploy/runner.Dockerfile');

  it('copies what is there, runs as nobody special, and starts the runner with options that it has', () => {
    const copied = [...text.matchAll(/^COPY (.+) \S+$/gm)].flatMap((match) => (match[1] ?? '').split(' '));
    expect(copied.length).toBeGreaterThan(2);
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(text.lastIndexOf('\nUSER runner\n')).toBeGreaterThan(text.lastIndexOf('\nRUN '));
    const options = [...(/^ENTRYPOINT (.+)$/m.exec(text)?.[1] ?? '').matchAll(/ --([a-z-]+)/g)].map(
      (match) => match[1],
    );
    const known = ['town', ...Object.keys(run.options ?? {})];
    expect(options.filter((name) => !known.includes(name ?? ''))).toEqual([]);
    expect(options).toContain('dir');
  });
});
