import { posix } from 'node:path';
import { scan } from './scan.ts';
import { isCode, isTest, lineAt, type SourceFile } from './tree.ts';

interface Layer {
  readonly may: readonly string[];
  /** npm and runtime modules; an entry that ends in `:` or `/` is a prefix. */
  readonly modules: readonly string[] | 'any';
}

/** Who may import whom: downward only. The same graph is in the layers' tsconfig.json, and a test compares the two. */
export const LAW: Readonly<Record<string, Layer>> = {
  core: { may: [], modules: [] },
  ports: { may: ['core'], modules: [] },
  store: { may: ['core', 'ports'], modules: [] },
  actors: { may: ['core', 'ports', 'store'], modules: [] },
  settings: { may: ['core'], modules: ['zod', 'smol-toml'] },
  'api/contract': { may: ['core'], modules: ['zod', '@hono/zod-openapi'] },
  api: {
    may: ['core', 'ports', 'api/contract'],
    modules: ['hono', 'hono/', '@hono/zod-openapi', 'zod', 'jose', 'standardwebhooks', '@modelcontextprotocol/server'],
  },
  runner: { may: ['core', 'ports', 'api/contract'], modules: ['node:', 'zod', 'ws'] },
  forge: { may: ['core', 'ports'], modules: ['@octokit/core', 'zod'] },
  'hosts/node': {
    may: ['core', 'ports', 'store', 'actors', 'settings', 'forge', 'api/contract', 'api', 'runner'],
    modules: 'any',
  },
  'hosts/cloudflare': {
    may: ['core', 'ports', 'store', 'actors', 'settings', 'forge', 'api/contract', 'api'],
    modules: ['cloudflare:', 'hono', 'hono/', 'zod', 'jose'],
  },
  cli: { may: ['core', 'settings', 'api/contract', 'api', 'hosts/node'], modules: 'any' },
};

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

const FORMS = [
  /\b(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1/g,
  /\bimport\s*(['"])([^'"\n]+)\1/g,
  /\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g,
];

/** Every module a source names: static, type-only, re-export, side effect, dynamic, `require` and `import('x').T`. */
export function importsOf(source: string): Import[] {
  const { code, text } = scan(source);
  return FORMS.flatMap((form) => [...text.matchAll(form)])
    .filter((match) => code.charAt(match.index) !== ' ')
    .map((match) => ({ specifier: match[2] ?? '', line: lineAt(text, match.index) }));
}

/** The layer a path belongs to: the longest name wins, so that `api/contract` is not `api`. */
export function layerOf(path: string): string | null {
  const names = Object.keys(LAW).filter((name) => path.startsWith(`src/${name}/`));
  return names.toSorted((a, b) => b.length - a.length)[0] ?? null;
}

function mayUseModule(layer: Layer, specifier: string): boolean {
  if (layer.modules === 'any') return true;
  return layer.modules.some((one) => (/[:/]$/.test(one) ? specifier.startsWith(one) : specifier === one));
}

function judge(path: string, from: string, specifier: string): string | null {
  const layer = LAW[from];
  if (layer === undefined) return `unknown layer ${from}`;
  if (!specifier.startsWith('.')) {
    return mayUseModule(layer, specifier) ? null : `${from} may not use the module ${specifier}`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (!specifier.endsWith('.ts')) return `${specifier}: imports name the file, with .ts`;
  const to = layerOf(target);
  if (to === null) return `${from} may not import ${target}, which is in no layer`;
  if (to === from || layer.may.includes(to)) return null;
  return `${from} may not import ${to} (${specifier}); it may import: ${layer.may.join(', ') || 'nothing'}`;
}

/** Tests, the simulator and benches may import anything. */
export function checkLaw(file: SourceFile): string[] {
  if (!file.path.startsWith('src/') || !isCode(file.path) || isTest(file.path)) return [];
  const from = layerOf(file.path);
  if (from === null) return [`${file.path}: is in no layer; add the layer to the law or move the file`];
  return importsOf(file.source).flatMap(({ specifier, line }) => {
    const problem = judge(file.path, from, specifier);
    return problem === null ? [] : [`${file.path}:${line}: ${problem}`];
  });
}

/** The layers that a layer's tsconfig.json refers to. */
export function referencesOf(path: string, source: string): string[] {
  const config: unknown = JSON.parse(scan(source).text);
  const references: unknown = typeof config === 'object' && config !== null ? Reflect.get(config, 'references') : [];
  if (!Array.isArray(references)) return [];
  return references.map((one: { path: string }) => posix.join(posix.dirname(path), one.path).replace(/^src\//, ''));
}
